//! Codepoints in feedback, and when feedback was written.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::transport_feedbacks::cc_feedback_report::CcFeedbackReport;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;

use super::codepoints::Codepoints;
use crate::peer::interceptors::passes;

/// The Report Timestamp of RFC 8888 section 3.1 counts 1/65,536 s, in 32 bits.
const TICKS_PER_SECOND: u128 = 65_536;

/// When the latest feedback of the other end was written, on its clock.
#[derive(Clone, Debug, Default)]
pub struct ReportTime(Arc<Mutex<Option<u64>>>);

impl ReportTime {
    fn lock(&self) -> MutexGuard<'_, Option<u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Feedback with this timestamp came. It is within half of its range, nine hours, of the one
    /// before.
    pub fn note(&self, timestamp: u32) {
        let mut ticks = self.lock();
        *ticks = Some(match *ticks {
            // A range from zero, so that what arrived before it is not before zero.
            None => (1 << 32) + u64::from(timestamp),
            Some(before) => {
                let since = timestamp.wrapping_sub(before as u32) as i32;
                before.saturating_add_signed(i64::from(since))
            }
        });
    }

    /// From some fixed instant on.
    pub fn latest(&self) -> Option<Duration> {
        let ticks = u128::from((*self.lock())?);
        Some(Duration::from_nanos(
            (ticks * 1_000_000_000 / TICKS_PER_SECOND) as u64,
        ))
    }
}

/// Fills the codepoints of packets into RFC 8888 feedback on its way out, and notes the time of what
/// comes.
///
/// It belongs next to the wire: below what writes feedback, and before what reads it.
pub struct FeedbackCodepoints {
    codepoints: Codepoints,
    reported: ReportTime,
    inbound: VecDeque<TaggedPacket>,
    outbound: VecDeque<TaggedPacket>,
}

impl FeedbackCodepoints {
    /// Fills in `codepoints`, and says in `reported` when the latest feedback was written.
    pub fn new(codepoints: Codepoints, reported: ReportTime) -> Self {
        FeedbackCodepoints {
            codepoints,
            reported,
            inbound: VecDeque::new(),
            outbound: VecDeque::new(),
        }
    }

    fn filled(&self, report: &CcFeedbackReport) -> CcFeedbackReport {
        let mut report = report.clone();
        for block in &mut report.report_blocks {
            let ssrc = block.media_ssrc;
            for (place, metric) in (0..).zip(&mut block.metric_blocks) {
                if metric.received {
                    let sequence = block.begin_sequence.wrapping_add(place);
                    metric.ecn = self.codepoints.of(ssrc, sequence);
                }
            }
        }
        report
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for FeedbackCodepoints {
    passes!(queues);

    fn handle_read(&mut self, message: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(packets) = &message.message.packet {
            for packet in packets {
                if let Some(report) = packet.as_any().downcast_ref::<CcFeedbackReport>() {
                    self.reported.note(report.report_timestamp);
                }
            }
        }
        self.inbound.push_back(message);
        Ok(())
    }

    fn handle_write(&mut self, mut message: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(packets) = &mut message.message.packet {
            for packet in packets {
                let report = packet.as_any().downcast_ref::<CcFeedbackReport>();
                let filled = report.map(|report| self.filled(report));
                if let Some(filled) = filled {
                    *packet = Box::new(filled);
                }
            }
        }
        self.outbound.push_back(message);
        Ok(())
    }
}

impl Interceptor for FeedbackCodepoints {
    fn bind_local_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _info: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _info: &StreamInfo) {}
}

#[cfg(test)]
mod tests {
    use rtc::interceptor::AttributedPacket;
    use rtc::rtcp;
    use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
    use rtc::rtcp::transport_feedbacks::cc_feedback_report::{
        CcFeedbackMetricBlock, CcFeedbackReportBlock, Ecn,
    };

    use super::*;
    use crate::peer::congestion::epoch;

    fn metric(received: bool, ecn: Ecn) -> CcFeedbackMetricBlock {
        CcFeedbackMetricBlock {
            received,
            ecn,
            arrival_time_offset: if received { 5 } else { 0 },
        }
    }

    fn report(blocks: &[(u32, &[CcFeedbackMetricBlock])]) -> CcFeedbackReport {
        let block = |&(media_ssrc, metrics): &(u32, &[_])| CcFeedbackReportBlock {
            media_ssrc,
            begin_sequence: 65_534,
            metric_blocks: metrics.to_vec(),
        };
        CcFeedbackReport {
            sender_ssrc: 0,
            report_blocks: blocks.iter().map(block).collect(),
            report_timestamp: 0,
        }
    }

    fn compound(packets: Vec<Box<dyn rtcp::Packet>>) -> TaggedPacket {
        TaggedPacket {
            now: epoch(),
            transport: Default::default(),
            message: AttributedPacket::new(Packet::Rtcp(packets)),
        }
    }

    /// Two streams with the same sequence numbers, which wrap: 65,534, 65,535, 0 and 1.
    #[test]
    fn each_packet_that_arrived_has_the_codepoint_that_it_came_with() {
        let codepoints = Codepoints::default();
        codepoints.note(1, 65_534, Ecn::Ect0);
        codepoints.note(1, 65_535, Ecn::Ce);
        codepoints.note(1, 0, Ecn::Ce);
        codepoints.note(2, 0, Ecn::Ect1);
        let mut chain = FeedbackCodepoints::new(codepoints, ReportTime::default());
        let came = metric(true, Ecn::NotEct);
        let lost = metric(false, Ecn::NotEct);
        let written = report(&[(1, &[came, came, lost, came]), (2, &[came, came, came])]);
        let other = PictureLossIndication {
            sender_ssrc: 3,
            media_ssrc: 4,
        };
        let message = compound(vec![Box::new(other.clone()), Box::new(written)]);
        chain.handle_write(message).unwrap();
        let sent = chain.poll_write().unwrap().message.packet;
        let Packet::Rtcp(sent) = sent else {
            panic!("{sent:?}");
        };
        let [unchanged, filled] = &sent[..] else {
            panic!("{sent:?}");
        };
        assert!(unchanged.equal(&other));
        // What is lost carries nothing, though something of that number came once; what nobody saw
        // arrive is Not-ECT.
        let expected = report(&[
            (
                1,
                &[
                    metric(true, Ecn::Ect0),
                    metric(true, Ecn::Ce),
                    lost,
                    metric(true, Ecn::NotEct),
                ],
            ),
            (2, &[came, came, metric(true, Ecn::Ect1)]),
        ]);
        assert!(filled.equal(&expected), "{filled:?}");
    }

    #[test]
    fn time_goes_on_when_the_timestamp_wraps() {
        let reported = ReportTime::default();
        assert_eq!(reported.latest(), None);
        let mut chain = FeedbackCodepoints::new(Codepoints::default(), reported.clone());
        let mut read = |report_timestamp| {
            let written = CcFeedbackReport {
                report_timestamp,
                ..report(&[])
            };
            chain
                .handle_read(compound(vec![Box::new(written)]))
                .unwrap();
            assert!(chain.poll_read().is_some());
            reported.latest().unwrap()
        };
        // A second before the wrap, half a second after it, and what was overtaken by that.
        let first = read(0u32.wrapping_sub(65_536));
        assert_eq!(read(32_768) - first, Duration::from_millis(1_500));
        assert_eq!(read(16_384) - first, Duration::from_millis(1_250));
    }
}
