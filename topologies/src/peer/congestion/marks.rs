//! What marks of queues call for (RFC 3168).

use std::time::Instant;

use rtc::interceptor::PacketReport;
use rtc::rtcp::transport_feedbacks::cc_feedback_report::Ecn;

/// Which marks are answered.
///
/// One in a window of data is (RFC 3168 section 6.1.2, which RFC 6679 section 7.3.3 takes over for
/// RTP): packets that left before an answer could not know of it, so their marks are the same news
/// again.
#[derive(Debug, Default)]
pub struct Marks {
    answered: Option<Instant>,
}

impl Marks {
    /// Whether packets that are reported have a mark that is to be answered.
    pub fn call_for_less(&self, reports: &[PacketReport]) -> bool {
        let is_news = |report: &PacketReport| {
            let answered = self.answered;
            report.ecn == Ecn::Ce && answered.is_none_or(|answered| report.departure > answered)
        };
        reports.iter().any(is_news)
    }

    /// The rate was decreased at `now`.
    pub fn answered(&mut self, now: Instant) {
        self.answered = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::bottleneck::{epoch, report};
    use super::*;

    #[test]
    fn marks_of_packets_that_left_before_the_answer_are_no_news() {
        let at = |ms| epoch() + Duration::from_millis(ms);
        let packet = |left_ms, ecn| PacketReport {
            departure: at(left_ms),
            ecn,
            ..report()
        };
        let mut marks = Marks::default();
        let quiet = [
            packet(0, Ecn::NotEct),
            packet(1, Ecn::Ect0),
            packet(2, Ecn::Ect1),
        ];
        assert!(!marks.call_for_less(&quiet));
        let several = [
            packet(90, Ecn::Ce),
            packet(91, Ecn::Ect0),
            packet(92, Ecn::Ce),
        ];
        assert!(marks.call_for_less(&several));
        // Nothing came of it yet.
        assert!(marks.call_for_less(&several));
        marks.answered(at(200));
        // What was on its way then, and what left at that very instant.
        assert!(!marks.call_for_less(&[packet(150, Ecn::Ce), packet(200, Ecn::Ce)]));
        assert!(marks.call_for_less(&[packet(150, Ecn::Ce), packet(201, Ecn::Ce)]));
    }
}
