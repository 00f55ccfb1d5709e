//! Which channels a connection has: both ends know it from the plan, so nothing is announced.

use scenarios::{DataPlan, Plan, Reliability};
use webrtc::data_channel::RTCDataChannelInit;

use crate::world;

/// A channel of a connection, seen from one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stream {
    /// The place of its workload in the plan.
    pub workload: usize,
    /// Whether this end sends over it.
    pub outgoing: bool,
    /// The SCTP stream.
    pub id: u16,
}

/// The channels of the connection between hosts `local` and `remote`, as `local` sees them.
pub fn streams(plan: &Plan, local: u16, remote: u16) -> Vec<Stream> {
    let mut streams = Vec::new();
    for (workload, data) in plan.data.iter().enumerate() {
        for (outgoing, from, to) in [(true, local, remote), (false, remote, local)] {
            if carries(plan, data, from, to) {
                // Plans have 100 workloads at most.
                let id = 2 * workload as u16 + u16::from(from > to);
                streams.push(Stream {
                    workload,
                    outgoing,
                    id,
                });
            }
        }
    }
    streams
}

/// Whether messages of a workload go from one host to another, over a connection between them.
fn carries(plan: &Plan, data: &DataPlan, from: u16, to: u16) -> bool {
    let server = world::media_role(plan).map(|_| world::media_server(plan));
    let any = |all: &[u16], with: &dyn Fn(u16) -> bool| all.iter().any(|other| with(*other));
    if Some(to) == server {
        return any(&data.receivers, &|receiver| data.joins(from, receiver));
    }
    if Some(from) == server {
        return any(&data.senders, &|sender| data.joins(sender, to));
    }
    data.joins(from, to)
}

/// How the stack is to open the channel of `stream`.
pub fn init(data: &DataPlan, stream: Stream) -> RTCDataChannelInit {
    let (max_retransmits, max_packet_life_time) = match data.reliability {
        Reliability::Full => (None, None),
        Reliability::Retransmits(number) => (Some(number), None),
        Reliability::LifetimeMs(ms) => (None, Some(ms)),
    };
    RTCDataChannelInit {
        ordered: data.ordered,
        max_retransmits,
        max_packet_life_time,
        negotiated: Some(stream.id),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use scenarios::{Overrides, Topology};

    use super::*;

    /// In `file-share` participant 0 sends a file to the others, and everybody chats.
    #[test]
    fn both_ends_know_the_same_channels() {
        let scenario = scenarios::load("file-share").expect("built in");
        for plan in scenario.resolve(&Overrides::default()).expect("valid") {
            let (host, guest) = (0, 1);
            let other = match plan.topology {
                Topology::Mesh => 2,
                Topology::Sfu | Topology::Mcu => world::media_server(&plan),
            };
            let of = |a, b| -> Vec<_> {
                let streams = streams(&plan, a, b).into_iter();
                streams.map(|s| (s.workload, s.outgoing, s.id)).collect()
            };
            // Even numbers go to the larger index.
            assert_eq!(of(host, other), [(0, true, 0), (1, true, 2), (1, false, 3)]);
            let mirrored = [(0, false, 0), (1, true, 3), (1, false, 2)];
            assert_eq!(of(other, host), mirrored);
            let file = (0, false, 1);
            let chat = [(1, true, 2), (1, false, 3)];
            match plan.topology {
                Topology::Mesh => assert_eq!(of(guest, other), chat),
                _ => assert_eq!(of(guest, other), [&[file][..], &chat].concat()),
            }
        }
    }
}
