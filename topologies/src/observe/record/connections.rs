//! Every end of every connection that there should be.

use reports::record::ConnectionRecord;
use scenarios::{Participant, Topology};

use super::Recorder;
use crate::observe::frames::HopKey;
use crate::peer::connection::RELAY;
use crate::{mesh, world};

impl Recorder<'_> {
    /// Every end of every connection that there should be.
    pub fn connections(&self) -> Vec<ConnectionRecord> {
        let connection = |(local, remote): (u16, u16)| {
            let end = self.observations.calls.ends.get(&(local, remote));
            let (local_candidate, remote_candidate) = self.candidates(local, remote);
            ConnectionRecord {
                local: self.name(local),
                remote: self.name(remote),
                connected: end.is_some_and(|end| end.connected.is_some()),
                path: self.path(local, remote),
                local_candidate,
                remote_candidate,
                phases: self.observations.calls.phases(local, remote),
                transport: end.and_then(|end| end.transport.clone()),
            }
        };
        self.ends().into_iter().map(connection).collect()
    }

    /// Who is to be connected with whom, from each end.
    fn ends(&self) -> Vec<(u16, u16)> {
        if self.plan.topology == Topology::Mesh {
            return self.pairs(|a, b| mesh::are_connected(self.plan, a.index, b.index));
        }
        let server = world::media_server(self.plan);
        let all = self.plan.participants.iter();
        all.flat_map(|participant| [(participant.index, server), (server, participant.index)])
            .collect()
    }

    /// Every ordered pair of participants whose presence overlaps and that `wanted` accepts.
    pub(super) fn pairs(
        &self,
        wanted: impl Fn(&Participant, &Participant) -> bool,
    ) -> Vec<(u16, u16)> {
        let all = &self.plan.participants;
        let mut pairs = Vec::new();
        for a in all {
            for b in all {
                if a.index != b.index && meet(a, b) && wanted(a, b) {
                    pairs.push((a.index, b.index));
                }
            }
        }
        pairs
    }

    /// `direct` or `relay`, by whether media between the two hosts crossed a relay; between hosts
    /// without media, by whether one of them selected a candidate at a relay.
    pub(super) fn path(&self, a: u16, b: u16) -> Option<String> {
        let end = self.observations.calls.ends.get(&(a, b))?;
        end.connected?;
        let sources = self.observations.sources.iter();
        let between = |(_, hop): &(&u32, &HopKey)| {
            (hop.from, hop.to) == (a, b) || (hop.from, hop.to) == (b, a)
        };
        let mut media = sources.filter(between).peekable();
        let relayed = match media.peek() {
            Some(_) => media.any(|(ssrc, _)| self.traffic.relayed.contains(ssrc)),
            None => [(a, b), (b, a)].into_iter().any(|(local, remote)| {
                let (candidate, _) = self.candidates(local, remote);
                candidate.as_deref() == Some(RELAY)
            }),
        };
        Some(if relayed { "relay" } else { "direct" }.to_owned())
    }

    pub(super) fn candidates(&self, local: u16, remote: u16) -> (Option<String>, Option<String>) {
        let end = self.observations.calls.ends.get(&(local, remote));
        end.and_then(|end| end.candidates.clone()).unzip()
    }
}

fn meet(a: &Participant, b: &Participant) -> bool {
    let join = a.join.max(b.join);
    let leaves = [a.leave, b.leave];
    leaves.into_iter().flatten().all(|leave| join < leave)
}
