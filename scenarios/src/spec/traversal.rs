//! `[nat]`: the traversal matrix of `rtclab nat`.

pub(crate) mod types;

use std::ops::RangeInclusive;
use std::time::Duration;

use sim::LinkConfig;

use super::call::{self, distinct};
use super::link;
use crate::document::{Keys, Node, Section};
use crate::plan::{Allowance, IcePlan, NatType, Offerer, Outcome, Topology};
use crate::plan::{TransportPolicy, TurnAccess};
use crate::presets::{self, Labelled};
use crate::units::{Fraction, Span};

pub(super) const KEYS: Keys = Keys {
    section: "[nat]",
    names: &[
        "types",
        "pairs",
        "reply_pinning",
        "offerers",
        "topologies",
        "transport_policy",
        "stun",
        "turn",
        "link",
        "signaling_delay",
        "signaling_loss",
        "connect_within",
        "give_up_after",
        "expect",
        "allow",
    ],
};

pub(super) const ALLOW: Keys = Keys {
    section: "allow",
    names: &["a", "b", "outcome", "reason"],
};

const DELAYS: RangeInclusive<Span> = Span::ZERO..=Span::seconds(10);
/// Beyond half of all packets TCP does not get through within any deadline.
const LOSSES: RangeInclusive<Fraction> = Fraction::ZERO..=Fraction::HALF;
const LIMITS: RangeInclusive<Span> = Span::millis(1)..=Span::seconds(600);

/// ICE gives up on a failing connection within this, if signalling takes no time.
const PATIENCE: Duration = Duration::from_secs(15);

/// What `rtclab nat` runs.
#[derive(Clone, Debug)]
pub(crate) struct Traversal {
    /// Which types meet; `None` is the whole matrix.
    pub(crate) pairs: Option<Vec<(NatType, NatType)>>,
    /// Modes, at least one.
    pub(crate) reply_pinning: Vec<bool>,
    /// Roles, at least one.
    pub(crate) offerers: Vec<Offerer>,
    /// At least one.
    pub(crate) topologies: Vec<Topology>,
    /// How participants use STUN and TURN.
    pub(crate) ice: IcePlan,
    /// The access link of participants.
    pub(crate) link: Labelled<LinkConfig>,
    /// How much later offers, answers and candidates arrive than signalling itself takes.
    pub(crate) signaling_delay: Duration,
    /// How likely a packet is lost at the signalling server's link, in each direction.
    pub(crate) signaling_loss: f64,
    /// How long a connection may take, from the later participant's join.
    pub(crate) connect_within: Option<Duration>,
    /// How long a cell without media goes on, from the later participant's join.
    pub(crate) give_up_after: Duration,
    /// Whether what is expected follows from `ice`, and not from ICE that works.
    pub(crate) expects_as_set: bool,
    /// Outcomes that are not expected, and accepted.
    pub(crate) allow: Vec<Allowance>,
}

impl Default for Traversal {
    /// Everything, and everything works.
    fn default() -> Self {
        Traversal {
            pairs: None,
            reply_pinning: vec![false, true],
            offerers: vec![Offerer::A, Offerer::B],
            topologies: vec![Topology::Mesh, Topology::Sfu, Topology::Mcu],
            ice: IcePlan::default(),
            link: presets::home_link(),
            signaling_delay: Duration::ZERO,
            signaling_loss: 0.0,
            connect_within: None,
            give_up_after: PATIENCE,
            expects_as_set: false,
            allow: Vec::new(),
        }
    }
}

/// The matrix of the scenario; `None` inside if it says nothing of one.
pub(super) fn read(section: &Section<'_>) -> Option<Traversal> {
    section.or("nat", Traversal::default(), matrix)
}

fn matrix(node: &Node<'_>) -> Option<Traversal> {
    let section = node.section(&KEYS, "a table: [nat]")?;
    let base = Traversal::default();
    let pairs = types::pairs(&section);
    let reply_pinning = section.or("reply_pinning", base.reply_pinning, |node| {
        let items = node.items("[false, true]")?;
        distinct(node, &items, "write [false, true]", |node| node.boolean())
    });
    let offerers = section.or("offerers", base.offerers, |node| {
        let items = node.items("[\"a\", \"b\"]")?;
        distinct(node, &items, "write [\"a\", \"b\"]", offerer)
    });
    let topologies = section.or("topologies", base.topologies, call::topologies);
    let ice = ice(&section);
    let link = section.or("link", base.link, link::read);
    let signaling = signaling(&section);
    let limit = |node: &Node<'_>| node.within(LIMITS).map(Duration::from);
    let connect_within = section.maybe("connect_within", limit);
    let patience = PATIENCE + 8 * signaling.map_or(Duration::ZERO, |(delay, _)| delay);
    let give_up_after = section.or("give_up_after", patience, limit);
    let expects_as_set = section.or("expect", false, |node| {
        node.choice(&[("working", false), ("as-set", true)])
    });
    let allow = section.or("allow", Vec::new(), |node| {
        let known = pairs.as_ref().map(Option::as_deref);
        allowances(node, known)
    });
    let (signaling_delay, signaling_loss) = signaling?;
    Some(Traversal {
        pairs: pairs?,
        reply_pinning: reply_pinning?,
        offerers: offerers?,
        topologies: topologies?,
        ice: ice?,
        link: link?,
        signaling_delay,
        signaling_loss,
        connect_within: connect_within?,
        give_up_after: give_up_after?,
        expects_as_set: expects_as_set?,
        allow: allow?,
    })
}

fn offerer(node: &Node<'_>) -> Option<Offerer> {
    node.choice(&[("a", Offerer::A), ("b", Offerer::B)])
}

fn ice(section: &Section<'_>) -> Option<IcePlan> {
    let base = IcePlan::default();
    let policy = section.or("transport_policy", base.policy, |node| {
        node.choice(&[
            ("all", TransportPolicy::All),
            ("relay", TransportPolicy::Relay),
        ])
    });
    let stun = section.or("stun", base.stun, Node::boolean);
    let turn = section.or("turn", base.turn, turn);
    Some(IcePlan {
        policy: policy?,
        stun: stun?,
        turn: turn?,
    })
}

fn turn(node: &Node<'_>) -> Option<TurnAccess> {
    match (node.as_bool(), node.as_str()) {
        (Some(true), _) => Some(TurnAccess::Granted),
        (Some(false), _) => Some(TurnAccess::Absent),
        (_, Some("wrong-credentials")) => Some(TurnAccess::WrongCredentials),
        _ => node.unexpected("true, false or \"wrong-credentials\""),
    }
}

/// Delay and loss of signalling.
fn signaling(section: &Section<'_>) -> Option<(Duration, f64)> {
    let delay = section.or("signaling_delay", Span::ZERO, |node| node.within(DELAYS));
    let loss = section.or("signaling_loss", Fraction::ZERO, |node| node.within(LOSSES));
    Some((delay?.into(), loss?.get()))
}

/// The allowances, each of types that meet; `known` are the pairs, unless they cannot be read.
fn allowances(
    node: &Node<'_>,
    known: Option<Option<&[(NatType, NatType)]>>,
) -> Option<Vec<Allowance>> {
    let items =
        node.items("[{ a = \"symmetric\", b = \"full-cone\", outcome = \"relay\", ... }]")?;
    let one = |item: &Node<'_>| {
        let allowance = allowance(item)?;
        let meets = |pairs: &[(NatType, NatType)]| {
            let mut pairs = pairs.iter();
            pairs.any(|(a, b)| allowance.is_of(&a.name, &b.name))
        };
        let idle = match known {
            Some(Some(pairs)) => !meets(pairs),
            Some(None) => !meets(&types::all()),
            None => false,
        };
        if idle {
            return item.fail(format!(
                "no cell is of {:?} and {:?}; write the names of two types that meet",
                allowance.a, allowance.b
            ));
        }
        Some(allowance)
    };
    let all: Vec<_> = items.iter().map(one).collect();
    all.into_iter().collect()
}

fn allowance(node: &Node<'_>) -> Option<Allowance> {
    let example = "{ a = \"symmetric\", b = \"full-cone\", outcome = \"relay\", reason = \"...\" }";
    let section = node.section(&ALLOW, example)?;
    let name = |node: &Node<'_>| node.string().map(str::to_owned);
    let a = section.must("a", "a = \"symmetric\"", name);
    let b = section.must("b", "b = \"full-cone\"", name);
    let outcome = section.must("outcome", "outcome = \"relay\"", |node| {
        let all = [Outcome::Direct, Outcome::Relay, Outcome::Failed];
        node.choice(&all.map(|outcome| (outcome.name(), outcome)))
    });
    let reason = section.must(
        "reason",
        "reason = \"why it is accepted\"",
        |node| match node.string()?.trim() {
            "" => node.fail("empty; write why the outcome is accepted"),
            text => Some(text.to_owned()),
        },
    );
    Some(Allowance {
        a: a?,
        b: b?,
        outcome: outcome?,
        reason: reason?,
    })
}
