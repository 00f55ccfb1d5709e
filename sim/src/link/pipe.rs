//! A pipe: one direction of an access link.

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::buffer::Buffer;
use super::changes::{After, PipeChange, Script};
use super::codel::Dequeued;
use super::config::PipeConfig;
use super::held::Held;
use super::jitter::{Jitter, Order};
use super::loss::Loss;
use super::rate::Serializer;
use super::validate::LinkError;
use crate::ecn::Ecn;
use crate::seed::Seed;
use crate::time::{Time, nanos};

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It arrives at the other end.
    Deliver {
        /// When its last bit arrives.
        at: Time,
    },
    /// It does not.
    Drop(LinkDrop),
    /// It waits in a queue whose discipline decides later: [`Pipe::serve`] tells.
    Wait,
}

/// What a pipe did with the packets that were first in its queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    /// So many were dropped, from the head on ([`LinkDrop::Codel`]).
    pub dropped: u32,
    /// The one after them, if there is one, was sent: it arrives, or is lost.
    pub sent: Option<Verdict>,
    /// Whether that one was marked CE (RFC 3168).
    pub marked: bool,
}

/// Why a link dropped a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkDrop {
    /// The buffer had no room for it (drop-tail); it used none of the rate.
    BufferFull,
    /// It was sent, and lost on the way.
    Loss,
    /// It is larger than the link's MTU and must not be fragmented; it used none of the rate.
    TooBig,
    /// The link carried nothing at all just then; it used none of the rate.
    Outage,
    /// Packets had waited too long for too long (CoDel); it used none of the rate.
    Codel,
}

impl LinkDrop {
    /// A stable kebab-case name for traces and tables.
    pub const fn name(self) -> &'static str {
        match self {
            LinkDrop::BufferFull => "buffer-full",
            LinkDrop::Loss => "loss",
            LinkDrop::TooBig => "too-big",
            LinkDrop::Outage => "outage",
            LinkDrop::Codel => "codel",
        }
    }
}

/// The random streams of a pipe, one per stage, so that one stage never shifts another's numbers.
#[derive(Clone, Debug)]
pub struct PipeStreams {
    /// Drawn from if there is loss.
    pub loss: ChaCha8Rng,
    /// Drawn from if there is jitter.
    pub jitter: ChaCha8Rng,
}

impl PipeStreams {
    /// The streams `NAME/loss` and `NAME/jitter` of a seed, for a pipe called such as `link/3/up`.
    pub fn new(seed: Seed, name: &str) -> Self {
        PipeStreams {
            loss: seed.stream(&format!("{name}/loss")),
            jitter: seed.stream(&format!("{name}/jitter")),
        }
    }
}

/// One direction of an access link.
///
/// A pipe holds no packets: it is told when a packet enters and answers when, or whether, that
/// packet comes out. Times that are given to one pipe must not go backwards. With CoDel that
/// depends on what comes later, so the answer is [`Verdict::Wait`], and whoever offers keeps the
/// packets in order and asks [`Pipe::serve`] whenever one is due.
///
/// The stages, in order: a buffer in front of a first-in-first-out transmitter, loss, propagation
/// delay, jitter, and the reorder policy.
#[derive(Debug)]
pub struct Pipe {
    ideal: bool,
    out: bool,
    delay: u64,
    serializer: Serializer,
    order: Order,
    buffer: Buffer,
    loss: Loss,
    jitter: Jitter,
    /// Boxed, as is the script: few links have them.
    held: Option<Box<Held>>,
    script: Option<Box<Script>>,
}

impl Pipe {
    /// A pipe that has carried nothing.
    ///
    /// # Errors
    ///
    /// Those of [`PipeConfig::validate`].
    pub fn new(config: PipeConfig, streams: PipeStreams) -> Result<Self, LinkError> {
        config.validate()?;
        Ok(Pipe {
            ideal: config.is_ideal(),
            out: false,
            delay: nanos(config.delay),
            serializer: Serializer::new(config.rate_bps),
            order: Order::new(config.jitter.reorder),
            buffer: Buffer::new(config.buffer_bytes),
            loss: Loss::new(config.loss, streams.loss)?,
            jitter: Jitter::new(config.jitter, streams.jitter),
            held: Held::new(config.queue).map(Box::new),
            script: None,
        })
    }

    /// Lets the pipe change over time: each change takes effect at its time, those of one time in
    /// the order given. To be called once, before anything is offered.
    ///
    /// # Errors
    ///
    /// Those of [`PipeChange::validate`]; the pipe then does not change.
    pub fn follow(&mut self, changes: &[PipeChange]) -> Result<(), LinkError> {
        changes.iter().try_for_each(PipeChange::validate)?;
        if !changes.is_empty() {
            self.ideal = false;
            self.serializer.follow(changes);
            self.script = Some(Box::new(Script::new(changes)));
        }
        Ok(())
    }

    /// What becomes of a packet of `wire_bytes` (IP header included), Not-ECT, that enters at `now`.
    pub fn offer(&mut self, now: Time, wire_bytes: u32) -> Verdict {
        self.offer_with(now, wire_bytes, Ecn::NotEct)
    }

    /// The same of a packet with an ECN field.
    pub fn offer_with(&mut self, now: Time, wire_bytes: u32, ecn: Ecn) -> Verdict {
        if self.out {
            return Verdict::Drop(LinkDrop::Outage);
        }
        let now = now.as_nanos();
        if let Some(script) = &mut self.script {
            while let Some(limit) = script.buffer.due(now) {
                self.buffer.set_limit(limit);
            }
        }
        if let Some(held) = &mut self.held {
            return held.take(now, wire_bytes, ecn, &self.buffer);
        }
        if !self.buffer.has_room(now, wire_bytes) {
            return Verdict::Drop(LinkDrop::BufferFull);
        }
        let sent = self.serializer.send(now, wire_bytes);
        if sent > now {
            self.buffer.hold(sent, wire_bytes);
        }
        self.propagate(sent)
    }

    /// What becomes of a packet whose last bit is sent at `sent`.
    fn propagate(&mut self, sent: u64) -> Verdict {
        if self.script.is_some() {
            self.change_until(sent);
        }
        if self.loss.strikes() {
            return Verdict::Drop(LinkDrop::Loss);
        }
        let earliest = sent
            .saturating_add(self.delay)
            .saturating_add(self.jitter.draw());
        Verdict::Deliver {
            at: Time::from_nanos(self.order.arrival(earliest)),
        }
    }

    /// Changes the stages after the transmitter for what is sent at `sent` or later.
    #[cold]
    fn change_until(&mut self, sent: u64) {
        let Some(script) = &mut self.script else {
            return;
        };
        while let Some(change) = script.after.due(sent) {
            match change {
                After::Delay(delay) => self.delay = nanos(delay),
                After::Jitter(jitter) => {
                    self.jitter.set_std(jitter);
                    self.order.set_policy(jitter.reorder);
                }
                After::Loss(loss) => {
                    let set = self.loss.set_model(loss);
                    debug_assert_eq!(set, Ok(()), "changes are validated");
                }
            }
        }
    }

    /// When [`Pipe::serve`] has something to do next; `None` if the pipe holds nothing, and always
    /// without CoDel.
    pub fn serve_at(&self) -> Option<Time> {
        let held = self.held.as_ref()?;
        let at = held.next_at(self.serializer.free_at())?;
        Some(Time::from_nanos(at))
    }

    /// Takes what is next out of the queue, if the transmitter is free for it; `None` if it is not.
    pub fn serve(&mut self, now: Time) -> Option<Served> {
        let now = now.as_nanos();
        let due = self.held.as_ref()?.next_at(self.serializer.free_at());
        due.filter(|at| *at <= now)?;
        let Dequeued {
            dropped,
            packet,
            marked,
        } = self.held.as_mut()?.dequeue(now);
        // From when it entered: the serializer knows for what it had to wait since.
        let sent = packet.map(|packet| self.serializer.send(packet.since, packet.bytes));
        Some(Served {
            dropped,
            sent: sent.map(|sent| self.propagate(sent)),
            marked,
        })
    }

    /// Whether every packet comes out at the moment it enters, and always did: there is then no
    /// need to offer it. A pipe that was ever real stays so, as packets may still be on the way.
    pub fn is_ideal(&self) -> bool {
        self.ideal && !self.out
    }

    /// Begins or ends an outage: during one, nothing is accepted. What was accepted before is on
    /// its way.
    pub fn set_outage(&mut self, out: bool) {
        self.out = out;
    }

    /// Bytes of the packets that wait for or are in transmission at `now`. With CoDel the
    /// pipe must have been served up to then.
    pub fn queued_bytes(&self, now: Time) -> u64 {
        match &self.held {
            Some(held) => held.bytes(),
            None => self.buffer.occupied_at(now.as_nanos()),
        }
    }

    /// Changes the pipe for packets that are yet to be offered. Packets accepted before keep their
    /// times, those in the buffer stay in it, and new ones wait behind them; where order is
    /// preserved, new ones do not overtake old ones however short the new delay. The discipline of
    /// its queue stays.
    ///
    /// # Errors
    ///
    /// Those of [`PipeConfig::validate`]; the pipe is then unchanged.
    pub fn reconfigure(&mut self, config: PipeConfig) -> Result<(), LinkError> {
        config.validate()?;
        self.ideal &= config.is_ideal();
        self.delay = nanos(config.delay);
        self.serializer.set_rate(config.rate_bps);
        self.order.set_policy(config.jitter.reorder);
        self.buffer.set_limit(config.buffer_bytes);
        self.jitter.set_std(config.jitter);
        self.loss.set_model(config.loss)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::link::config::LossConfig;

    fn pipe(config: PipeConfig) -> Pipe {
        Pipe::new(config, PipeStreams::new(Seed(1), "test")).expect("valid")
    }

    #[test]
    fn every_stage_has_its_own_stream_of_the_pipes_name() {
        let streams = PipeStreams::new(Seed(1), "link/3/up");
        assert_eq!(streams.loss, Seed(1).stream("link/3/up/loss"));
        assert_eq!(streams.jitter, Seed(1).stream("link/3/up/jitter"));
    }

    #[test]
    fn a_packet_is_queued_for_as_long_as_it_takes_to_send() {
        // One byte at 8 Gbit/s takes one nanosecond; without a rate it takes none.
        let mut fast = pipe(PipeConfig {
            rate_bps: Some(8_000_000_000),
            ..PipeConfig::default()
        });
        fast.offer(Time::ZERO, 1);
        assert_eq!(fast.queued_bytes(Time::ZERO), 1);
        assert_eq!(fast.queued_bytes(Time::from_nanos(1)), 0);
        let mut ideal = pipe(PipeConfig::default());
        ideal.offer(Time::ZERO, 1);
        assert_eq!(ideal.queued_bytes(Time::ZERO), 0);
    }

    #[test]
    fn a_lost_packet_has_used_its_share_of_the_rate() {
        // 125 bytes at 1 Mbit/s are 1 ms. The first is lost, so the second ends at 2 ms.
        let lossy = PipeConfig {
            rate_bps: Some(1_000_000),
            loss: LossConfig::Bernoulli { probability: 1.0 },
            ..PipeConfig::default()
        };
        let mut pipe = pipe(lossy);
        assert_eq!(pipe.offer(Time::ZERO, 125), Verdict::Drop(LinkDrop::Loss));
        assert_eq!(pipe.queued_bytes(Time::ZERO), 125);
        pipe.reconfigure(PipeConfig {
            loss: LossConfig::None,
            ..lossy
        })
        .expect("valid");
        let at = Time::from_millis(2);
        assert_eq!(pipe.offer(Time::ZERO, 125), Verdict::Deliver { at });
    }

    #[test]
    fn a_shorter_delay_overtakes_nothing() {
        // Sent at 0 over 100 ms; sent at 10 ms over 20 ms would be there at 30 ms.
        let config = |millis| PipeConfig {
            delay: Duration::from_millis(millis),
            ..PipeConfig::default()
        };
        let mut pipe = pipe(config(100));
        let at = Time::from_millis(100);
        assert_eq!(pipe.offer(Time::ZERO, 1_500), Verdict::Deliver { at });
        pipe.reconfigure(config(20)).expect("valid");
        assert_eq!(
            pipe.offer(Time::from_millis(10), 1_500),
            Verdict::Deliver { at }
        );
        let later = Time::from_millis(90);
        let at = Time::from_millis(110);
        assert_eq!(pipe.offer(later, 1_500), Verdict::Deliver { at });
    }

    #[test]
    fn a_refused_change_changes_nothing() {
        let config = PipeConfig {
            rate_bps: Some(1_000_000),
            ..PipeConfig::default()
        };
        let mut pipe = pipe(config);
        let wrong = PipeConfig {
            rate_bps: Some(0),
            ..config
        };
        assert_eq!(pipe.reconfigure(wrong), Err(LinkError::ZeroRate));
        let at = Time::from_millis(1);
        assert_eq!(pipe.offer(Time::ZERO, 125), Verdict::Deliver { at });
    }

    #[test]
    fn only_a_pipe_that_was_always_ideal_is() {
        let ideal = PipeConfig::default();
        let real = PipeConfig {
            delay: Duration::from_millis(1),
            ..ideal
        };
        let mut pipe = pipe(ideal);
        assert!(pipe.is_ideal());
        let now = Time::from_millis(5);
        assert_eq!(pipe.offer(now, 1_500), Verdict::Deliver { at: now });
        pipe.reconfigure(real).expect("valid");
        pipe.reconfigure(ideal).expect("valid");
        assert!(!pipe.is_ideal());
    }
}
