//! What computers can do, and what the work of a call costs them.

use serde::{Deserialize, Serialize};

/// A class of computer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Device {
    /// What the scenario called it, for tables: a preset's name, that name and `-modified`, or
    /// `custom`.
    pub label: String,
    /// How many pieces of work it does at the same time, 1 or more.
    pub cores: u32,
    /// How fast one core is, as a multiple of the machine that the cost profile was measured on.
    pub speed: f64,
}

impl Device {
    /// The server that a scenario which names none has: four cores.
    pub fn server() -> Self {
        Device {
            label: "server-4".to_owned(),
            cores: 4,
            speed: 1.0,
        }
    }
}

impl Default for Device {
    /// An ordinary laptop.
    fn default() -> Self {
        Device {
            label: "laptop".to_owned(),
            cores: 4,
            speed: 1.0,
        }
    }
}

/// What each kind of work costs one core of speed 1, in nanoseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostProfile {
    /// What tables call it: `reference`, or the name of the file that it was read from.
    pub name: String,
    /// H.264 encoding, per luma pixel of the picture.
    pub video_encode_pixel_ns: f64,
    /// H.264 decoding, per luma pixel of the picture.
    pub video_decode_pixel_ns: f64,
    /// Scaling a picture, per luma pixel that is read or made: reducing costs about as much for
    /// either.
    pub scale_pixel_ns: f64,
    /// Composing a grid, per luma pixel drawn: what has not changed is not drawn again.
    pub compose_pixel_ns: f64,
    /// Opus encoding, per sample at 48 kHz.
    pub audio_encode_sample_ns: f64,
    /// Opus decoding, per sample at 48 kHz.
    pub audio_decode_sample_ns: f64,
    /// Mixing, per sample of each sound that goes in or comes out.
    pub mix_sample_ns: f64,
    /// Sending a UDP packet through the stack of a peer connection, one of several on a wake.
    pub packet_send_ns: f64,
    /// Receiving a UDP packet through the stack of a peer connection, which it wakes.
    pub packet_receive_ns: f64,
    /// What forwarding costs an SFU for each copy, beside receiving and sending.
    pub packet_forward_ns: f64,
    /// Receiving a packet at a TURN server and sending it on.
    pub packet_relay_ns: f64,
}
