//! What was lost in a call and what was done about it, a row per cell.

use super::figures::streams;
use crate::record::{CellRecord, Kind, RepairRecord};

/// Losses and repairs of one cell in the measured window, over all hops of all streams, shares of
/// media packets from 0 to 1; a hop that several streams share counts for each of them. What is
/// missing is not known of records of older versions.
#[derive(Clone, Debug, PartialEq)]
pub struct RepairFigures {
    /// Of video packets, those that the network dropped; the sum of the next three.
    pub video_lost: Option<f64>,
    /// Of video packets, those that were dropped and came because they were sent again.
    pub sent_again: Option<f64>,
    /// Of video packets, those that were rebuilt from FlexFEC.
    pub rebuilt: Option<f64>,
    /// Of video packets, those that were dropped and never came.
    pub missing: Option<f64>,
    /// Bytes on the wire of what was sent again and of FlexFEC, as a share of encoded bytes of video.
    pub overhead: Option<f64>,
    /// Of audio packets, those that the network dropped.
    pub audio_lost: Option<f64>,
    /// 20 ms of sound from the packet after them, of all audio packets, which have 20 ms each.
    pub redundant: Option<f64>,
    /// 20 ms of sound that were filled in or silent, likewise.
    pub concealed: Option<f64>,
}

impl RepairFigures {
    /// Those of a cell; `None` if nothing was lost and nothing was sent that repairs.
    pub fn of(record: &CellRecord) -> Option<Self> {
        let (video, audio) = (sum(record, Kind::Video), sum(record, Kind::Audio));
        let lost = |of: &RepairRecord| of.lost_packets.unwrap_or(0) > 0;
        let repairs = video.retransmitted_packets + video.fec_packets + audio.redundant_frames;
        (lost(&video) || lost(&audio) || repairs > 0).then_some(())?;
        let share = |part: Option<u64>, whole: Option<u64>| {
            let whole = whole.filter(|whole| *whole > 0)?;
            Some(part? as f64 / whole as f64)
        };
        let of_video = |part: Option<u64>| share(part, video.media_packets);
        let of_audio = |part: Option<u64>| share(part, audio.media_packets);
        let came = |lost: u64| {
            let other = video.rebuilt_packets + video.missing_packets.unwrap_or(0);
            lost.saturating_sub(other)
        };
        let bytes = video.retransmitted_bytes + video.fec_bytes;
        Some(RepairFigures {
            video_lost: of_video(video.lost_packets),
            sent_again: of_video(video.lost_packets.map(came)),
            rebuilt: of_video(Some(video.rebuilt_packets)),
            missing: of_video(video.missing_packets),
            overhead: share(Some(bytes), video.media_bytes),
            audio_lost: of_audio(audio.lost_packets),
            redundant: of_audio(Some(audio.redundant_frames)),
            concealed: of_audio(Some(audio.concealed_frames)),
        })
    }
}

/// What was done for all streams of one kind.
fn sum(record: &CellRecord, kind: Kind) -> RepairRecord {
    let all = streams(record, kind).filter_map(|stream| stream.repair);
    let both = |a: Option<u64>, b: Option<u64>| a.or(b).map(|_| a.unwrap_or(0) + b.unwrap_or(0));
    all.fold(RepairRecord::default(), |a, b| RepairRecord {
        retransmitted_packets: a.retransmitted_packets + b.retransmitted_packets,
        retransmitted_bytes: a.retransmitted_bytes + b.retransmitted_bytes,
        fec_packets: a.fec_packets + b.fec_packets,
        fec_bytes: a.fec_bytes + b.fec_bytes,
        rebuilt_packets: a.rebuilt_packets + b.rebuilt_packets,
        redundant_frames: a.redundant_frames + b.redundant_frames,
        concealed_frames: a.concealed_frames + b.concealed_frames,
        media_packets: both(a.media_packets, b.media_packets),
        media_bytes: both(a.media_bytes, b.media_bytes),
        lost_packets: both(a.lost_packets, b.lost_packets),
        missing_packets: both(a.missing_packets, b.missing_packets),
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::fixture::cell;

    /// 400 packets of video of 500 B each, of which 40 are lost: 10 rebuilt, 8 missing, so 22 came
    /// again, for which 30 were sent, of 600 B; 100 of FlexFEC of 650 B. Of 200 of sound 12 are lost:
    /// 9 are repeated and 4 filled in.
    pub(crate) fn repaired() -> CellRecord {
        let mut cell = cell();
        let video = RepairRecord {
            retransmitted_packets: 15,
            retransmitted_bytes: 9_000,
            fec_packets: 50,
            fec_bytes: 32_500,
            rebuilt_packets: 5,
            media_packets: Some(200),
            media_bytes: Some(100_000),
            lost_packets: Some(20),
            missing_packets: Some(4),
            ..RepairRecord::default()
        };
        (cell.streams[0].repair, cell.streams[1].repair) = (Some(video), Some(video));
        cell.streams[6].repair = Some(RepairRecord {
            redundant_frames: 9,
            concealed_frames: 4,
            media_packets: Some(200),
            media_bytes: Some(8_000),
            lost_packets: Some(12),
            missing_packets: Some(12),
            ..RepairRecord::default()
        });
        cell
    }

    #[test]
    fn what_was_lost_came_again_or_was_rebuilt_or_is_missing() {
        let expected = RepairFigures {
            video_lost: Some(0.10),
            sent_again: Some(0.055),
            rebuilt: Some(0.025),
            missing: Some(0.02),
            // (18,000 + 65,000) / 200,000.
            overhead: Some(0.415),
            audio_lost: Some(0.06),
            redundant: Some(0.045),
            concealed: Some(0.02),
        };
        assert_eq!(RepairFigures::of(&repaired()), Some(expected));
    }

    #[test]
    fn a_call_that_lost_nothing_has_no_row_even_if_a_word_was_late() {
        let mut cell = cell();
        assert_eq!(RepairFigures::of(&cell), None);
        cell.streams[6].repair = Some(RepairRecord {
            concealed_frames: 3,
            media_packets: Some(200),
            lost_packets: Some(0),
            ..RepairRecord::default()
        });
        assert_eq!(RepairFigures::of(&cell), None);
    }

    #[test]
    fn of_older_records_only_is_known_what_they_say() {
        let mut cell = cell();
        cell.streams[0].repair = Some(RepairRecord {
            retransmitted_packets: 15,
            ..RepairRecord::default()
        });
        let figures = RepairFigures::of(&cell).expect("something was sent again");
        assert_eq!((figures.video_lost, figures.overhead), (None, None));
    }
}
