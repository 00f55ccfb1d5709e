//! Who else is in the call, as decisions: nothing here touches a connection.

use std::collections::BTreeMap;

use crate::infra::signaling::protocol::{LeaveReason, Participant};

/// Everybody else who is there, by index, each with the connection to them, if there is one yet.
#[derive(Debug)]
pub struct Roster<C> {
    others: BTreeMap<u16, Other<C>>,
}

#[derive(Debug)]
struct Other<C> {
    participant: Participant,
    connection: Option<C>,
}

impl<C> Default for Roster<C> {
    fn default() -> Self {
        Roster {
            others: BTreeMap::new(),
        }
    }
}

impl<C> Roster<C> {
    /// Notes that somebody is there. Returns the connection to an earlier incarnation of them,
    /// which is to be closed.
    #[must_use]
    pub fn meet(&mut self, remote: u16, participant: Participant) -> Option<C> {
        let known = self.others.get(&remote);
        if known.is_some_and(|known| known.participant == participant) {
            return None;
        }
        let connection = None;
        let other = Other {
            participant,
            connection,
        };
        self.others.insert(remote, other)?.connection
    }

    /// Somebody went, as signalling sees it. Returns the connection that is to be closed.
    ///
    /// Who only lost signalling keeps the connection: media does not need signalling, and they
    /// may come back. An earlier incarnation that goes takes nothing along.
    #[must_use]
    pub fn left(
        &mut self,
        remote: u16,
        participant: &Participant,
        reason: LeaveReason,
    ) -> Option<C> {
        let known = self.others.get(&remote)?;
        if known.participant != *participant || only_lost_signaling(reason) {
            return None;
        }
        self.others.remove(&remote)?.connection
    }

    /// Who participant `remote` is, in the incarnation that is there.
    pub fn participant(&self, remote: u16) -> Option<&Participant> {
        Some(&self.others.get(&remote)?.participant)
    }

    /// Where the connection with `remote` goes; `None` if they are not there.
    pub fn connection(&mut self, remote: u16) -> Option<&mut Option<C>> {
        Some(&mut self.others.get_mut(&remote)?.connection)
    }

    /// Every connection.
    pub fn connections(&self) -> impl Iterator<Item = &C> {
        self.others
            .values()
            .filter_map(|other| other.connection.as_ref())
    }
}

/// Whether a client that goes for this reason tries to come back in the same session.
pub fn only_lost_signaling(reason: LeaveReason) -> bool {
    match reason {
        LeaveReason::Left | LeaveReason::Expelled => false,
        LeaveReason::Disconnected
        | LeaveReason::Timeout
        | LeaveReason::Replaced
        | LeaveReason::Overloaded => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infra::signaling::Session;

    fn incarnation(session: u32) -> Participant {
        Participant {
            name: "anna".parse().unwrap(),
            session: Session(session),
        }
    }

    /// A roster in which participant 3 is there in session 1, with the connection "first".
    fn with_anna() -> Roster<&'static str> {
        let mut roster = Roster::default();
        assert_eq!(roster.meet(3, incarnation(1)), None);
        *roster.connection(3).unwrap() = Some("first");
        roster
    }

    #[test]
    fn who_leaves_loses_the_connection() {
        for reason in [LeaveReason::Left, LeaveReason::Expelled] {
            let mut roster = with_anna();
            assert_eq!(roster.left(3, &incarnation(1), reason), Some("first"));
            assert_eq!(roster.participant(3), None);
        }
    }

    #[test]
    fn who_only_lost_signaling_keeps_the_connection() {
        for reason in [
            LeaveReason::Disconnected,
            LeaveReason::Timeout,
            LeaveReason::Replaced,
            LeaveReason::Overloaded,
        ] {
            let mut roster = with_anna();
            assert_eq!(roster.left(3, &incarnation(1), reason), None);
            // They come back in the same session.
            assert_eq!(roster.meet(3, incarnation(1)), None);
            assert_eq!(roster.connections().collect::<Vec<_>>(), [&"first"]);
        }
    }

    #[test]
    fn a_new_incarnation_replaces_the_connection_once() {
        let mut roster = with_anna();
        assert_eq!(roster.meet(3, incarnation(2)), Some("first"));
        assert_eq!(roster.participant(3), Some(&incarnation(2)));
        assert_eq!(roster.connection(3), Some(&mut None));
        // Signalling notices late that the earlier one is gone.
        *roster.connection(3).unwrap() = Some("second");
        assert_eq!(roster.left(3, &incarnation(1), LeaveReason::Left), None);
        assert_eq!(roster.connections().collect::<Vec<_>>(), [&"second"]);
    }

    #[test]
    fn strangers_have_no_connection() {
        let mut roster = with_anna();
        assert_eq!(roster.left(4, &incarnation(1), LeaveReason::Left), None);
        assert_eq!(roster.connection(4), None);
    }
}
