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
    /// Whether packets that are reported at `now` have a mark that is to be answered.
    pub fn call_for_less(&mut self, now: Instant, reports: &[PacketReport]) -> bool {
        let since = self.answered;
        let is_news = |report: &PacketReport| {
            report.ecn == Ecn::Ce && since.is_none_or(|answered| report.departure > answered)
        };
        let news = reports.iter().any(is_news);
        if news {
            self.answered = Some(now);
        }
        news
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
        assert!(!marks.call_for_less(at(100), &quiet));
        let several = [
            packet(90, Ecn::Ce),
            packet(91, Ecn::Ect0),
            packet(92, Ecn::Ce),
        ];
        assert!(marks.call_for_less(at(200), &several));
        // What was on its way then, and what left at that very instant.
        assert!(!marks.call_for_less(at(300), &[packet(150, Ecn::Ce), packet(200, Ecn::Ce)]));
        assert!(marks.call_for_less(at(400), &[packet(150, Ecn::Ce), packet(201, Ecn::Ce)]));
    }
}
