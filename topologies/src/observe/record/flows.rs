//! The media of each connection, second by second.

use std::collections::BTreeMap;
use std::time::Duration;

use reports::record::{FlowRecord, FlowSecond};
use scenarios::{Happening, Participant, Plan};
use sim::Change;

use super::Recorder;
use crate::observe::flows::Second;

impl Recorder<'_> {
    /// Every connection each way, by the order of hosts, if they are watched.
    pub fn flows(&self) -> Vec<FlowRecord> {
        let flows = self.observations.flows.iter().flatten();
        let flow = |(&(from, to), seconds): (&(u16, u16), _)| self.flow((from, to), seconds);
        flows.map(flow).collect()
    }

    fn flow(&self, (from, to): (u16, u16), seconds: &BTreeMap<u32, Second>) -> FlowRecord {
        let propagation = propagation(self.plan, (from, to));
        let record = |(&second, seen): (&u32, &Second)| FlowSecond {
            second,
            packets_sent: seen.sent,
            packets_lost: seen.lost,
            packets_marked: seen.marked,
            received_kbps: seen.bytes as f64 * 8.0 / 1e3,
            queue_ms: match propagation {
                None => Default::default(),
                Some(least) => {
                    let queued = |delay: &Duration| delay.saturating_sub(least).as_millis() as u64;
                    seen.delays.iter().map(queued).collect()
                }
            },
        };
        FlowRecord {
            sender: self.name(from),
            receiver: self.name(to),
            seconds: seconds.iter().map(record).collect(),
        }
    }
}

/// What the access links of two hosts take by themselves, one way; `None` if that changes.
fn propagation(plan: &Plan, (from, to): (u16, u16)) -> Option<Duration> {
    let steady = |host: u16| match plan.participants.get(usize::from(host)) {
        Some(participant) => is_steady(plan, participant).then_some(participant.link),
        None => Some(plan.servers.link),
    };
    Some(steady(from)?.up.delay + steady(to)?.down.delay)
}

/// Whether a participant stays on its link, and that keeps its delays.
fn is_steady(plan: &Plan, participant: &Participant) -> bool {
    let network = &participant.network;
    let mut changes = network.changes.up.iter().chain(&network.changes.down);
    let moves = plan.events.iter().any(|event| match event.what {
        Happening::Roam {
            participant: who, ..
        } => who == participant.index,
        _ => false,
    });
    !moves
        && network.handovers.is_empty()
        && !changes.any(|change| matches!(change.what, Change::Delay(_)))
}
