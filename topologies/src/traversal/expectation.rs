//! What theory says of a pair of NATs, from the text of RFC 4787, 8445 and 8656 alone.
//!
//! Nothing here knows the emulator or the WebRTC stack: a side is a mapping and a filtering, and
//! the question is whether any connectivity check can succeed.
//!
//! **What a check needs.** A host sends checks to the addresses that the other one announced: its
//! own address, what a STUN server saw (the mapping that was made for that server), and a relay
//! (RFC 8445 section 5.1.1). A check succeeds if it is let in, and if the answer comes from where
//! the check went, to where it came from (section 7.2.5.2.1). Whoever is reached learns where the
//! check came from and sends one back there (section 7.3.1.4).
//!
//! **Several NATs in a row** map as the most dependent one of them and filter as the strictest one:
//! an external endpoint is one only if every NAT keeps it one, and a packet comes in only if every
//! NAT lets it. A public address maps on nothing and filters nothing.

use reports::traversal::{Behavior, Outcome, Side};

use Behavior::{
    AddressAndPortDependent as Port, AddressDependent as Address, EndpointIndependent as Open,
};

/// What is known before a cell is run.
#[derive(Clone, Debug)]
pub struct Situation<'a> {
    /// What one participant is behind.
    pub a: &'a Side,
    /// What the other end is behind.
    pub b: &'a Side,
    /// Whether the NATs pin replies.
    pub reply_pinning: bool,
    /// What the two share.
    pub shared: Shared,
    /// Whether relays alone may be used.
    pub relay_only: bool,
    /// Whether hosts learn how they look from outside.
    pub stun: bool,
    /// Whether hosts can have relays.
    pub turn: bool,
    /// Whether the other end waits at TCP port 443 (RFC 6544), as servers do.
    pub ice_tcp: bool,
}

/// What the two ends of a connection share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shared {
    /// The internet.
    Nothing,
    /// The network behind a NAT.
    Network,
    /// The outermost of their NATs, each having another one of its own behind that.
    OutermostNat {
        /// Whether it turns packets to its own external endpoints round, with the external
        /// endpoint as their source (RFC 4787 REQ-9a).
        hairpins: bool,
    },
}

/// What is to be expected, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// What.
    pub outcome: Outcome,
    /// A clause that follows "because".
    pub because: &'static str,
}

/// What is to be expected of a situation.
pub fn expect(situation: &Situation<'_>) -> Expectation {
    let Situation { a, b, .. } = situation;
    let says = |outcome, because| Expectation { outcome, because };
    if a.udp_blocked || b.udp_blocked {
        return match situation.ice_tcp && !situation.relay_only {
            true => says(
                Outcome::Direct,
                "no UDP passes, but the server is at TCP 443",
            ),
            false => says(
                Outcome::Failed,
                "no UDP passes, and STUN and TURN are by UDP",
            ),
        };
    }
    let (direct, because) = match situation.relay_only {
        true => (false, "relays alone may be used"),
        false => crosses(situation),
    };
    match (direct, situation.turn) {
        (true, _) => says(Outcome::Direct, because),
        (false, true) => says(Outcome::Relay, because),
        (false, false) => says(Outcome::Failed, because),
    }
}

/// Whether some check between the two can succeed without a relay, and why.
fn crosses(situation: &Situation<'_>) -> (bool, &'static str) {
    let (a, b) = (behaviors(situation.a), behaviors(situation.b));
    match situation.shared {
        Shared::Network => return (true, "their own addresses are of one network"),
        Shared::OutermostNat { hairpins: false } => {
            return (false, "the NAT that they share does not hairpin");
        }
        Shared::OutermostNat { hairpins: true } | Shared::Nothing => {}
    }
    let is_public = |side: &Side| side.mapping.is_none();
    if is_public(situation.a) || is_public(situation.b) {
        return (
            true,
            "one of them has a public address, which the other one can send to",
        );
    }
    if !situation.stun {
        return (
            false,
            "neither knows an address at which the other one can be reached",
        );
    }
    match situation.reply_pinning {
        false => punches(a, b),
        true => punches_pinned(a, b),
    }
}

/// A mapping and a filtering behaviour.
type Kind = (Behavior, Behavior);

fn behaviors(side: &Side) -> Kind {
    (side.mapping.unwrap_or(Open), side.filtering.unwrap_or(Open))
}

/// Hole punching between two NATs of which every packet leaves by its mapping behaviour.
///
/// - Both mappings are endpoint-independent: each sends from where the other one expects it, so
///   each has sent to where the other's checks come from, and the second check passes any filter.
/// - One is. The other one's checks come from a mapping of their own, whose port was not announced.
///   The first has sent to that address, so they pass unless its filter looks at the port, too.
///   The way back is open: the dependent mapping was made by sending there.
/// - Neither is. What was announced are mappings made for the STUN server, so only an open filter
///   lets a check in there. Its receiver answers through another mapping, from an address that the
///   sender must let in. If both map by port, every answer comes from a mapping of its own, and no
///   check is ever answered from where it went.
fn punches(a: Kind, b: Kind) -> (bool, &'static str) {
    match (a, b) {
        ((Open, _), (Open, _)) => (true, "both send from where the other one expects it"),
        ((Open, filtering), _) | (_, (Open, filtering)) => match filtering {
            Port => (
                false,
                "the dependent mapping sends from a port that the other's filter does not know",
            ),
            Open | Address => (
                true,
                "the other's filter does not look at the port that the dependent mapping sends from",
            ),
        },
        ((Port, _), (Port, _)) => (
            false,
            "both map by port, so that no check is answered from where it went",
        ),
        ((_, Open), (_, Open | Address)) | ((_, Address), (_, Open)) => (
            true,
            "one has an open filter, and the other one lets in by address",
        ),
        _ => (
            false,
            "both mappings are dependent, and the filters let no check or no answer in",
        ),
    }
}

/// Hole punching between two NATs that send the reply to an accepted packet by the mapping that it
/// came in by: every check that is let in is answered from where it went, so one that is let in
/// suffices.
fn punches_pinned(a: Kind, b: Kind) -> (bool, &'static str) {
    match lets_in(a, b) || lets_in(b, a) {
        true => (
            true,
            "a check is let in, and a pinned reply comes from where it went",
        ),
        false => (
            false,
            "no announced mapping lets a check of the other one in",
        ),
    }
}

/// Whether the announced mapping of one lets a check of the other in. An open filter does. Others
/// take that its host has sent to the other's address through that very mapping, which takes
/// endpoint-independent mapping; and if the port counts, too, that the other one sends from the
/// port that it has announced.
fn lets_in((maps, filters): Kind, (other_maps, _): Kind) -> bool {
    match filters {
        Open => true,
        Address => maps == Open,
        Port => maps == Open && other_maps == Open,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Behavior; 3] = [Open, Address, Port];

    fn side(kind: Option<Kind>) -> Side {
        Side {
            name: String::new(),
            mapping: kind.map(|kind| kind.0),
            filtering: kind.map(|kind| kind.1),
            udp_blocked: false,
        }
    }

    fn kinds() -> Vec<Side> {
        let kinds = ALL.iter().flat_map(|m| ALL.map(|f| (*m, f)));
        kinds.map(|kind| side(Some(kind))).collect()
    }

    fn situation<'a>(a: &'a Side, b: &'a Side) -> Situation<'a> {
        Situation {
            a,
            b,
            reply_pinning: false,
            shared: Shared::Nothing,
            relay_only: false,
            stun: true,
            turn: true,
            ice_tcp: false,
        }
    }

    /// How many of the 81 ordered pairs end directly, by relay and not at all.
    fn counts(change: impl Fn(&mut Situation<'_>)) -> [usize; 3] {
        let kinds = kinds();
        let pairs = kinds.iter().flat_map(|a| kinds.iter().map(move |b| (a, b)));
        let mut counts = [0; 3];
        for (a, b) in pairs {
            let mut situation = situation(a, b);
            change(&mut situation);
            let outcome = expect(&situation).outcome;
            counts[Outcome::ALL.iter().position(|o| *o == outcome).unwrap()] += 1;
        }
        counts
    }

    #[test]
    fn as_many_pairs_are_direct_as_the_derivation_counts() {
        // Three of nine kinds map endpoint-independently, two of these have a filter that does not
        // look at ports. Strict: both 3 x 3 = 9; one, either side, 2 x (2 x 6) = 24; neither: of
        // the filters (open, open), (open, address), (address, open), 3 of 9, for each of the 4
        // pairs of mappings but the one where both map by port: 3 x 3 = 9.
        assert_eq!(counts(|_| {}), [9 + 24 + 9, 39, 0]);
        // Pinned: both 9; one, either side, 2 x 18, less those where neither lets in: the first
        // filters by port and the other one is not open, 2 x (2 x 2); neither: all but those where
        // neither filter is open, 4 x (9 - 4).
        let pinned = |s: &mut Situation<'_>| s.reply_pinning = true;
        assert_eq!(counts(pinned), [9 + 36 - 8 + 20, 24, 0]);
    }

    #[test]
    fn what_is_taken_away_changes_what_depends_on_it() {
        // Without relays exactly those fail that would have been relayed.
        assert_eq!(counts(|s| s.turn = false), [42, 0, 39]);
        assert_eq!(counts(|s| s.relay_only = true), [0, 81, 0]);
        assert_eq!(counts(|s| s.stun = false), [0, 81, 0]);
        let neither = |s: &mut Situation<'_>| (s.stun, s.turn) = (false, false);
        assert_eq!(counts(neither), [0, 0, 81]);
    }

    /// RFC 3489 in the words of RFC 4787: a symmetric NAT reaches all but those whose filter looks
    /// at the port.
    #[test]
    fn classic_types_relay_where_symmetric_meets_port_restricted_or_symmetric() {
        let classic = [(Open, Open), (Open, Address), (Open, Port), (Port, Port)];
        for (i, a) in classic.into_iter().enumerate() {
            for (j, b) in classic.into_iter().enumerate() {
                let relayed = matches!((i, j), (2, 3) | (3, 2) | (3, 3));
                let (a, b) = (side(Some(a)), side(Some(b)));
                let outcome = expect(&situation(&a, &b)).outcome;
                assert_eq!(outcome == Outcome::Relay, relayed, "{i} {j}");
            }
        }
    }

    #[test]
    fn what_two_share_decides() {
        let (open, symmetric) = (side(Some((Open, Open))), side(Some((Port, Port))));
        let with = |kind, shared| {
            let situation = Situation {
                shared,
                ..situation(kind, kind)
            };
            expect(&situation).outcome
        };
        assert_eq!(with(&symmetric, Shared::Network), Outcome::Direct);
        let hairpins = |hairpins| Shared::OutermostNat { hairpins };
        assert_eq!(with(&open, hairpins(true)), Outcome::Direct);
        assert_eq!(with(&open, hairpins(false)), Outcome::Relay);
        assert_eq!(with(&symmetric, hairpins(true)), Outcome::Relay);
    }

    #[test]
    fn a_public_address_is_reached_by_all_but_without_udp_by_tcp_alone() {
        let (public, symmetric) = (side(None), side(Some((Port, Port))));
        let mut to_public = situation(&symmetric, &public);
        to_public.stun = false;
        assert_eq!(expect(&to_public).outcome, Outcome::Direct);
        let blocked = Side {
            udp_blocked: true,
            ..public.clone()
        };
        let with = |ice_tcp, relay_only| {
            let situation = Situation {
                ice_tcp,
                relay_only,
                ..situation(&blocked, &public)
            };
            expect(&situation).outcome
        };
        assert_eq!(with(false, false), Outcome::Failed);
        // RFC 6544: a server is a host candidate, too, at a port of TCP.
        assert_eq!(with(true, false), Outcome::Direct);
        assert_eq!(with(true, true), Outcome::Failed);
    }
}
