//! When packets arrived, by RFC 8888 feedback.

use std::time::{Duration, Instant};

use rtc::interceptor::{BandwidthEstimator, EstimatorStats, PacketReport};

use super::feedback::ReportTime;

/// The offset that stands for all longer ones: 0x1FFE of 1/1024 s (RFC 8888 section 3.1).
const TOO_OLD: Duration = Duration::from_nanos(0x1FFE * 1_000_000_000 / 1_024);

/// An estimator that is told when packets arrived.
///
/// RFC 8888 says how long before the report a packet arrived. The stack hands that on as its time of
/// arrival, so later packets seem to have come sooner: a trend of such times is none. All packets
/// that are reported at once are those of the feedback that came last.
pub struct OnReportTime<E> {
    inner: E,
    reported: ReportTime,
}

impl<E> OnReportTime<E> {
    /// Tells `inner` of times that are measured back from `reported`.
    pub fn new(inner: E, reported: ReportTime) -> Self {
        OnReportTime { inner, reported }
    }

    fn corrected(&self, report: &PacketReport) -> PacketReport {
        let known = report.arrival.filter(|before| *before < TOO_OLD);
        let arrival = known
            .zip(self.reported.latest())
            .map(|(before, at)| at.saturating_sub(before));
        PacketReport {
            arrival,
            ..report.clone()
        }
    }
}

impl<E: BandwidthEstimator> BandwidthEstimator for OnReportTime<E> {
    fn on_reports(&mut self, now: Instant, reports: &[PacketReport]) {
        let corrected: Vec<_> = reports.iter().map(|it| self.corrected(it)).collect();
        self.inner.on_reports(now, &corrected);
    }

    fn target_bitrate(&self) -> f64 {
        self.inner.target_bitrate()
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.inner.handle_timeout(now);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.inner.poll_timeout()
    }

    fn stats(&self) -> EstimatorStats {
        self.inner.stats()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use rtc::interceptor::{Acknowledgement, History, convert_ccfb};
    use rtc::rtcp::transport_feedbacks::cc_feedback_report::{
        CcFeedbackMetricBlock, CcFeedbackReport, CcFeedbackReportBlock, Ecn,
    };

    use super::*;
    use crate::peer::congestion::epoch;

    /// Keeps the times of arrival that it is told.
    #[derive(Clone, Default)]
    struct Arrivals(Arc<Mutex<Vec<Option<Duration>>>>);

    impl BandwidthEstimator for Arrivals {
        fn on_reports(&mut self, _now: Instant, reports: &[PacketReport]) {
            let arrivals = reports.iter().map(|report| report.arrival);
            self.0.lock().unwrap().extend(arrivals);
        }

        fn target_bitrate(&self) -> f64 {
            1.0
        }
    }

    fn metric(offset: u16) -> CcFeedbackMetricBlock {
        CcFeedbackMetricBlock {
            received: true,
            ecn: Ecn::NotEct,
            arrival_time_offset: offset,
        }
    }

    /// Packets 0, 1 and 2 arrive 512, 256 and 0 units of 1/1024 s before the report, 3 after it, 4 too
    /// long ago, and 5 not at all; 6 in the report after, a second later, 768 units before that.
    #[test]
    fn the_stack_has_times_before_the_report_and_the_estimator_gets_those_after_each_other() {
        let (mut history, reported) = (History::new(), ReportTime::default());
        let arrivals = Arrivals::default();
        let mut estimator = OnReportTime::new(arrivals.clone(), reported.clone());
        for number in 0..7 {
            history.add_outgoing(1, number, false, 0, 100, epoch());
        }
        let mut hear = |timestamp, begin_sequence, metric_blocks| {
            let feedback = CcFeedbackReport {
                sender_ssrc: 0,
                report_blocks: vec![CcFeedbackReportBlock {
                    media_ssrc: 1,
                    begin_sequence,
                    metric_blocks,
                }],
                report_timestamp: timestamp,
            };
            let (_, heard) = convert_ccfb(&feedback);
            for acknowledgement in &heard[&1] {
                let acknowledgement: Acknowledgement = *acknowledgement;
                history.on_ccfb_feedback(epoch(), 1, acknowledgement);
            }
            reported.note(timestamp);
            let reports = history.take_reports();
            let raw: Vec<_> = reports.iter().map(|report| report.arrival).collect();
            estimator.on_reports(epoch(), &reports);
            raw
        };
        let first = vec![
            metric(512),
            metric(256),
            metric(0),
            metric(0x1FFF),
            metric(0x1FFE),
        ];
        let raw = hear(65_536, 0, first);
        assert!(raw[0] > raw[1] && raw[1] > raw[2], "the defect: {raw:?}");
        hear(2 * 65_536, 6, vec![metric(768)]);
        let arrivals = arrivals.0.lock().unwrap().clone();
        let start = arrivals[0].unwrap();
        let after: Vec<_> = arrivals
            .iter()
            .map(|arrival| arrival.map(|at| (at - start).as_millis()))
            .collect();
        let expected = [Some(0), Some(250), Some(500), None, None, None, Some(750)];
        assert_eq!(after, expected);
    }
}
