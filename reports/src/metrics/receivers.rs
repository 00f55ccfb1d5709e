//! What the receivers of one group see: the figures of a cell, a row per group.

use super::figures::{fps, kbps, mean, streams, weighted_mean, window_ms};
use crate::record::{CellRecord, HostRecord, Kind, StreamRecord};

/// What the participants of one group that receive pictures are shown, in the measured window.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceiverFigures {
    /// The group of the scenario, or the host where it has none.
    pub group: String,
    /// How many participants of it receive pictures.
    pub receivers: u64,
    /// Width at which pictures shown were decoded, mean over pictures.
    pub width_px_mean: Option<f64>,
    /// Pictures shown per second, mean over streams.
    pub fps_mean: Option<f64>,
    /// Share of the time that streams stood still, 0 to 1.
    pub freeze_ratio: Option<f64>,
    /// Luma PSNR, mean over pictures, dB.
    pub psnr_db_mean: Option<f64>,
    /// Luma SSIM, likewise.
    pub ssim_mean: Option<f64>,
    /// What the access link of one of them delivered, mean over them, thousands of bits per second.
    pub down_kbps_mean: Option<f64>,
}

impl ReceiverFigures {
    /// The groups of a cell of which somebody receives pictures, in the order of hosts.
    pub fn all(record: &CellRecord) -> Vec<Self> {
        let sees = |host: &&HostRecord| {
            streams(record, Kind::Video).any(|stream| stream.receiver == host.name)
        };
        let mut groups: Vec<(&str, Vec<&HostRecord>)> = Vec::new();
        for host in record.hosts.iter().filter(sees) {
            let name = host.group.as_deref().unwrap_or(&host.name);
            match groups.iter_mut().find(|(group, _)| *group == name) {
                Some((_, members)) => members.push(host),
                None => groups.push((name, vec![host])),
            }
        }
        let of = |(group, members): &(&str, Vec<&HostRecord>)| Self::of(record, group, members);
        groups.iter().map(of).collect()
    }

    fn of(record: &CellRecord, group: &str, members: &[&HostRecord]) -> Self {
        let is_theirs =
            |stream: &&StreamRecord| members.iter().any(|host| host.name == stream.receiver);
        let all: Vec<_> = streams(record, Kind::Video).filter(is_theirs).collect();
        let by_picture = |of: fn(&StreamRecord) -> Option<f64>| {
            let each = all.iter();
            weighted_mean(each.filter_map(|stream| Some((of(stream)?, stream.frames_rendered))))
        };
        let frozen = |window: f64| mean(all.iter().map(|stream| stream.freeze_ms / window));
        let down = members.iter();
        ReceiverFigures {
            group: group.to_owned(),
            receivers: members.len() as u64,
            width_px_mean: by_picture(|stream| stream.width_px_mean),
            fps_mean: mean(all.iter().filter_map(|stream| fps(record, stream))),
            freeze_ratio: window_ms(record).and_then(frozen),
            psnr_db_mean: by_picture(|stream| stream.psnr_db_mean),
            ssim_mean: by_picture(|stream| stream.ssim_mean),
            down_kbps_mean: mean(down.filter_map(|host| kbps(record, host.window_down.bytes))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::cell;

    #[test]
    fn a_group_is_what_its_receivers_were_shown() {
        let mut cell = cell();
        cell.hosts[2].group = Some("mobile".to_owned());
        for (place, width) in [(0, 640.0), (1, 640.0), (2, 320.0), (3, 160.0)] {
            cell.streams[place].width_px_mean = Some(width);
        }
        let [home, mobile] = &ReceiverFigures::all(&cell)[..] else {
            panic!("two groups");
        };
        // a and b are at home. They get 300 pictures from each other and 150 from c at a, and none
        // from c at b: (300 + 300 + 150 + 0) / 10 s / 4 streams; one stream of four froze for 3 of
        // 10 s. 600 pictures of 640 px and 150 of 160 are 544 px, 600 of 40 dB and 150 of 30 dB are
        // 38 dB, 600 of 0.98 and 150 of 0.90 are 0.964.
        assert_eq!((home.group.as_str(), home.receivers), ("home", 2));
        assert_eq!(home.width_px_mean, Some(544.0));
        assert_eq!(home.fps_mean, Some(18.75));
        assert_eq!(home.freeze_ratio, Some(0.075));
        assert_eq!(home.psnr_db_mean, Some(38.0));
        assert!((home.ssim_mean.unwrap() - 0.964).abs() < 1e-12);
        // 125 kB and 250 kB in 10 s are 100 and 200 kbps.
        assert_eq!(home.down_kbps_mean, Some(150.0));
        // c gets 270 from a, and nothing from b.
        assert_eq!((mobile.group.as_str(), mobile.receivers), ("mobile", 1));
        assert_eq!(mobile.fps_mean, Some(13.5));
        let seen = (mobile.width_px_mean, mobile.psnr_db_mean);
        assert_eq!(seen, (Some(320.0), Some(36.0)));
    }

    #[test]
    fn who_receives_no_pictures_is_no_receiver() {
        let mut cell = cell();
        cell.hosts[2].group = None;
        cell.streams.retain(|stream| stream.receiver != "b");
        let all = ReceiverFigures::all(&cell);
        let groups: Vec<_> = all
            .iter()
            .map(|of| (of.group.as_str(), of.receivers))
            .collect();
        // a alone is left at home, and c has no group.
        assert_eq!(groups, [("home", 1), ("c", 1)]);
        cell.streams.retain(|stream| stream.kind == Kind::Audio);
        assert_eq!(ReceiverFigures::all(&cell), []);
    }
}
