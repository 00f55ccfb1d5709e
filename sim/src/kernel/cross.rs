//! Cross traffic on access links.
//!
//! A flow competes for one way of a host's link, as another device behind it would: its packets
//! enter the same queue. They are parcels, not packets: no NAT sees them, no host sends or receives
//! them, and counters and captures are without them.

use slab::Slab;

use super::event::Event;
use super::id::HostId;
use super::lanes::{Lane, Occupant, Way};
use super::network::{Network, Step};
use crate::cross::config::{
    CROSS_ACK_BYTES, CROSS_PACKET_BYTES, CrossCounters, CrossFlow, CrossKind,
};
use crate::cross::pace::Pace;
use crate::cross::receiver::{Ack, Receiver};
use crate::cross::sender::{Segment, Sender};
use crate::ecn::Ecn;
use crate::link::pipe::Verdict;
use crate::time::Time;

/// A flow of cross traffic, numbered from 0 in the order of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId(u32);

/// All cross traffic of a world.
#[derive(Debug, Default)]
pub(super) struct Cross {
    flows: Vec<Flow>,
    parcels: Slab<Parcel>,
}

#[derive(Debug)]
struct Flow {
    lane: Lane,
    config: CrossFlow,
    source: Source,
    counters: CrossCounters,
}

#[derive(Debug)]
enum Source {
    /// With the number of the next packet.
    Paced(Pace, u64),
    Tcp(Box<Transfer>),
}

/// Both ends of a TCP transfer.
#[derive(Debug)]
struct Transfer {
    sender: Sender,
    receiver: Receiver,
    /// What the timer is set to; it goes off then even if the deadline has moved on.
    timer: Option<Time>,
}

/// Something of a flow that is on its way, or due.
#[derive(Clone, Copy, Debug)]
struct Parcel {
    flow: FlowId,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// The flow is to begin, or its next packet to be sent.
    Due,
    /// A packet of a flow that does not listen.
    Packet,
    Segment(Segment),
    /// An acknowledgement on its way back.
    Ack(Ack),
    /// The sender's timer.
    Timer,
    /// A packet that was on a link when that failed.
    Lost,
    /// An acknowledgement that was there.
    AckLost,
}

impl Network {
    /// Adds a flow that competes for one way of the access link of a host.
    ///
    /// # Panics
    ///
    /// If its rate is zero.
    pub fn add_cross_flow(&mut self, host: HostId, way: Way, config: CrossFlow) -> FlowId {
        let id = FlowId(self.cross.flows.len() as u32);
        if let CrossKind::Constant { rate_bps } | CrossKind::OnOff { rate_bps, .. } = config.kind {
            assert!(rate_bps > 0, "a flow without a rate never sends");
        }
        let ecn = matches!(config.kind, CrossKind::Tcp { ecn: true, .. });
        let transfer = || Transfer {
            sender: Sender::new(ecn),
            receiver: Receiver::default(),
            timer: None,
        };
        let source = match Pace::of(config.kind) {
            Some(pace) => Source::Paced(pace, 0),
            None => Source::Tcp(Box::new(transfer())),
        };
        self.cross.flows.push(Flow {
            lane: Lane { host, way },
            config,
            source,
            counters: CrossCounters::default(),
        });
        self.expect(config.from.max(self.now), id, What::Due);
        id
    }

    /// What became of the packets of a flow so far.
    pub fn cross_counters(&self, flow: FlowId) -> CrossCounters {
        self.cross.flows[flow.0 as usize].counters
    }

    /// Something of a flow is due, or has crossed its link.
    pub(super) fn cross_parcel(&mut self, key: usize) -> Step {
        let Parcel { flow, what } = self.cross.parcels.remove(key);
        match what {
            What::Due => self.send_cross(flow),
            What::Packet => self.flow(flow).counters.delivered += 1,
            What::Segment(segment) => self.acknowledge(flow, segment),
            What::Ack(ack) => self.hear(flow, ack),
            What::Timer => self.cross_timer(flow),
            What::Lost => self.flow(flow).counters.dropped += 1,
            What::AckLost => {}
        }
        Step::Packet(None)
    }

    /// A link is done with a parcel.
    pub(super) fn finish_parcel(&mut self, key: usize, verdict: Verdict) {
        let Parcel { flow, what } = self.cross.parcels[key];
        match verdict {
            Verdict::Deliver { at } => {
                let beyond = match (what, self.flow(flow).config.kind) {
                    (What::Ack(_), CrossKind::Tcp { round_trip, .. }) => round_trip,
                    _ => std::time::Duration::ZERO,
                };
                self.schedule(at + beyond, Event::Cross(key as u32));
            }
            Verdict::Drop(_) => {
                self.cross.parcels.remove(key);
                let lost = u64::from(!matches!(what, What::Ack(_) | What::AckLost));
                self.flow(flow).counters.dropped += lost;
            }
            Verdict::Wait => unreachable!("a link that is done with a parcel has a verdict"),
        }
    }

    /// A link has marked a parcel; of cross traffic only segments may be.
    pub(super) fn mark_parcel(&mut self, key: usize) {
        let parcel = &mut self.cross.parcels[key];
        if let What::Segment(segment) = &mut parcel.what {
            segment.ecn = Ecn::Ce;
            let flow = parcel.flow;
            self.flow(flow).counters.marked += 1;
        }
    }

    /// Loses what is on the link of a host.
    pub(super) fn cut_cross(&mut self, host: HostId) {
        let Cross { flows, parcels } = &mut self.cross;
        for (_, parcel) in parcels {
            if flows[parcel.flow.0 as usize].lane.host == host {
                parcel.what = match parcel.what {
                    What::Packet | What::Segment(_) => What::Lost,
                    What::Ack(_) => What::AckLost,
                    what => what,
                };
            }
        }
    }

    /// Sends what the flow may send now.
    fn send_cross(&mut self, id: FlowId) {
        let now = self.now;
        let flow = self.flow(id);
        if now >= flow.config.to {
            return;
        }
        let (from, lane) = (flow.config.from, flow.lane);
        match &mut flow.source {
            Source::Paced(pace, number) => {
                *number += 1;
                let next = pace.at(from, *number);
                self.expect(next.max(now), id, What::Due);
                self.put(lane, CROSS_PACKET_BYTES, id, What::Packet);
            }
            Source::Tcp(_) => self.send_window(id, lane),
        }
    }

    fn send_window(&mut self, id: FlowId, lane: Lane) {
        let now = self.now;
        while let Some(segment) = self.transfer(id).and_then(|it| it.sender.next_segment(now)) {
            self.put(lane, CROSS_PACKET_BYTES, id, What::Segment(segment));
        }
        self.set_timer(id);
    }

    /// The receiver has a segment.
    fn acknowledge(&mut self, id: FlowId, segment: Segment) {
        let flow = self.flow(id);
        flow.counters.delivered += 1;
        let back = Lane {
            way: flow.lane.way.back(),
            ..flow.lane
        };
        if let Some(transfer) = self.transfer(id) {
            let ack = transfer.receiver.take(segment);
            self.put(back, CROSS_ACK_BYTES, id, What::Ack(ack));
        }
    }

    /// The sender has an acknowledgement.
    fn hear(&mut self, id: FlowId, ack: Ack) {
        let now = self.now;
        if let Some(transfer) = self.transfer(id) {
            transfer.sender.acknowledge(now, ack);
            self.send_cross(id);
        }
    }

    fn cross_timer(&mut self, id: FlowId) {
        let now = self.now;
        let Some(transfer) = self.transfer(id) else {
            return;
        };
        if transfer.timer.take_if(|at| *at == now).is_none() {
            return; // it was set again, to an earlier time
        }
        match transfer.sender.deadline() {
            Some(deadline) if deadline <= now => {
                transfer.sender.time_out(now);
                self.send_cross(id);
            }
            _ => self.set_timer(id),
        }
    }

    /// Sets the timer of a sender, unless it goes off by the deadline anyway.
    fn set_timer(&mut self, id: FlowId) {
        let Some(transfer) = self.transfer(id) else {
            return;
        };
        let Some(deadline) = transfer.sender.deadline() else {
            return;
        };
        if transfer.timer.is_none_or(|at| deadline < at) {
            transfer.timer = Some(deadline);
            self.expect(deadline, id, What::Timer);
        }
    }

    /// Puts a parcel on a link.
    fn put(&mut self, lane: Lane, bytes: u32, flow: FlowId, what: What) {
        let now = self.now;
        if !matches!(what, What::Ack(_)) {
            self.flow(flow).counters.sent += 1;
        }
        let ecn = match what {
            What::Segment(segment) => segment.ecn,
            _ => Ecn::NotEct,
        };
        let key = self.cross.parcels.insert(Parcel { flow, what });
        match self.pipe(lane).offer_with(now, bytes, ecn) {
            Verdict::Wait => self.wait(lane, [Occupant::Cross(key)]),
            verdict => self.finish_parcel(key, verdict),
        }
    }

    fn expect(&mut self, at: Time, flow: FlowId, what: What) {
        let key = self.cross.parcels.insert(Parcel { flow, what });
        self.schedule(at, Event::Cross(key as u32));
    }

    fn flow(&mut self, id: FlowId) -> &mut Flow {
        &mut self.cross.flows[id.0 as usize]
    }

    fn transfer(&mut self, id: FlowId) -> Option<&mut Transfer> {
        match &mut self.flow(id).source {
            Source::Tcp(transfer) => Some(transfer),
            Source::Paced(..) => None,
        }
    }
}
