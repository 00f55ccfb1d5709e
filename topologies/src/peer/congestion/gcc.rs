//! Google congestion control on the stack's reports.

use std::time::Instant;

use rtc::interceptor::{
    ArrivalGroupAccumulator, BandwidthEstimator, EstimatorStats, PacketReport, Usage,
};
use scenarios::Threshold;

use super::acked::AckedRate;
use super::aimd::Aimd;
use super::coupled::Flow;
use super::loss::Losses;
use super::marks::Marks;
use super::overuse::OveruseDetector;
use super::trend::TrendLine;

/// How much faster than the estimate packets leave, so that a frame is out before the next one comes
/// (libwebrtc paces at 2.5).
pub const PACING: f64 = 1.5;

/// The most and the least that is estimated, bits per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// What is sent anyway.
    pub least_bps: f64,
    /// What is sent where nothing is in the way.
    pub desired_bps: f64,
    /// More than this nobody would send.
    pub most_bps: f64,
}

/// The estimator of `tuned`: draft-ietf-rmcat-gcc-02 with the trend line that took the place of its
/// filter in libwebrtc. What it takes of the stack are reports and groups of packets. A mark means
/// what overuse means: a queue that marks says with certainty what a trend suggests. To 85 % of what
/// arrives is also about what RFC 8511 section 3.1 has for TCP, whose window falls to 80 % of itself.
#[derive(Debug)]
pub struct TrendGcc {
    groups: ArrivalGroupAccumulator,
    trend: TrendLine,
    detector: OveruseDetector,
    acked: AckedRate,
    rate: Aimd,
    losses: Losses,
    marks: Marks,
    bounds: Bounds,
    /// Where connections share, this one's place among them.
    flow: Option<Flow>,
}

impl TrendGcc {
    /// An estimator that starts at `start_bps`.
    pub fn new(start_bps: f64, bounds: Bounds, threshold: Threshold) -> Self {
        let start_bps = start_bps.clamp(bounds.least_bps, bounds.most_bps);
        TrendGcc {
            groups: ArrivalGroupAccumulator::default(),
            trend: TrendLine::default(),
            detector: OveruseDetector::new(threshold),
            acked: AckedRate::default(),
            rate: Aimd::new(start_bps),
            losses: Losses::default(),
            marks: Marks::default(),
            bounds,
            flow: None,
        }
    }

    /// The same, sharing with others as `flow`.
    #[must_use]
    pub fn coupled(self, flow: Option<Flow>) -> Self {
        TrendGcc { flow, ..self }
    }

    /// What the path carries, bits per second of RTP packets with their headers.
    pub fn estimate_bps(&self) -> f64 {
        self.rate.target_bps()
    }

    fn report(&mut self, report: &PacketReport) {
        if let (true, Some(arrival)) = (report.arrived, report.arrival) {
            self.acked.add(arrival, report.size);
        }
        if let Some(delay) = self.groups.accumulate(report)
            && let Some(trend_ms) = self.trend.add(delay.at, delay.delta_ms)
        {
            self.detector.update(delay.at, trend_ms);
        }
    }
}

impl BandwidthEstimator for TrendGcc {
    fn on_reports(&mut self, now: Instant, reports: &[PacketReport]) {
        if reports.is_empty() {
            return;
        }
        for report in reports {
            self.report(report);
        }
        if let Some(flow) = &self.flow {
            self.rate.limit(flow.rate_bps());
        }
        let lost = reports.iter().filter(|report| !report.arrived).count();
        let factor = self.losses.update(now, lost, reports.len());
        let usage = match self.marks.call_for_less(reports) {
            true => Usage::Over,
            false => self.detector.usage(),
        };
        let may_grow = self.losses.are_low();
        if self.rate.update(now, usage, self.acked.bps(), may_grow) {
            self.marks.answered(now);
        }
        let target = self.rate.target_bps() * factor.unwrap_or(1.0);
        let Bounds {
            least_bps,
            most_bps,
            ..
        } = self.bounds;
        // What one sends beyond its share, since it sends it anyway, is nothing that it found.
        let own = target.min(most_bps);
        let target = self.flow.as_ref().map_or(own, |flow| flow.update(own));
        self.rate.limit(target.max(least_bps));
    }

    /// What the pacer sends at.
    fn target_bitrate(&self) -> f64 {
        PACING * self.estimate_bps()
    }

    fn stats(&self) -> EstimatorStats {
        let mut stats = EstimatorStats::default();
        stats.packet_loss = Some(self.losses.share());
        stats
    }
}
