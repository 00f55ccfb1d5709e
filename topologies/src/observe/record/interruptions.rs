//! What the happenings of a call did to its streams.

use reports::record::Interruption;
use scenarios::{Event, Happening};
use sim::Time;

use super::Recorder;
use crate::observe::gaps::gaps;
use crate::observe::shown::StreamKey;
use crate::world;

impl Recorder<'_> {
    /// What happened in the call did to a stream whose frames were shown at these instants.
    pub(super) fn interruptions(&self, key: StreamKey, shown: &[Time]) -> Vec<Interruption> {
        let happened: Vec<_> = self
            .plan
            .events
            .iter()
            .filter_map(|event| Some((event, self.happened_to(&event.what)?)))
            .collect();
        let times: Vec<_> = happened.iter().map(|(event, _)| began(event)).collect();
        let (_, end) = self.presence(key);
        let gaps = gaps(shown, &times, end);
        let told = happened.into_iter().zip(gaps);
        told.filter_map(|((event, host), gap)| {
            let gap = gap?;
            Some(Interruption {
                what: event.what.name().to_owned(),
                host: self.name(host),
                at_ms: began(event).as_millis_f64(),
                gap_ms: gap.length.as_secs_f64() * 1e3,
                recovered: gap.ended,
            })
        })
        .collect()
    }

    /// The index of the host that something happened to; `None` if the topology has not got it.
    fn happened_to(&self, what: &Happening) -> Option<u16> {
        match what {
            Happening::SignalingOutage => Some(world::signaling_server(self.plan)),
            Happening::ServerRestart => {
                world::media_role(self.plan).map(|_| world::media_server(self.plan))
            }
            _ => what.participant(),
        }
    }
}

fn began(event: &Event) -> Time {
    Time::ZERO + event.at
}
