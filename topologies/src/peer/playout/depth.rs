//! How deep a playout buffer has to be for what comes late.

use std::collections::VecDeque;
use std::time::Duration;

use sim::Time;

/// The share of packets of sound that are to be in time. A player that stretches sound, as NetEQ of
/// libwebrtc, does with 95 to 97 %; this one does not.
pub const SOUND: f64 = 0.99;

/// The share of pictures that are to be in time. The others are shown late, so that each costs a
/// moment and none is lost.
pub const PICTURES: f64 = 0.95;

/// What is remembered: 250 packets of sound, and several hundred of pictures.
const MEMORY: Duration = Duration::from_secs(5);

/// A packet of sound lasts as long, and a display shows a picture every 17 ms.
const LEAST: Duration = Duration::from_millis(20);

/// Nobody talks across more than this (ITU-T G.114 has 400 ms as the most for planning).
const MOST: Duration = Duration::from_millis(400);

/// How much of itself a depth gives up in a second that does not need it: sound loses one packet.
const FALL_PER_SECOND: Duration = Duration::from_millis(20);

/// A depth that follows lateness: a percentile of the last 5 s, between 20 ms and 400 ms. It rises at
/// once and falls by 20 ms a second.
#[derive(Debug)]
pub struct Adaptive {
    /// The share that is to be in time.
    in_time: f64,
    /// When each packet or picture came, and how late.
    recent: VecDeque<(Time, Duration)>,
    depth: Duration,
}

impl Adaptive {
    /// A depth that begins with `start`, learns from there, and is enough for this share.
    pub fn new(start: Duration, in_time: f64) -> Self {
        Adaptive {
            in_time,
            recent: VecDeque::new(),
            depth: start.clamp(LEAST, MOST),
        }
    }

    /// How long what comes should wait, from when the fastest would have come.
    pub fn depth(&self) -> Duration {
        self.depth
    }

    /// A packet or a picture came at `now`, so much later than the fastest would have.
    pub fn note(&mut self, now: Time, late: Duration) {
        let since = match self.recent.back() {
            Some((before, _)) => now.saturating_since(*before),
            None => Duration::ZERO,
        };
        self.recent.push_back((now, late));
        let old = |(at, _): &mut (Time, Duration)| now.saturating_since(*at) > MEMORY;
        while self.recent.pop_front_if(old).is_some() {}
        let fallen = FALL_PER_SECOND.mul_f64(since.as_secs_f64());
        self.depth = self.wanted().max(self.depth.saturating_sub(fallen));
    }

    /// The percentile, by the nearest rank.
    fn wanted(&self) -> Duration {
        let mut late: Vec<Duration> = self.recent.iter().map(|(_, late)| *late).collect();
        let rank = (self.in_time * late.len() as f64).ceil() as usize - 1;
        let (_, late, _) = late.select_nth_unstable(rank);
        (*late).clamp(LEAST, MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The depth after packets every 20 ms from `first` to before `last`, this late by number.
    fn after(depth: &mut Adaptive, numbers: std::ops::Range<u64>, late: fn(u64) -> u64) -> u64 {
        for n in numbers {
            let at = Time::from_millis(20 * n + late(n));
            depth.note(at, Duration::from_millis(late(n)));
        }
        depth.depth().as_millis() as u64
    }

    #[test]
    fn it_is_the_99th_percentile_of_five_seconds() {
        let mut depth = Adaptive::new(Duration::ZERO, SOUND);
        // Late by 0 to 99 ms, each as often as the others (37 and 100 have no common divisor): of
        // 251 packets, rank 249 (0.99 x 251 = 248.5) is among the 3 latest, 98 or 99 ms.
        let reached = after(&mut depth, 0..1_000, |n| n * 37 % 100);
        assert!((97..=99).contains(&reached), "{reached}");
    }

    #[test]
    fn one_late_packet_in_two_hundred_is_given_up() {
        let mut depth = Adaptive::new(Duration::ZERO, SOUND);
        assert_eq!(after(&mut depth, 0..200, |_| 5), 20);
        // One of 201: rank 199 (0.99 x 201 = 198.99), the third from the top.
        assert_eq!(after(&mut depth, 200..201, |_| 150), 20);
        // Three of 203: rank 201 (200.97) is the earliest of them.
        assert_eq!(after(&mut depth, 201..203, |_| 150), 150);
    }

    #[test]
    fn it_rises_at_once_and_falls_by_20_ms_a_second() {
        let mut depth = Adaptive::new(Duration::from_millis(60), SOUND);
        assert_eq!(after(&mut depth, 0..1, |_| 300), 300);
        // The late packet, one of many, is no percentile after 101 packets, 2 s: it is still
        // remembered, but only the highest of them. From then on the depth falls: 8 s later
        // by 160 ms. It falls in between two packets, too, so by up to a packet (0.4 ms) more.
        let reached = after(&mut depth, 1..501, |_| 0);
        assert!((138..=142).contains(&reached), "{reached}");
        // And never below the least.
        assert_eq!(after(&mut depth, 501..2_000, |_| 0), 20);
    }

    #[test]
    fn it_has_a_floor_and_a_ceiling() {
        let mut depth = Adaptive::new(Duration::ZERO, SOUND);
        assert_eq!(after(&mut depth, 0..10, |_| 1), 20);
        assert_eq!(after(&mut depth, 10..20, |_| 900), 400);
    }
}
