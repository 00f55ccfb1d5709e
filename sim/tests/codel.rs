//! CoDel against the pseudo-code of RFC 8289, and against what it promises.

use std::collections::VecDeque;

use proptest::prelude::*;
use sim::{Ecn, LinkDrop, Pipe, PipeConfig, PipeStreams, Queue, Seed, Time, Verdict};

const MS: u64 = 1_000_000;

/// When a packet entered, its bytes, and when it was sent, or `None` if it was dropped.
type Fate = (u64, u32, Option<u64>);

fn pipe(rate_bps: u64, queue: Queue, buffer_bytes: Option<u64>) -> Pipe {
    let config = PipeConfig {
        rate_bps: Some(rate_bps),
        buffer_bytes,
        queue,
        ..PipeConfig::default()
    };
    Pipe::new(config, PipeStreams::new(Seed(1), "link/0/up")).expect("valid")
}

/// Offers packets to a pipe, and serves it whenever it is due.
fn fates(pipe: Pipe, packets: impl IntoIterator<Item = (u64, u32)>) -> Vec<Fate> {
    let mut run = Run::of(pipe);
    run.offer(packets, |_| Ecn::NotEct);
    run.fates
}

/// A pipe in use.
struct Run {
    pipe: Pipe,
    line: VecDeque<(u64, u32)>,
    fates: Vec<Fate>,
    /// When each of the packets was taken from the queue that were marked.
    marked: Vec<u64>,
}

impl Run {
    fn of(pipe: Pipe) -> Self {
        Run {
            pipe,
            line: VecDeque::new(),
            fates: Vec::new(),
            marked: Vec::new(),
        }
    }

    /// Packets whose ECN field is that of their length.
    fn offer(&mut self, packets: impl IntoIterator<Item = (u64, u32)>, ecn: fn(u32) -> Ecn) {
        for (now, bytes) in packets {
            self.serve(now);
            match self
                .pipe
                .offer_with(Time::from_nanos(now), bytes, ecn(bytes))
            {
                Verdict::Wait => self.line.push_back((now, bytes)),
                Verdict::Deliver { at } => self.fates.push((now, bytes, Some(at.as_nanos()))),
                Verdict::Drop(reason) => {
                    assert_eq!(reason, LinkDrop::BufferFull);
                    self.fates.push((now, bytes, None));
                }
            }
            self.serve(now);
        }
        self.serve(u64::MAX);
        assert!(self.line.is_empty(), "all are served in the end");
    }

    fn serve(&mut self, to: u64) {
        while let Some(at) = self.pipe.serve_at().filter(|at| at.as_nanos() <= to) {
            // A pipe that was idle is served when something comes, which is later than it was free.
            let since = self.line.front().map_or(0, |(since, _)| *since);
            let at = at.max(Time::from_nanos(since));
            let served = self.pipe.serve(at).expect("it is due");
            for _ in 0..served.dropped {
                let (since, bytes) = self.line.pop_front().expect("it is in line");
                self.fates.push((since, bytes, None));
            }
            self.marked.extend(served.marked.then_some(at.as_nanos()));
            if let Some(Verdict::Deliver { at }) = served.sent {
                let (since, bytes) = self.line.pop_front().expect("it is in line");
                self.fates.push((since, bytes, Some(at.as_nanos())));
            }
        }
    }
}

/// RFC 8289 section 5, line by line, with its sentinels, in nanoseconds. `now` is when the link
/// asks for a packet, which it does when it has sent one, and when one comes while it is idle.
#[derive(Default)]
struct Rfc8289 {
    queue: VecDeque<(u64, u32)>,
    first_above_time: u64,
    drop_next: u64,
    count: u32,
    lastcount: u32,
    dropping: bool,
    dropped: Vec<(u64, u32)>,
}

const TARGET: u64 = 5 * MS;
const INTERVAL: u64 = 100 * MS;
const MAXPACKET: u32 = 1_500;

impl Rfc8289 {
    fn control_law(t: u64, count: u32) -> u64 {
        t + (INTERVAL as f64 / f64::from(count).sqrt()) as u64
    }

    fn dodequeue(&mut self, now: u64) -> (Option<(u64, u32)>, bool) {
        let (p, mut ok_to_drop) = (self.queue.pop_front(), false);
        match p {
            None => self.first_above_time = 0,
            Some((tstamp, _)) => {
                let sojourn_time = now - tstamp;
                let bytes: u32 = self.queue.iter().map(|(_, bytes)| bytes).sum();
                if sojourn_time < TARGET || bytes <= MAXPACKET {
                    self.first_above_time = 0;
                } else if self.first_above_time == 0 {
                    self.first_above_time = now + INTERVAL;
                } else if now >= self.first_above_time {
                    ok_to_drop = true;
                }
            }
        }
        (p, ok_to_drop)
    }

    fn dequeue(&mut self, now: u64) -> Option<(u64, u32)> {
        let mut r = self.dodequeue(now);
        if self.dropping {
            if !r.1 {
                self.dropping = false;
            }
            while now >= self.drop_next && self.dropping {
                self.dropped.extend(r.0);
                self.count += 1;
                r = self.dodequeue(now);
                if !r.1 {
                    self.dropping = false;
                } else {
                    self.drop_next = Self::control_law(self.drop_next, self.count);
                }
            }
        } else if r.1 {
            self.dropped.extend(r.0);
            r = self.dodequeue(now);
            self.dropping = true;
            let delta = self.count - self.lastcount;
            self.count = 1;
            if delta > 1 && (now as i128 - self.drop_next as i128) < 16 * i128::from(INTERVAL) {
                self.count = delta;
            }
            self.drop_next = Self::control_law(now, self.count);
            self.lastcount = self.count;
        }
        r.0
    }

    /// The fates of packets on a link on which a byte takes `byte` nanoseconds.
    fn run(mut self, byte: u64, packets: &[(u64, u32)]) -> Vec<Fate> {
        let (mut arrivals, mut fates) = (packets.iter().copied().peekable(), Vec::new());
        // When the packet in the transmitter is sent; `None` if it is idle.
        let mut busy = None;
        loop {
            let now = match (busy, arrivals.peek()) {
                (Some(end), Some(&(next, _))) if next < end => next,
                (Some(end), _) => end,
                (None, Some(&(next, _))) => next,
                (None, None) => return fates,
            };
            if busy != Some(now) {
                self.queue.extend(arrivals.next());
                if busy.is_some() {
                    continue;
                }
            }
            let sent = self.dequeue(now);
            fates.extend(self.dropped.drain(..).map(|(at, bytes)| (at, bytes, None)));
            busy = sent.map(|(_, bytes)| now + u64::from(bytes) * byte);
            fates.extend(sent.map(|(at, bytes)| (at, bytes, busy)));
        }
    }
}

/// From under to twice the capacity of a link of 1 byte in `byte` ns, with pauses.
fn packets(byte: u64) -> impl Strategy<Value = Vec<(u64, u32)>> {
    let gap = prop_oneof![
        20 => 0..2_400u64,
        1 => 0..400_000u64,
    ];
    prop::collection::vec((gap, 28..=1_500u32), 1..3_000).prop_map(move |gaps| {
        let at = |now: &mut u64, (gap, bytes)| {
            *now += gap * byte;
            Some((*now, bytes))
        };
        gaps.into_iter().scan(0, at).collect()
    })
}

proptest! {
    #[test]
    fn every_packet_has_the_fate_of_the_pseudo_code(
        (byte, packets) in prop_oneof![Just(8_000), Just(1_000), Just(100)]
            .prop_flat_map(|byte| (Just(byte), packets(byte))),
    ) {
        let pipe = pipe(8_000_000_000 / byte, Queue::Codel, None);
        let expected = Rfc8289::default().run(byte, &packets);
        prop_assert_eq!(fates(pipe, packets), expected);
    }
}

/// Packets of 1,250 bytes at this rate in packets per second, for so long.
fn constant(per_second: u64, seconds: u64) -> impl Iterator<Item = (u64, u32)> {
    (0..per_second * seconds).map(move |k| (k * 1_000 * MS / per_second, 1_250))
}

/// How long the packets that entered from `from` to `to` (milliseconds) waited and were sent, in
/// milliseconds.
fn waits(fates: &[Fate], from: u64, to: u64) -> Vec<f64> {
    let entered = fates
        .iter()
        .filter(|(at, ..)| (from * MS..to * MS).contains(at));
    let wait = |(at, _, sent): &Fate| Some((sent.as_ref()? - at) as f64 / 1e6);
    entered.filter_map(wait).collect()
}

fn most(waits: &[f64]) -> f64 {
    waits.iter().copied().fold(0.0, f64::max)
}

#[test]
fn a_constant_overload_is_brought_back_to_the_target() {
    // 10 Mbit/s are 1,000 packets/s of 1,250 bytes; 1,100 come. The queue grows by 100 /s: it is 5
    // packets, 5 ms, after 50 ms, and 15 after the interval. Then the n-th drop comes
    // 100 ms (1 + 1/sqrt(2) + ... + 1/sqrt(n - 1)) later, which is 200 ms sqrt(n) - 146 ms (the
    // zeta function at 1/2 is -1.46), so n is 25 u^2 with u = t + 0.146 s. The queue is
    // 15 + 100 t - 25 u^2: 100 packets at most, 1.85 s after that. Those who are last then wait for
    // 91 of them, as 100 /s are dropped beside the 1,000 /s that are sent: 92 ms with their own
    // sending. The queue is down to 6 packets, 5 ms at 1,200 /s and 1 ms of sending, 3.8 s later.
    let fates = fates(pipe(10_000_000, Queue::Codel, None), constant(1_100, 30));
    let peak = most(&waits(&fates, 0, 5_000));
    assert!((90.0..95.0).contains(&peak), "{peak} ms at the most");
    let meets_the_target = |(at, _, sent): &&Fate| {
        *at > 2_000 * MS && sent.is_some_and(|sent| sent - at < TARGET + MS)
    };
    let back = fates.iter().find(meets_the_target);
    let back = back.expect("it comes back").0 as f64 / 1e9;
    assert!((3.85..4.05).contains(&back), "after {back} s");
    // Each time that drops begin again they begin with as many as they were the last time: now
    // 400, enough at once, and so few that the time after begins slowly again. Never as slowly as
    // at first, so the queue is never half as long again, and the target is met every 3 s.
    let later = waits(&fates, 5_000, 30_000);
    assert!((15.0..46.0).contains(&most(&later)), "{} ms", most(&later));
    for from in (5_000..29_000).step_by(3_000) {
        let least = waits(&fates, from, from + 3_000);
        let least = least.into_iter().fold(f64::MAX, f64::min);
        assert!((1.0..6.0).contains(&least), "{least} ms after {from} ms");
    }
    // All of the link is used: 1,000 /s, but for what is in the queue at the ends.
    assert!(
        (24_950..=25_050).contains(&later.len()),
        "{} sent",
        later.len()
    );
}

#[test]
fn drop_tail_keeps_its_buffer_full_instead() {
    // The same overload with a buffer of 300 packets: 3 s until it is full, then 300 ms for all.
    let buffer = Some(300 * 1_250);
    let fates = fates(
        pipe(10_000_000, Queue::DropTail, buffer),
        constant(1_100, 30),
    );
    let later = waits(&fates, 5_000, 30_000);
    assert!(later.iter().all(|ms| (298.0..=300.0).contains(ms)));
}

#[test]
fn what_the_link_can_carry_is_not_dropped() {
    // Nine tenths of the capacity, evenly; and bursts of 50 packets, 50 ms, twice a second, which
    // are above the target for 45 ms, less than an interval.
    let bursts = (0..500).map(|k| (k / 50 * 500 * MS, 1_250));
    for packets in [constant(900, 5).collect::<Vec<_>>(), bursts.collect()] {
        let fates = fates(pipe(10_000_000, Queue::Codel, None), packets);
        assert!(fates.iter().all(|(.., sent)| sent.is_some()));
    }
}

#[test]
fn a_slow_link_is_not_emptied() {
    // At 0.1 Mbit/s a packet of 1,250 bytes takes 100 ms, far above the target, but a queue of one
    // full packet is no standing queue: one each 100 ms is carried without loss, behind another.
    let two_then_one_each = [(0, 1_250)].into_iter();
    let steady = (0..100).map(|k| (k * 100 * MS, 1_250));
    let fates = fates(
        pipe(100_000, Queue::Codel, None),
        two_then_one_each.chain(steady),
    );
    assert!(fates.iter().all(|(.., sent)| sent.is_some()));
    assert!(
        fates[2..]
            .iter()
            .all(|(at, _, sent)| *sent == Some(at + 200 * MS))
    );
}

#[test]
fn the_limit_of_the_buffer_holds_as_well() {
    // 10 packets of 1,250 bytes: one in transmission and nine that wait. The rest of a burst of 30
    // is dropped as it comes; 1 ms later one more fits.
    let buffer = Some(12_500);
    let burst = (0..30)
        .map(|_| (0, 1_250))
        .chain([(MS, 1_250), (MS, 1_250)]);
    let fates = fates(pipe(10_000_000, Queue::Codel, buffer), burst);
    let sent = |at| {
        fates
            .iter()
            .filter(|fate| fate.0 == at && fate.2.is_some())
            .count()
    };
    assert_eq!((sent(0), sent(MS)), (10, 1));
}

#[test]
fn marks_follow_the_law_of_drops_and_nothing_is_dropped() {
    // 1,100 packets/s on a link of 1,000/s, all ECT(0). Packet k comes after k/1.1 ms and is taken
    // after k ms, so 55 is the first that waits for 5 ms, and 155 is taken an interval later: it has
    // the first mark. Marks do not shorten the queue, so the n-th is due
    // 100 ms (1 + 1/sqrt(2) + ... + 1/sqrt(n - 1)) later, when a packet is taken, within 1 ms.
    let mut run = Run::of(pipe(10_000_000, Queue::CodelEcn, None));
    run.offer(constant(1_100, 5), |_| Ecn::Ect0);
    assert!(run.fates.iter().all(|(.., sent)| sent.is_some()));
    let first = run.marked[0];
    assert_eq!(first, 155 * MS);
    let mut due = first;
    for (n, at) in (1..).zip(&run.marked[..500]) {
        assert!(
            (due..=due + 2 * MS).contains(at),
            "mark {n}: {at}, due {due}"
        );
        due += (INTERVAL as f64 / f64::from(n).sqrt()) as u64;
    }
}

#[test]
fn without_marks_nothing_differs_from_codel() {
    // Not-ECT packets on a marking queue, and ECT(0) on one that does not mark.
    let drops = fates(pipe(10_000_000, Queue::Codel, None), constant(1_100, 5));
    assert!(drops.iter().any(|(.., sent)| sent.is_none()));
    for (queue, ecn) in [
        (Queue::CodelEcn, (|_| Ecn::NotEct) as fn(u32) -> Ecn),
        (Queue::Codel, |_| Ecn::Ect0),
    ] {
        let mut run = Run::of(pipe(10_000_000, queue, None));
        run.offer(constant(1_100, 5), ecn);
        assert_eq!((run.fates, run.marked), (drops.clone(), Vec::new()));
    }
}
