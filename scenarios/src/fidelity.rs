//! How real the codecs of a call are.

use crate::plan::{Fidelity, Participant, Topology, VideoPlan};
use crate::spec::Spec;

/// Luma pixels that a call may encode and decode in a second of virtual time, over all its codecs,
/// and still have them all: a mesh of 8 at 640x360 and 30 frames per second has 56 encoders and 56
/// decoders, 774 million pixels a second, and takes the reference machine ten seconds for each.
pub(crate) const MOST_PIXELS: u64 = 800_000_000;

/// What the scenario says, or what follows from the size of the call. The business of an MCU is
/// pixels, so its calls always have all their codecs, and so do calls in which senders adapt: a
/// recording has the bitrate that it was made with.
pub(crate) fn of(spec: &Spec, topology: Topology, participants: &[Participant]) -> Fidelity {
    if topology == Topology::Mcu || spec.congestion.adapts() {
        return Fidelity::Codec;
    }
    let by_size = || by_size(topology, participants, spec.video.as_ref());
    spec.fidelity.unwrap_or_else(by_size)
}

/// `codec` for a call whose codecs work on [`MOST_PIXELS`] a second at most, otherwise `trace`.
///
/// Everybody counts as there from start to end. Sound costs little beside pictures and does not
/// count.
fn by_size(
    topology: Topology,
    participants: &[Participant],
    video: Option<&VideoPlan>,
) -> Fidelity {
    let pixels = video.map_or(0, |video| pixels(topology, participants, video));
    match pixels <= MOST_PIXELS {
        true => Fidelity::Codec,
        false => Fidelity::Trace,
    }
}

/// Luma pixels a second, over all encoders and decoders of participants.
fn pixels(topology: Topology, participants: &[Participant], video: &VideoPlan) -> u64 {
    let receivers = |sender: &Participant| {
        let everybody = participants.iter();
        everybody.filter(|receiver| receiver.gets(sender)).count() as u64
    };
    let receivers: Vec<u64> = participants.iter().map(receivers).collect();
    let streams = receivers.iter().sum();
    let encoders = match topology {
        Topology::Mesh => streams,
        Topology::Sfu | Topology::Mcu => {
            receivers.iter().filter(|number| **number > 0).count() as u64
        }
    };
    let picture = u64::from(video.width) * u64::from(video.height);
    (encoders + streams) * picture * u64::from(video.fps)
}
