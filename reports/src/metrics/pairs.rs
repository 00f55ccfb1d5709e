//! Pairs of hosts that a call connects, from the two ends of each connection.

use std::collections::BTreeMap;

use crate::record::{CellRecord, ConnectionRecord};

/// What became of two hosts that the call meant to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair<'a> {
    /// The end that was recorded first.
    pub local: &'a str,
    /// The other end.
    pub remote: &'a str,
    /// Whether both ends connected.
    pub connected: bool,
    /// Whether both ends connected and media crossed the TURN server.
    pub relayed: bool,
    /// Type of the candidate that `local` selected.
    pub local_candidate: Option<&'a str>,
    /// Type of the candidate that `remote` selected.
    pub remote_candidate: Option<&'a str>,
}

/// Every pair of hosts with a connection from either end, in the order of the records.
pub fn pairs(record: &CellRecord) -> Vec<Pair<'_>> {
    let mut places = BTreeMap::new();
    let mut pairs: Vec<Ends> = Vec::new();
    for connection in &record.connections {
        let (local, remote) = (connection.local.as_str(), connection.remote.as_str());
        let place = *places
            .entry((local.min(remote), local.max(remote)))
            .or_insert_with(|| {
                pairs.push(Ends::new(local, remote));
                pairs.len() - 1
            });
        pairs[place].add(connection);
    }
    pairs.into_iter().map(Ends::pair).collect()
}

/// The two ends of a pair; either may be missing.
struct Ends<'a> {
    local: &'a str,
    remote: &'a str,
    /// As `local` and as `remote` recorded it.
    ends: [Option<&'a ConnectionRecord>; 2],
}

impl<'a> Ends<'a> {
    fn new(local: &'a str, remote: &'a str) -> Self {
        Ends {
            local,
            remote,
            ends: [None; 2],
        }
    }

    /// Takes the record of one end. Of several (a host left and came back), the last that
    /// connected counts.
    fn add(&mut self, connection: &'a ConnectionRecord) {
        let end = &mut self.ends[usize::from(connection.local != self.local)];
        if end.is_none_or(|known| connection.connected || !known.connected) {
            *end = Some(connection);
        }
    }

    fn pair(self) -> Pair<'a> {
        let connected = self
            .ends
            .iter()
            .all(|end| end.is_some_and(|end| end.connected));
        let relay = |end: &ConnectionRecord| end.path.as_deref() == Some("relay");
        let [near, far] = self.ends;
        // Each end knows both candidates; ask the one that selected it, then the other.
        let own = |end: Option<&'a ConnectionRecord>| end?.local_candidate.as_deref();
        let seen = |end: Option<&'a ConnectionRecord>| end?.remote_candidate.as_deref();
        Pair {
            local: self.local,
            remote: self.remote,
            connected,
            relayed: connected && self.ends.iter().flatten().any(|end| relay(end)),
            local_candidate: own(near).or(seen(far)),
            remote_candidate: own(far).or(seen(near)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{cell, connection};

    #[test]
    fn a_pair_is_connected_only_if_both_ends_are() {
        let mut record = cell();
        record.connections = vec![
            connection("a", "b", Some(("direct", "host", "srflx")), 1.0),
            connection("b", "a", None, 1.0),
            connection("c", "a", Some(("direct", "host", "host")), 1.0),
        ];
        let pairs = pairs(&record);
        let outcome: Vec<_> = pairs
            .iter()
            .map(|p| (p.local, p.remote, p.connected))
            .collect();
        assert_eq!(outcome, [("a", "b", false), ("c", "a", false)]);
        // b never selected a candidate; a says what it saw.
        assert_eq!(pairs[0].remote_candidate, Some("srflx"));
    }

    #[test]
    fn one_relayed_end_makes_a_relayed_pair() {
        let mut record = cell();
        record.connections = vec![
            connection("a", "b", Some(("direct", "prflx", "relay")), 1.0),
            connection("b", "a", Some(("relay", "relay", "prflx")), 1.0),
        ];
        let pairs = pairs(&record);
        assert!(pairs[0].connected && pairs[0].relayed);
        assert_eq!(pairs[0].local_candidate, Some("prflx"));
        assert_eq!(pairs[0].remote_candidate, Some("relay"));
    }

    #[test]
    fn a_host_that_came_back_counts_by_its_last_connection() {
        let mut record = cell();
        record.connections = vec![
            connection("a", "b", Some(("direct", "host", "host")), 1.0),
            connection("b", "a", Some(("direct", "host", "host")), 1.0),
            connection("a", "b", Some(("relay", "relay", "host")), 1.0),
            connection("b", "a", Some(("relay", "host", "relay")), 1.0),
        ];
        let pairs = pairs(&record);
        assert_eq!(pairs.len(), 1);
        assert!(pairs[0].relayed);
    }
}
