//! How real the codecs of a call are, if the scenario leaves that to the size of the call.

use crate::plan::{Fidelity, McuEncoders, McuPlan, Participant, Topology, VideoPlan};

/// Luma pixels that a call may encode and decode in a second of virtual time, over all its codecs,
/// and still have them all: a mesh of 8 at 640x360 and 30 frames per second has 56 encoders and 56
/// decoders, 774 million pixels a second, and takes the reference machine ten seconds for each.
pub(crate) const MOST_PIXELS: u64 = 800_000_000;

/// `codec` for a call whose codecs work on [`MOST_PIXELS`] a second at most, otherwise `trace`.
///
/// Everybody counts as there from start to end. Sound costs little beside pictures and does not
/// count.
pub(crate) fn by_size(
    topology: Topology,
    participants: &[Participant],
    video: Option<&VideoPlan>,
    mcu: &McuPlan,
) -> Fidelity {
    let pixels = video.map_or(0, |video| pixels(topology, participants, video, mcu));
    match pixels <= MOST_PIXELS {
        true => Fidelity::Codec,
        false => Fidelity::Trace,
    }
}

/// Luma pixels a second, over all encoders and decoders.
fn pixels(
    topology: Topology,
    participants: &[Participant],
    video: &VideoPlan,
    mcu: &McuPlan,
) -> u64 {
    let everybody = participants.len() as u64;
    let senders = participants.iter().filter(|peer| peer.sends).count() as u64;
    let streams = senders * (everybody - 1);
    let camera = rate(video.width, video.height, video.fps);
    let grid = rate(mcu.width, mcu.height, mcu.fps);
    match topology {
        Topology::Mesh => (streams + streams) * camera,
        Topology::Sfu => (senders + streams) * camera,
        Topology::Mcu => {
            let grids = match mcu.encoders {
                McuEncoders::Shared => 1,
                McuEncoders::PerParticipant => everybody,
            };
            (senders + senders) * camera + (grids + everybody) * grid
        }
    }
}

fn rate(width: u32, height: u32, fps: u32) -> u64 {
    u64::from(width) * u64::from(height) * u64::from(fps)
}
