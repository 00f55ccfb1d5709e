//! Links that change over time, against closed forms and independent models.

use std::time::Duration;

use proptest::prelude::*;
use sim::{
    Change, DeliveryTrace, JitterConfig, LinkDrop, LinkError, LossConfig, Pipe, PipeChange,
    PipeConfig, PipeStreams, Reorder, Seed, Time, TraceError, Verdict,
};

const MS: u64 = 1_000_000;

/// A pipe of this rate with these changes, each at a time in nanoseconds.
fn pipe(rate_bps: Option<u64>, changes: &[(u64, Change)]) -> Pipe {
    let config = PipeConfig {
        rate_bps,
        ..PipeConfig::default()
    };
    let mut pipe = Pipe::new(config, PipeStreams::new(Seed(1), "link/0/up")).expect("valid");
    let change = |(at, what): &(u64, Change)| PipeChange {
        at: Time::from_nanos(*at),
        what: what.clone(),
    };
    let changes: Vec<_> = changes.iter().map(change).collect();
    pipe.follow(&changes).expect("valid");
    pipe
}

fn step(to_bps: u64) -> Change {
    ramp(to_bps, Duration::ZERO)
}

fn ramp(to_bps: u64, over: Duration) -> Change {
    Change::Rate {
        to_bps: Some(to_bps),
        over,
    }
}

fn trace(text: &str) -> Change {
    Change::Trace(DeliveryTrace::parse(text).expect("a trace"))
}

/// When a packet arrives that enters at `now`, in nanoseconds.
fn arrival(pipe: &mut Pipe, now: u64, bytes: u32) -> u64 {
    match pipe.offer(Time::from_nanos(now), bytes) {
        Verdict::Deliver { at } => at.as_nanos(),
        verdict => panic!("not delivered: {verdict:?}"),
    }
}

#[test]
fn a_packet_in_service_goes_on_at_the_new_rate() {
    // 12,000 bits at 1 Mbit/s. After 5 ms 5,000 are sent; 7,000 at 2 Mbit/s take 3.5 ms more. The
    // next packet is sent at the new rate alone, in 6 ms.
    let mut up = pipe(Some(1_000_000), &[(5 * MS, step(2_000_000))]);
    assert_eq!(arrival(&mut up, 0, 1_500), 8_500_000);
    assert_eq!(arrival(&mut up, 0, 1_500), 14_500_000);
    // Down to 0.5 Mbit/s the 7,000 bits take 14 ms.
    let mut down = pipe(Some(1_000_000), &[(5 * MS, step(500_000))]);
    assert_eq!(arrival(&mut down, 0, 1_500), 19 * MS);
    // Three rates in one packet: 5,000 bits, then 2,000 in 1 ms, then 5,000 at 0.5 Mbit/s.
    let steps = [(5 * MS, step(2_000_000)), (6 * MS, step(500_000))];
    assert_eq!(
        arrival(&mut pipe(Some(1_000_000), &steps), 0, 1_500),
        16 * MS
    );
}

#[test]
fn a_change_of_rate_leaves_no_drift() {
    // 3 Mbit/s for 1 ms are 3,000 bits; then packet k of a burst ends when 12,000 k - 3,000 bits
    // are sent at 7 Mbit/s, at 1 ms + (12,000 k - 3,000) / 7e6 s, rounded up to the nanosecond.
    let mut pipe = pipe(Some(3_000_000), &[(MS, step(7_000_000))]);
    for k in 1..=100_000_u64 {
        let expected = MS + ((12_000 * k - 3_000) * 1_000).div_ceil(7);
        assert_eq!(arrival(&mut pipe, 0, 1_500), expected, "packet {k}");
    }
}

#[test]
fn a_link_without_a_limit_is_done_at_once() {
    // What is left when the limit falls is sent just then; and from when it is back on, 12,000 bits
    // take 12 ms again.
    let free = Change::Rate {
        to_bps: None,
        over: Duration::ZERO,
    };
    let changes = [(5 * MS, free), (30 * MS, step(1_000_000))];
    let mut pipe = pipe(Some(1_000_000), &changes);
    let arrivals = [0, 0, 10 * MS, 30 * MS].map(|now| arrival(&mut pipe, now, 1_500));
    assert_eq!(arrivals, [5 * MS, 5 * MS, 10 * MS, 42 * MS]);
}

#[test]
fn a_ramp_carries_what_the_line_carries() {
    // From 1 to 3 Mbit/s in 1 s: b bits are sent at t = (sqrt(1 + 4 b / 1e6) - 1) / 2 s, as
    // t + t^2 Mbit are sent by then. Steps of 10 ms are off the line by slope * (10 ms)^2 / 8 =
    // 25 bits at most, which take 25 us at 1 Mbit/s. At the ends of steps they are not off at all:
    // all 2 Mbit are sent at 1 s.
    let mut pipe = pipe(
        Some(1_000_000),
        &[(0, ramp(3_000_000, Duration::from_secs(1)))],
    );
    for k in 1..=250 {
        let at = arrival(&mut pipe, 0, 1_000);
        let line = ((1.0 + 4.0 * 0.008 * f64::from(k)).sqrt() - 1.0) / 2.0;
        let off = at as f64 / 1e9 - line;
        assert!(off.abs() <= 25.1e-6, "packet {k} is {off} s off the line");
        if k == 250 {
            assert_eq!(at, 1_000 * MS);
        }
    }
    // Then 3 Mbit/s: 8,000 bits in 2.67 ms.
    assert_eq!(arrival(&mut pipe, 0, 1_000), 1_002_666_667);
}

#[test]
fn a_change_ends_a_ramp_where_it_is() {
    // From 1 towards 3 Mbit/s, but after half of the second back to 1 Mbit/s, which takes 0.5 s:
    // up to 2 Mbit/s and down again, 0.75 Mbit each way. The 187th packet of 1,000 bytes ends
    // 4,000 bits before the end of the second ramp, in its last step. There the slope is 2 Mbit/s
    // in a second, and 5 ms before the end the rate is 1.01 Mbit/s: 3,960,396.04 ns before.
    let second = Duration::from_secs(1);
    let changes = [
        (0, ramp(3_000_000, second)),
        (500 * MS, ramp(1_000_000, second / 2)),
    ];
    let mut pipe = pipe(Some(1_000_000), &changes);
    let last = (0..187).map(|_| arrival(&mut pipe, 0, 1_000)).last();
    assert_eq!(last, Some(1_000 * MS - 3_960_396));
}

#[test]
fn delay_jitter_and_loss_are_those_of_when_a_packet_leaves() {
    // At 1 Mbit/s packets of 125 bytes leave at 1, 2, 3 ms and so on. The delay is 5 ms from 2 ms
    // on, and nothing arrives of what leaves from 4 ms up to 6 ms.
    let all = LossConfig::Bernoulli { probability: 1.0 };
    let changes = [
        (2 * MS, Change::Delay(Duration::from_millis(5))),
        (4 * MS, Change::Loss(all)),
        (6 * MS, Change::Loss(LossConfig::None)),
    ];
    let mut pipe = pipe(Some(1_000_000), &changes);
    let verdicts: Vec<_> = (0..6).map(|_| pipe.offer(Time::ZERO, 125)).collect();
    let deliver = |millis| Verdict::Deliver {
        at: Time::from_millis(millis),
    };
    let lost = Verdict::Drop(LinkDrop::Loss);
    let expected = [deliver(1), deliver(7), deliver(8), lost, lost, deliver(11)];
    assert_eq!(verdicts, expected);
}

#[test]
fn jitter_begins_when_it_is_said() {
    let jitter = JitterConfig {
        std: Duration::from_millis(3),
        reorder: Reorder::Allow,
    };
    let mut pipe = pipe(None, &[(10 * MS, Change::Jitter(jitter))]);
    let late = |now| (arrival(&mut pipe, now * MS, 100) - now * MS) as f64 / 1e6;
    let late: Vec<f64> = (0..110).map(late).collect();
    assert!(late[..10].iter().all(|ms| *ms == 0.0));
    // Half-normal: the mean of 100 is 0.8 * 3 = 2.4 ms, with a standard error of 0.18 ms.
    let mean = late[10..].iter().sum::<f64>() / 100.0;
    assert!((1.5..3.3).contains(&mean), "{mean} ms");
}

#[test]
fn a_buffer_is_as_large_as_when_a_packet_enters() {
    // A second of room at first, from 1 ms on for one packet of 1,500 bytes.
    let mut pipe = pipe(Some(8_000), &[(MS, Change::Buffer(Some(1_500)))]);
    assert_ne!(
        pipe.offer(Time::ZERO, 1_500),
        Verdict::Drop(LinkDrop::BufferFull)
    );
    assert_ne!(
        pipe.offer(Time::ZERO, 1_500),
        Verdict::Drop(LinkDrop::BufferFull)
    );
    let full = Verdict::Drop(LinkDrop::BufferFull);
    assert_eq!(pipe.offer(Time::from_millis(1), 28), full);
}

#[test]
fn impossible_changes_are_refused() {
    let mut pipe = pipe(None, &[]);
    let mut refusal = |what| {
        let at = Time::ZERO;
        pipe.follow(&[PipeChange { at, what }])
            .expect_err("impossible")
    };
    assert_eq!(refusal(step(0)), LinkError::ZeroRate);
    assert_eq!(
        refusal(Change::Buffer(Some(99))),
        LinkError::SmallBuffer(99)
    );
    let loss = LossConfig::Bernoulli { probability: 2.0 };
    assert!(matches!(
        refusal(Change::Loss(loss)),
        LinkError::Probability { .. }
    ));
    assert!(pipe.is_ideal(), "nothing has changed");
}

#[test]
fn a_trace_delivers_1500_bytes_at_each_of_its_times() {
    // A full packet each at 10, 20, 20 and 40 ms, and again from 40 ms on.
    let text = "10\n20\n20\n40\n";
    let mut full = pipe(None, &[(0, trace(text))]);
    let arrivals = [(); 8].map(|()| arrival(&mut full, 0, 1_500) / MS);
    assert_eq!(arrivals, [10, 20, 20, 40, 50, 60, 60, 80]);
    // Three small ones fit into one opportunity. Of two of 1,000 bytes the second one takes what is
    // left of the first opportunity and 500 bytes of the next, which leaves 1,000 for the third.
    let mut small = pipe(None, &[(0, trace(text))]);
    let arrivals = [(); 4].map(|()| arrival(&mut small, 0, 500) / MS);
    assert_eq!(arrivals, [10, 10, 10, 20]);
    let mut odd = pipe(None, &[(0, trace(text))]);
    let arrivals = [(); 4].map(|()| arrival(&mut odd, 0, 1_000) / MS);
    assert_eq!(arrivals, [10, 20, 20, 20]);
}

#[test]
fn an_opportunity_that_finds_nobody_is_lost() {
    // Also for what comes just then, and what is left of one that is used in part.
    let mut pipe = pipe(None, &[(0, trace("10\n20\n30"))]);
    assert_eq!(arrival(&mut pipe, 10 * MS, 100), 20 * MS);
    assert_eq!(arrival(&mut pipe, 20 * MS, 100), 30 * MS);
    assert_eq!(arrival(&mut pipe, 3_000 * MS - 1, 1_500), 3_000 * MS);
    assert_eq!(arrival(&mut pipe, 3_000 * MS, 1_500), 3_010 * MS);
}

#[test]
fn a_packet_may_be_sent_at_a_rate_in_part_and_by_a_trace_in_part() {
    // At 1 Mbit/s 625 bytes are sent in 5 ms, then a trace begins: 875 bytes at 5 + 10 ms, which
    // leaves 625 there. The next packet needs 875 more, at 5 + 20 ms. Of the third, 625 bytes are
    // sent then and 875 are left when a rate takes over at 30 ms: 7 ms at 1 Mbit/s.
    let changes = [(5 * MS, trace("10\n20\n100")), (30 * MS, step(1_000_000))];
    let mut pipe = pipe(Some(1_000_000), &changes);
    let arrivals = [(); 4].map(|()| arrival(&mut pipe, 0, 1_500) / MS);
    assert_eq!(arrivals, [15, 25, 37, 49]);
}

#[test]
fn what_is_not_a_trace_says_where() {
    let error = |text| DeliveryTrace::parse(text).expect_err("not a trace");
    let not_a_time = |line, text: &str| TraceError::NotATime {
        line,
        text: text.to_owned(),
    };
    assert_eq!(error("1\n\n2"), not_a_time(2, ""));
    assert_eq!(error("1\n1.5"), not_a_time(2, "1.5"));
    assert_eq!(error("86400001"), not_a_time(1, "86400001"));
    let backwards = TraceError::Backwards {
        line: 3,
        millis: 4,
        before: 5,
    };
    assert_eq!(error("1\n5\n4"), backwards);
    assert_eq!(error(""), TraceError::Empty);
    assert_eq!(error("0\n0"), TraceError::Empty);
    // Three packets in 12 ms: 36,000 bits in 12 ms are 3 Mbit/s.
    let trace = DeliveryTrace::parse("0\n5\n12\n").expect("a trace");
    assert_eq!((trace.opportunities(), trace.mean_bps()), (3, 3e6));
}

/// The end of service from the integral of the rate: a busy period that begins at `s` has sent all
/// of its work at the first `t` at which the link could have sent as much since `s`.
struct Integral {
    /// Each rate with the time from which it holds; the first from 0.
    rates: Vec<(u64, u64)>,
    begun: u64,
    work: u128,
    end: u64,
}

impl Integral {
    fn capacity(&self, to: u64) -> u128 {
        let ends = self.rates[1..].iter().map(|(from, _)| *from);
        let stretches = self.rates.iter().zip(ends.chain([u64::MAX]));
        let sent = stretches.map(|((from, rate), until)| {
            let (from, until) = (self.begun.max(*from), to.min(until));
            u128::from(until.saturating_sub(from)) * u128::from(*rate)
        });
        sent.sum()
    }

    fn send(&mut self, now: u64, bytes: u32) -> u64 {
        if now >= self.end {
            (self.begun, self.work) = (now, 0);
        }
        self.work += u128::from(bytes) * 8_000_000_000;
        let (mut low, mut high) = (self.begun, 1 << 62);
        while low < high {
            let middle = low.midpoint(high);
            match self.capacity(middle) >= self.work {
                true => high = middle,
                false => low = middle + 1,
            }
        }
        self.end = low;
        low
    }
}

/// The link of Mahimahi once more, from what its manual says: at each opportunity what waits is
/// sent, first in first out, up to 1,500 bytes.
fn mahimahi(times: &[u64], packets: &[(u64, u32)]) -> Vec<u64> {
    let mut left: Vec<u32> = packets.iter().map(|(_, bytes)| *bytes).collect();
    let mut ends = Vec::new();
    for number in 0.. {
        let round = number / times.len() as u64 as usize;
        let at = (round as u64 * times[times.len() - 1] + times[number % times.len()]) * MS;
        let mut room = 1_500;
        while ends.len() < packets.len() && packets[ends.len()].0 < at && room > 0 {
            let first = &mut left[ends.len()];
            let used = room.min(*first);
            (*first, room) = (*first - used, room - used);
            if *first == 0 {
                ends.push(at);
            }
        }
        if ends.len() == packets.len() {
            break;
        }
    }
    ends
}

/// Times in nanoseconds and sizes, in order, from back to back to far apart.
fn packets() -> impl Strategy<Value = Vec<(u64, u32)>> {
    let gap = prop_oneof![Just(0), 0..200_000u64, (0..40u64).prop_map(|ms| ms * MS)];
    prop::collection::vec((gap, 28..=1_500u32), 1..200).prop_map(|gaps| {
        let at = |now: &mut u64, (gap, bytes)| {
            *now += gap;
            Some((*now, bytes))
        };
        gaps.into_iter().scan(0, at).collect()
    })
}

proptest! {
    #[test]
    fn every_packet_ends_where_the_integral_of_the_rate_says(
        first in 10_000..1_000_000_000u64,
        steps in prop::collection::vec((0..300_000_000u64, 10_000..1_000_000_000u64), 0..20),
        packets in packets(),
    ) {
        let mut rates = vec![(0, first)];
        for (gap, rate) in steps {
            rates.push((rates[rates.len() - 1].0 + gap, rate));
        }
        let changes: Vec<_> = rates[1..].iter().map(|(at, rate)| (*at, step(*rate))).collect();
        let mut pipe = pipe(Some(first), &changes);
        let mut model = Integral { rates, begun: 0, work: 0, end: 0 };
        for (now, bytes) in packets {
            prop_assert_eq!(arrival(&mut pipe, now, bytes), model.send(now, bytes));
        }
    }

    #[test]
    fn a_trace_delivers_when_mahimahi_does(
        gaps in prop::collection::vec(0..30u64, 1..40),
        packets in packets(),
    ) {
        let times: Vec<u64> = gaps.iter().scan(1, |at, gap| { *at += gap; Some(*at) }).collect();
        let text: Vec<_> = times.iter().map(u64::to_string).collect();
        let mut pipe = pipe(None, &[(0, trace(&text.join("\n")))]);
        let ends: Vec<_> = packets.iter().map(|(at, n)| arrival(&mut pipe, *at, *n)).collect();
        prop_assert_eq!(ends, mahimahi(&times, &packets));
    }
}
