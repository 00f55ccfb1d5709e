//! What the happenings of a call did to its streams.

use reports::record::Interruption;
use scenarios::{Happening, Plan};
use sim::Time;

use super::Recorder;
use crate::observe::gaps::gaps;
use crate::observe::shown::StreamKey;
use crate::world;

/// The name of a handover of `[[network]]` in files and tables.
const HANDOVER: &str = "handover";

/// Something that happened to a host of the call.
struct Happened {
    at: Time,
    what: &'static str,
    /// Its index.
    host: u16,
}

impl Recorder<'_> {
    /// What happened in the call did to a stream whose frames were shown at these instants.
    pub(super) fn interruptions(&self, key: StreamKey, shown: &[Time]) -> Vec<Interruption> {
        let happened = happened(self.plan);
        let times: Vec<_> = happened.iter().map(|happened| happened.at).collect();
        let (_, end) = self.presence(key);
        let gaps = gaps(shown, &times, end);
        let told = happened.into_iter().zip(gaps);
        told.filter_map(|(Happened { at, what, host }, gap)| {
            let gap = gap?;
            Some(Interruption {
                what: what.to_owned(),
                host: self.name(host),
                at_ms: at.as_millis_f64(),
                gap_ms: gap.length.as_secs_f64() * 1e3,
                recovered: gap.ended,
            })
        })
        .collect()
    }
}

/// All that happens, in order of time; at one time events first, in their order.
fn happened(plan: &Plan) -> Vec<Happened> {
    let events = plan.events.iter().filter_map(|event| {
        Some(Happened {
            at: Time::ZERO + event.at,
            what: event.what.name(),
            host: host(plan, &event.what)?,
        })
    });
    let handovers = plan.participants.iter().flat_map(|participant| {
        let handovers = participant.network.handovers.iter();
        handovers.map(|handover| Happened {
            at: Time::ZERO + handover.at,
            what: HANDOVER,
            host: participant.index,
        })
    });
    let mut all: Vec<_> = events.chain(handovers).collect();
    all.sort_by_key(|happened| happened.at);
    all
}

/// The index of the host that something happens to; `None` if the topology has not got it.
fn host(plan: &Plan, what: &Happening) -> Option<u16> {
    match what {
        Happening::SignalingOutage => Some(world::signaling_server(plan)),
        Happening::ServerRestart => world::media_role(plan).map(|_| world::media_server(plan)),
        _ => what.participant(),
    }
}
