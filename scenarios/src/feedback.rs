//! Whether the feedback of RFC 8888 has room for all that arrives.

use crate::plan::{Participant, Plan, Topology};

/// What a report of the stack, which comes every 100 ms, has for blocks: 1,200 bytes less its header
/// (`rtc-interceptor` 0.21 `CcFeedbackRecorder`).
const BLOCKS_BYTES: u32 = 1_200 - 12;
/// Of a block: SSRC, first number and count (RFC 8888 section 3.1).
const BLOCK_HEADER_BYTES: u32 = 8;
/// Of a packet in a block.
const PACKET_BYTES: u32 = 2;
/// A packet of video has this much payload at least, where a picture has more than one.
const PAYLOAD_BITS: u32 = 1_000 * 8;

/// How many packets of each of `streams` a report has room for. The stack gives all the same part,
/// and what is beyond it passes for lost.
fn packets_of_each(streams: u32) -> u32 {
    BLOCKS_BYTES.saturating_sub(BLOCK_HEADER_BYTES * streams) / PACKET_BYTES / streams.max(1)
}

/// Whether reports have room for what any host receives over one connection. A picture may come at
/// twice the mean rate, and sound is 5 packets in a report.
pub(crate) fn has_room(plan: &Plan) -> bool {
    let (video, repair) = (plan.video.as_ref(), &plan.repair);
    let of_picture = 1 + u32::from(repair.rtx) + u32::from(repair.flexfec.is_some());
    let pictures = |layers: u32| video.map_or(0, |_| layers * of_picture);
    let sounds = u32::from(plan.audio.is_some());
    let streams = match plan.topology {
        Topology::Mesh | Topology::Mcu => pictures(1) + sounds,
        Topology::Sfu => {
            let watched = |receiver: &Participant| plan.watched_by(receiver.index).count() as u32;
            let most = plan.participants.iter().map(watched).max().unwrap_or(0);
            (most * (pictures(1) + sounds)).max(pictures(plan.sfu.layers) + sounds)
        }
    };
    let of_mix = match plan.topology {
        Topology::Mcu => plan.mcu.bitrate_bps,
        Topology::Mesh | Topology::Sfu => 0,
    };
    let bitrate_bps = video.map_or(0, |video| video.bitrate_bps.max(of_mix));
    let picture = (2 * bitrate_bps / 10).div_ceil(PAYLOAD_BITS);
    packets_of_each(streams) >= picture.max(5)
}

#[cfg(test)]
mod tests {
    use crate::{Overrides, Scenario};

    use super::*;

    fn fits(topology: &str, participants: u32, more: &str) -> bool {
        let source = format!(
            "name = \"x\"\ntopologies = [\"{topology}\"]\nparticipants = {participants}\n{more}"
        );
        let scenario = Scenario::parse(&source, "x".as_ref()).unwrap();
        let plans = scenario.resolve(&Overrides::default()).unwrap();
        has_room(&plans[0])
    }

    /// Of 800 kbps a report is about 2 x 10 packets. 24 streams leave (1188 - 192) / 2 / 24 = 20 for
    /// each, 26 leave 18: with sound and retransmission, 3 streams for each of those who are watched,
    /// 8 others fit and 9 do not; without retransmission 12 and 13.
    #[test]
    fn a_leg_of_an_sfu_has_room_for_some_senders() {
        let video = "video.bitrate = \"800 kbps\"\n";
        for (rtx, most) in [(true, 9), (false, 13)] {
            let more = format!("{video}repair.rtx = {rtx}");
            assert!(fits("sfu", most, &more));
            assert!(!fits("sfu", most + 1, &more));
            assert!(fits("mesh", most + 1, &more));
            assert!(fits("mcu", most + 1, &more));
        }
    }

    /// Two streams leave (1188 - 16) / 2 / 2 = 293 packets for each: 11.7 Mbps.
    #[test]
    fn a_connection_has_room_for_some_rate() {
        assert!(fits("mesh", 2, "video.bitrate = \"11 Mbps\""));
        assert!(!fits("mesh", 2, "video.bitrate = \"12 Mbps\""));
    }

    /// Sound alone is one stream for each sender: 5 packets each fit (1188 - 528) / 2 / 66.
    #[test]
    fn sound_needs_room_too() {
        assert!(fits("sfu", 67, "video = false"));
        assert!(!fits("sfu", 68, "video = false"));
    }
}
