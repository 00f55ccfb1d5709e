//! A model of a sender behind one bottleneck, for tests of estimators alone: much smaller than a
//! call, and independent of it.

use std::collections::VecDeque;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rtc::interceptor::{BandwidthEstimator, PacketReport};
use rtc::rtcp::transport_feedbacks::cc_feedback_report::Ecn;

/// Some instant: nothing but differences from it matter.
#[allow(clippy::disallowed_methods)]
pub fn epoch() -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    *EPOCH.get_or_init(Instant::now)
}

/// What is known of a packet that has just left.
pub fn report() -> PacketReport {
    PacketReport {
        ssrc: 1,
        id: 0,
        rtp_sequence_number: 0,
        is_twcc: true,
        twcc_sequence_number: 0,
        size: 0,
        arrived: false,
        departure: epoch(),
        arrival: None,
        ecn: Ecn::default(),
    }
}

/// A link with a drop-tail queue, 20 ms before it and 20 ms back.
pub struct Bottleneck {
    /// Bits per second, from each time in seconds on.
    pub rates: Vec<(f64, f64)>,
    /// What the queue holds, in ms at the current rate.
    pub buffer_ms: f64,
    /// Every so-manieth packet is lost beside that; 0 for none.
    pub lose_every: u64,
}

/// What one second of sending came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Second {
    /// Bits per second that arrived.
    pub arrived_bps: f64,
    /// The mean time in the queue, ms.
    pub queue_ms: f64,
}

/// Bytes of lower layers per packet: IPv4, UDP, SRTP.
const OVERHEAD: usize = 38;
const ONE_WAY: f64 = 0.02;
const TICK: f64 = 0.001;

struct Sender<'a> {
    link: &'a Bottleneck,
    busy_until: f64,
    in_flight: VecDeque<(f64, PacketReport)>,
    sent: u64,
    queues_ms: Vec<f64>,
}

/// Sends 50 packets of sound and 30 frames of video a second, as large as `encoder` says for an
/// estimate, for so many seconds, paced by the estimator's target. Feedback is sent every 100 ms.
pub fn drive(
    link: &Bottleneck,
    estimator: &mut dyn BandwidthEstimator,
    encoder: impl Fn(f64) -> f64,
    seconds: usize,
) -> Vec<Second> {
    let mut sender = Sender {
        link,
        busy_until: 0.0,
        in_flight: VecDeque::new(),
        sent: 0,
        queues_ms: Vec::new(),
    };
    let (mut waiting, mut budget) = (VecDeque::new(), 0.0);
    let mut feedback: VecDeque<(f64, Vec<PacketReport>)> = VecDeque::new();
    let mut result = vec![Second::default(); seconds];
    for tick in 0..seconds * 1_000 {
        let now = tick as f64 * TICK;
        while let Some((_, reports)) = feedback.pop_front_if(|(at, _)| *at <= now) {
            estimator.on_reports(epoch() + Duration::from_secs_f64(now), &reports);
        }
        let target = estimator.target_bitrate();
        if tick * 30 % 1_000 < 30 {
            // Frames differ in size by a third either way.
            let swing = 1.0 + 0.3 * ((tick as f64).sin());
            let bytes = (encoder(target) * swing / 30.0 / 8.0) as usize;
            waiting.extend(
                (0..bytes)
                    .step_by(1_160)
                    .map(|at| (bytes - at).min(1_160) + 20),
            );
        }
        if tick % 20 == 0 {
            waiting.push_back(100);
        }
        budget = (budget + target * TICK).min(12_000.0);
        while let Some(size) = waiting.pop_front_if(|size| *size as f64 * 8.0 <= budget) {
            budget -= size as f64 * 8.0;
            sender.send(now, size);
        }
        if tick % 100 == 0 {
            feedback.push_back((now + ONE_WAY, sender.arrived(now)));
            let bytes: usize = feedback
                .back()
                .into_iter()
                .flat_map(|(_, reports)| reports)
                .filter(|report| report.arrived)
                .map(|report| report.size + OVERHEAD)
                .sum();
            result[tick / 1_000].arrived_bps += bytes as f64 * 8.0;
        }
        if tick % 1_000 == 999 {
            let queues = std::mem::take(&mut sender.queues_ms);
            result[tick / 1_000].queue_ms = queues.iter().sum::<f64>() / queues.len() as f64;
        }
    }
    result
}

impl Sender<'_> {
    fn send(&mut self, now: f64, size: usize) {
        let rates = self.link.rates.iter().rev();
        let rate = rates
            .clone()
            .find(|(from, _)| *from <= now)
            .expect("a rate")
            .1;
        let queue_ms = (self.busy_until - now).max(0.0) * 1e3;
        self.queues_ms.push(queue_ms);
        let every = self.link.lose_every;
        let lost = every > 0 && self.sent.is_multiple_of(every);
        let mut arrival = None;
        if queue_ms <= self.link.buffer_ms {
            self.busy_until = self.busy_until.max(now) + ((size + OVERHEAD) * 8) as f64 / rate;
            arrival = Some(self.busy_until + ONE_WAY).filter(|_| !lost);
        }
        let report = PacketReport {
            id: self.sent,
            rtp_sequence_number: self.sent as u16,
            twcc_sequence_number: self.sent as u16,
            size,
            arrived: arrival.is_some(),
            departure: epoch() + Duration::from_secs_f64(now),
            // Feedback has quarters of a millisecond.
            arrival: arrival.map(|at| Duration::from_micros((at * 4e3).round() as u64 * 250)),
            ..report()
        };
        self.sent += 1;
        self.in_flight
            .push_back((arrival.unwrap_or(f64::INFINITY), report));
    }

    /// What feedback says now: all up to the latest packet that came.
    fn arrived(&mut self, now: f64) -> Vec<PacketReport> {
        let latest = self.in_flight.iter().rposition(|(at, _)| *at <= now);
        let reported = latest.map_or(0, |latest| latest + 1);
        self.in_flight
            .drain(..reported)
            .map(|(_, report)| report)
            .collect()
    }
}
