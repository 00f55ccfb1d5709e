//! Lanes: the two ways of every access link, and the packets that wait in them.
//!
//! Most pipes say at once what becomes of a packet. One with a queue whose discipline decides later
//! ([`Queue::Codel`](crate::Queue::Codel), marking or not) says so when its transmitter is free. Until then the
//! packets stand in line here, in the order in which the pipe has them.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::drops::DropReason;
use super::event::Event;
use super::id::HostId;
use super::network::{Network, Step};
use crate::ecn::Ecn;
use crate::link::changes::PipeChange;
use crate::link::pipe::{LinkDrop, Pipe, Verdict};
use crate::link::validate::LinkError;
use crate::time::Time;

/// A direction of an access link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// From the host to the network.
    Up,
    /// From the network to the host.
    Down,
}

impl Way {
    /// The other one.
    #[must_use]
    pub const fn back(self) -> Self {
        match self {
            Way::Up => Way::Down,
            Way::Down => Way::Up,
        }
    }
}

/// One way of the access link of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Lane {
    pub(super) host: HostId,
    pub(super) way: Way,
}

impl Lane {
    pub(super) const fn up(host: HostId) -> Self {
        let way = Way::Up;
        Lane { host, way }
    }

    pub(super) const fn down(host: HostId) -> Self {
        let way = Way::Down;
        Lane { host, way }
    }

    /// Why a packet was dropped here, for whoever looks at the whole network.
    pub(super) const fn refusal(self, reason: LinkDrop) -> DropReason {
        match self.way {
            Way::Up => DropReason::Uplink(reason),
            Way::Down => DropReason::Downlink(reason),
        }
    }
}

/// As a number for events.
impl From<Lane> for u32 {
    fn from(lane: Lane) -> u32 {
        lane.host.0 << 1 | u32::from(lane.way == Way::Down)
    }
}

impl From<u32> for Lane {
    fn from(number: u32) -> Self {
        let host = HostId(number >> 1);
        match number & 1 {
            0 => Lane::up(host),
            _ => Lane::down(host),
        }
    }
}

/// Whoever waits in a lane.
#[derive(Clone, Copy, Debug)]
pub(super) enum Occupant {
    /// A packet, or a fragment of it.
    Flight {
        slot: usize,
        /// Whether no more of its fragments follow.
        last: bool,
    },
    /// A parcel of cross traffic.
    Cross(usize),
    /// A fragment of a packet that is lost already.
    Nobody,
}

/// Who waits in one lane.
#[derive(Debug, Default)]
struct Line {
    occupants: VecDeque<Occupant>,
    /// What the link made of the fragments of the packet that is first.
    done: Vec<Verdict>,
    /// When the transmitter is scheduled to be free.
    wake: Option<Time>,
}

/// Who waits where; lanes in which nobody ever waited have no line.
#[derive(Debug, Default)]
pub(super) struct Lines(FxHashMap<Lane, Line>);

impl Network {
    /// Lets a direction of a host's access link change over time. To be called before it carries
    /// anything; if the host roams, the link that it then has is another one, which does not
    /// change.
    ///
    /// # Errors
    ///
    /// [`LinkError`] if the link cannot change so; nothing has changed then.
    pub fn follow(
        &mut self,
        host: HostId,
        way: Way,
        changes: &[PipeChange],
    ) -> Result<(), LinkError> {
        self.pipe(Lane { host, way }).follow(changes)
    }

    pub(super) fn pipe(&mut self, lane: Lane) -> &mut Pipe {
        let host = self.map.host_mut(lane.host);
        match lane.way {
            Way::Up => &mut host.up,
            Way::Down => &mut host.down,
        }
    }

    /// Puts what a link has taken without a verdict in line.
    pub(super) fn wait(&mut self, lane: Lane, occupants: impl IntoIterator<Item = Occupant>) {
        let line = self.lines.0.entry(lane).or_default();
        line.occupants.extend(occupants);
        self.serve(lane);
    }

    /// The transmitter of a lane is free, unless its host has left that link.
    pub(super) fn serve_at(&mut self, lane: Lane) -> Step {
        let line = self.lines.0.get_mut(&lane);
        if line.is_some_and(|line| line.wake.take_if(|at| *at == self.now).is_some()) {
            self.serve(lane);
        }
        Step::Packet(None)
    }

    /// Lets a link do all that it can do now.
    fn serve(&mut self, lane: Lane) {
        let now = self.now;
        while let Some(served) = self.pipe(lane).serve(now) {
            for _ in 0..served.dropped {
                self.leave_line(lane, Verdict::Drop(LinkDrop::Codel));
            }
            if served.marked {
                self.mark_first(lane);
            }
            if let Some(verdict) = served.sent {
                self.leave_line(lane, verdict);
            }
        }
        let next = self.pipe(lane).serve_at();
        let Some(line) = self.lines.0.get_mut(&lane) else {
            return;
        };
        if let Some(at) = next.filter(|_| line.wake.is_none()) {
            line.wake = Some(at);
            self.schedule(at, Event::Transmitter(lane.into()));
        }
    }

    /// The link has marked whoever is first in line. A mark on a fragment is one on the packet.
    fn mark_first(&mut self, lane: Lane) {
        let line = self.lines.0.get(&lane);
        match line.and_then(|line| line.occupants.front()) {
            Some(&Occupant::Flight { slot, .. }) => {
                self.flights[slot].packet.ecn = Ecn::Ce;
                self.counters.marked += 1;
            }
            Some(&Occupant::Cross(parcel)) => self.mark_parcel(parcel),
            Some(Occupant::Nobody) | None => {}
        }
    }

    /// The link is done with whoever is first in line.
    fn leave_line(&mut self, lane: Lane, verdict: Verdict) {
        let Some(line) = self.lines.0.get_mut(&lane) else {
            return;
        };
        match line.occupants.pop_front() {
            Some(Occupant::Flight { slot, last }) => {
                line.done.push(verdict);
                if last {
                    let verdicts = std::mem::take(&mut line.done);
                    self.finish_link(slot, lane, &verdicts);
                }
            }
            Some(Occupant::Cross(parcel)) => self.finish_parcel(parcel, verdict),
            Some(Occupant::Nobody) => {}
            None => unreachable!("a link serves those that stand in line"),
        }
    }

    /// Sends all away who wait for a link that its host has left; they are lost.
    pub(super) fn clear_lines(&mut self, host: HostId) {
        for lane in [Lane::up(host), Lane::down(host)] {
            for occupant in self.lines.0.remove(&lane).unwrap_or_default().occupants {
                match occupant {
                    Occupant::Flight { slot, last: true } => self.fly(self.now, slot),
                    Occupant::Cross(parcel) => {
                        self.finish_parcel(parcel, Verdict::Drop(LinkDrop::Outage));
                    }
                    Occupant::Flight { last: false, .. } | Occupant::Nobody => {}
                }
            }
        }
    }
}
