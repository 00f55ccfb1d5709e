//! Hosts: what they are, and what they did.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a host is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A participant.
    Client,
    /// The signalling server.
    Signaling,
    /// The STUN and TURN server.
    Turn,
    /// The selective forwarding unit.
    Sfu,
    /// The multipoint control unit.
    Mcu,
}

impl Role {
    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Client => "client",
            Role::Signaling => "signaling",
            Role::Turn => "turn",
            Role::Sfu => "sfu",
            Role::Mcu => "mcu",
        }
    }
}

/// One host of the world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HostRecord {
    /// Unique in the cell, such as `home-2` or `turn`.
    pub name: String,
    /// What it is there for.
    pub role: Role,
    /// The group of the scenario; `None` for servers.
    pub group: Option<String>,
    /// What the scenario called its NAT; `none` for servers.
    pub nat: String,
    /// What the scenario called its link.
    pub link: String,
    /// What the link carries from the host at most, bits per second over 1000; `None` without end.
    #[serde(default)]
    pub link_up_kbps: Option<f64>,
    /// What the link carries to the host at most, likewise.
    #[serde(default)]
    pub link_down_kbps: Option<f64>,
    /// Traffic that the host put on its access link, whole run.
    pub up: Traffic,
    /// Traffic that the access link delivered to the host, whole run.
    pub down: Traffic,
    /// The same as `up`, in the measured window.
    pub window_up: Traffic,
    /// The same as `down`, in the measured window.
    pub window_down: Traffic,
    /// What the scenario called its computer.
    pub device: String,
    /// How many cores it has.
    #[serde(default)]
    pub cores: Option<u32>,
    /// Modelled CPU, mean cores in use over the window; `None` where CPUs are free.
    pub cpu_cores_mean: Option<f64>,
    /// The same by work: `encode`, `decode`, `compose`, `mix`, `transport`; empty where CPUs are
    /// free. The works add up to the mean.
    pub cpu_cores_by_work: BTreeMap<String, f64>,
    /// Pieces of work that were left out because the CPU was too far behind, by work, whole run.
    pub skipped: BTreeMap<String, u64>,
    /// The codecs that it had, whole run.
    pub codecs: Codecs,
}

/// How many encoders and decoders a host had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Codecs {
    /// H.264 encoders.
    pub video_encoders: u32,
    /// H.264 decoders.
    pub video_decoders: u32,
    /// Opus encoders.
    pub audio_encoders: u32,
    /// Opus decoders.
    pub audio_decoders: u32,
}

/// Bytes and packets at the IP layer, all headers counted, by what they carry.
///
/// Relayed packets count in the class of what they carry; the bytes that the relay adds to them
/// (ChannelData headers, Send and Data indications) count in `turn`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// Packets of every class.
    pub packets: u64,
    /// Bytes of every class.
    pub bytes: u64,
    /// SRTP.
    pub rtp_bytes: u64,
    /// SRTP payloads alone, with their authentication tags.
    pub rtp_payload_bytes: u64,
    /// SRTP packets.
    pub rtp_packets: u64,
    /// SRTCP.
    pub rtcp_bytes: u64,
    /// STUN: connectivity checks, consent, gathering, TURN control.
    pub stun_bytes: u64,
    /// What relaying adds to relayed packets.
    pub turn_bytes: u64,
    /// DTLS, but for application data.
    pub dtls_bytes: u64,
    /// DTLS application data: SCTP, which carries data channels.
    #[serde(default)]
    pub data_bytes: u64,
    /// TCP: signalling, and of ICE-TCP all but the packets in it, which count in their classes:
    /// headers, acknowledgements, repeated data.
    pub tcp_bytes: u64,
}
