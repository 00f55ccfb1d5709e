//! A row of the table.

use std::fmt;

use crate::sound::Damage;
use reports::record::{CellRecord, Kind, RepairRecord, StreamRecord};

/// What came of a call, both directions together.
#[derive(Clone, Debug)]
pub struct Row {
    /// What was on.
    pub repair: &'static str,
    /// Loss on the way to each participant, percent.
    pub loss_pct: u32,
    /// Of what was shown, dB, mean.
    pub psnr_db: f64,
    /// Of what was shown, mean.
    pub ssim: f64,
    /// Pictures, of those sent.
    pub shown_pct: f64,
    /// How often the picture stood still.
    pub freezes: u64,
    /// For which share of the time.
    pub frozen_pct: f64,
    /// Bytes of repairs on the wire by bytes that encoders made.
    pub overhead_pct: f64,
    /// From camera to display, mean, ms.
    pub latency_ms: f64,
    /// The mean of both directions' 95th percentiles, ms.
    pub latency_p95_ms: f64,
    /// 20 ms of sound that were guessed, of those sent.
    pub filled_in_pct: f64,
}

impl Row {
    /// The head of the table of playout buffers.
    pub const PLAYOUT_HEAD: &str = "| playout | loss | shown | freezes | frozen | latency, mean, ms \
                                    | 95th percentile, ms |\n|---|---|---|---|---|---|---|";

    /// The row in that table.
    pub fn of_playout(&self) -> String {
        format!(
            "| {} | {} % | {:.1} % | {} | {:.1} % | {:.0} | {:.0} |",
            self.repair,
            self.loss_pct,
            self.shown_pct,
            self.freezes,
            self.frozen_pct,
            self.latency_ms,
            self.latency_p95_ms,
        )
    }

    /// The head of the table.
    pub const HEAD: &str = "| repair | loss | PSNR, dB | SSIM | shown | freezes | frozen | overhead \
                            | latency, ms | sound filled in |\n|---|---|---|---|---|---|---|---|---|---|";

    /// The row of a call.
    pub fn of(repair: &'static str, loss_pct: u32, record: &CellRecord) -> Self {
        let of = |kind| {
            let streams = record.streams.iter();
            streams.filter(move |stream| stream.kind == kind)
        };
        let sum = |kind, value: &dyn Fn(&StreamRecord) -> f64| of(kind).map(value).sum::<f64>();
        let video = |value: &dyn Fn(&StreamRecord) -> f64| sum(Kind::Video, value);
        let streams = of(Kind::Video).count() as f64;
        let repairs = |stream: &StreamRecord| stream.repair.unwrap_or_default();
        let bytes = |repair: RepairRecord| (repair.retransmitted_bytes + repair.fec_bytes) as f64;
        let window_ms = record.window_to_ms - record.window_from_ms;
        Row {
            repair,
            loss_pct,
            psnr_db: video(&|s| s.psnr_db_mean.unwrap_or(f64::NAN)) / streams,
            ssim: video(&|s| s.ssim_mean.unwrap_or(f64::NAN)) / streams,
            shown_pct: 100.0 * video(&|s| s.frames_rendered as f64)
                / video(&|s| s.frames_sent as f64),
            freezes: of(Kind::Video).map(|s| s.freezes).sum(),
            frozen_pct: 100.0 * video(&|s| s.freeze_ms) / streams / window_ms,
            overhead_pct: 100.0 * video(&|s| bytes(repairs(s)))
                / video(&|s| s.encoded_bytes as f64),
            latency_ms: video(&|s| s.latency_us.mean().unwrap_or(f64::NAN)) / streams / 1_000.0,
            latency_p95_ms: video(&|s| s.latency_us.quantile(0.95).unwrap_or(f64::NAN))
                / streams
                / 1_000.0,
            filled_in_pct: 100.0 * sum(Kind::Audio, &|s| repairs(s).concealed_frames as f64)
                / sum(Kind::Audio, &|s| s.frames_sent as f64),
        }
    }
}

/// As in a table of Markdown.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "| {} | {} % | {:.1} | {:.3} | {:.1} % | {} | {:.1} % | {:.1} % | {:.0} | {:.1} % |",
            self.repair,
            self.loss_pct,
            self.psnr_db,
            self.ssim,
            self.shown_pct,
            self.freezes,
            self.frozen_pct,
            self.overhead_pct,
            self.latency_ms,
            self.filled_in_pct,
        )
    }
}

/// What came of the sound of a call without pictures, both directions together.
#[derive(Clone, Debug)]
pub struct SoundRow {
    /// What was on.
    pub repair: &'static str,
    /// Loss on the way to each participant, percent.
    pub loss_pct: u32,
    /// Packets that did not come, of those sent.
    pub lost_pct: f64,
    /// 20 ms of sound that were taken from the packet after them, of those sent.
    pub recovered_pct: f64,
    /// 20 ms of sound that were guessed, or silent, of those sent.
    pub missing_pct: f64,
    /// Of the codec alone, with the same repairs.
    pub damage: Damage,
}

impl SoundRow {
    /// The head of the table.
    pub const HEAD: &str = "| repair of sound | loss | lost | from the next packet | guessed or silent \
                            | segmental SNR, dB | spectral distance, dB |\n|---|---|---|---|---|---|---|";

    /// The row of a call.
    pub fn of(repair: &'static str, loss_pct: u32, record: &CellRecord, damage: Damage) -> Self {
        let streams = || record.streams.iter().filter(|s| s.kind == Kind::Audio);
        let sum = |value: &dyn Fn(&StreamRecord) -> u64| streams().map(value).sum::<u64>() as f64;
        let repairs = |stream: &StreamRecord| stream.repair.unwrap_or_default();
        let sent = sum(&|s| s.packets_sent);
        SoundRow {
            repair,
            loss_pct,
            lost_pct: 100.0 * (sent - sum(&|s| s.packets_received)) / sent,
            recovered_pct: 100.0 * sum(&|s| repairs(s).redundant_frames) / sent,
            missing_pct: 100.0 * sum(&|s| repairs(s).concealed_frames) / sent,
            damage,
        }
    }
}

/// As in a table of Markdown.
impl fmt::Display for SoundRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "| {} | {} % | {:.1} % | {:.1} % | {:.1} % | {:.1} | {:.2} |",
            self.repair,
            self.loss_pct,
            self.lost_pct,
            self.recovered_pct,
            self.missing_pct,
            self.damage.snr_db,
            self.damage.distance_db,
        )
    }
}
