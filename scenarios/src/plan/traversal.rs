//! A traversal matrix: which pairs of NATs are to be crossed, and what is asked of them.

use std::time::Duration;

use sim::NatConfig;

use super::{Plan, Topology};

/// The cells of a traversal matrix, and what is allowed of them.
#[derive(Clone, Debug, PartialEq)]
pub struct TraversalPlan {
    /// The scenario's name.
    pub scenario: String,
    /// What the seeds of the cells follow from, each of which has one of its own.
    pub seed: u64,
    /// What is run, in this order.
    pub cells: Vec<TraversalCell>,
    /// Whether what is expected follows from the [`IcePlan`](super::IcePlan) of the calls; if not,
    /// from ICE that works, so that a plan that takes something away shows what that breaks.
    pub expects_as_set: bool,
    /// Outcomes that are not expected, and accepted.
    pub allowed: Vec<Allowance>,
    /// How long a connection may take, from the later participant's join.
    pub connect_within: Option<Duration>,
}

/// One call between two participants behind NATs, or of two that are alike with a server.
#[derive(Clone, Debug, PartialEq)]
pub struct TraversalCell {
    /// What the cell is there for.
    pub suite: Suite,
    /// What participant 0 is behind.
    pub a: NatType,
    /// What participant 1 is behind.
    pub b: NatType,
    /// Whether every NAT pins replies.
    pub reply_pinning: bool,
    /// Who offers; with a server always participants do.
    pub offerer: Offerer,
    /// The call.
    pub plan: Plan,
}

impl TraversalCell {
    /// What sets the cell apart from all others of its matrix.
    pub fn name(&self) -> String {
        let pinning = if self.reply_pinning {
            "pinned"
        } else {
            "strict"
        };
        format!(
            "{}/{}/{} x {}/{pinning}/{}",
            self.topology().name(),
            self.suite.name(),
            self.a.name,
            self.b.name,
            self.offerer.name()
        )
    }

    /// How the participants are connected.
    pub fn topology(&self) -> Topology {
        self.plan.topology
    }

    /// Whether both are behind the same outermost NAT.
    pub fn shares_nat(&self) -> bool {
        self.plan.participants[1].behind_same.is_some()
    }
}

/// A NAT, or several in a row, under a name.
#[derive(Clone, Debug, PartialEq)]
pub struct NatType {
    /// A preset's name, or mapping and filtering in short, such as `EIM/ADF`.
    pub name: String,
    /// The innermost first; none for a public address.
    pub nats: Vec<NatConfig>,
}

/// What a cell is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Suite {
    /// Every mapping behaviour with every filtering behaviour of RFC 4787.
    Behaviors,
    /// The four types of RFC 3489.
    Classic,
    /// A home NAT behind a carrier's.
    Carrier,
    /// Both behind one NAT.
    SameNat,
    /// Both behind one carrier's NAT, each with a home NAT of its own.
    Hairpin,
    /// UDP does not pass.
    UdpBlocked,
    /// Each type with a server.
    Servers,
    /// What the scenario chose.
    Chosen,
}

impl Suite {
    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Suite::Behaviors => "behaviors",
            Suite::Classic => "classic",
            Suite::Carrier => "carrier",
            Suite::SameNat => "same-nat",
            Suite::Hairpin => "hairpin",
            Suite::UdpBlocked => "udp-blocked",
            Suite::Servers => "servers",
            Suite::Chosen => "chosen",
        }
    }
}

/// Which of the two participants offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offerer {
    /// The first.
    A,
    /// The second.
    B,
}

impl Offerer {
    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Offerer::A => "a",
            Offerer::B => "b",
        }
    }
}

/// How a cell can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Media flowed without a relay.
    Direct,
    /// Media flowed through the TURN server.
    Relay,
    /// There was no media.
    Failed,
}

impl Outcome {
    /// The name used in scenarios, files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Direct => "direct",
            Outcome::Relay => "relay",
            Outcome::Failed => "failed",
        }
    }
}

/// An outcome that is not expected, and accepted, of the cells of two types in either order.
#[derive(Clone, Debug, PartialEq)]
pub struct Allowance {
    /// The name of one type.
    pub a: String,
    /// The name of the other one.
    pub b: String,
    /// What is accepted.
    pub outcome: Outcome,
    /// Why.
    pub reason: String,
}

impl Allowance {
    /// Whether it speaks of these two types.
    pub fn is_of(&self, a: &str, b: &str) -> bool {
        (&*self.a, &*self.b) == (a, b) || (&*self.a, &*self.b) == (b, a)
    }
}
