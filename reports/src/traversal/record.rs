//! What a traversal matrix records. Units are in the names; a missing value is `None`, never 0.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use crate::record::Phases;

/// The version of the schema of `nat.json`.
pub const SCHEMA_VERSION: u32 = 1;

/// All cells of a matrix. The same scenario and seed give the same, to the byte.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matrix {
    /// [`SCHEMA_VERSION`].
    pub schema: u32,
    /// The scenario's name.
    pub scenario: String,
    /// The seed of every cell.
    pub seed: u64,
    /// How the WebRTC stack was set: `tuned` or `stock`.
    pub stack: String,
    /// Every setting of the stack and of ICE in force, by name, as text.
    pub settings: BTreeMap<String, String>,
    /// The command that gives the matrix again.
    pub replay: String,
    /// In the order of the plan.
    pub cells: Vec<Cell>,
}

/// One call: two participants, or one type with a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// What the cell is there for, such as `behaviors` or `classic`.
    pub suite: String,
    /// What the first participant is behind.
    pub a: Side,
    /// What the second participant is behind; with a server the same as `a`.
    pub b: Side,
    /// Whether both are behind the same outermost NAT.
    pub same_nat: bool,
    /// Whether every NAT pins replies.
    pub reply_pinning: bool,
    /// Who offers: `a` or `b`. With a server, both participants do.
    pub offerer: String,
    /// `mesh`, `sfu` or `mcu`.
    pub topology: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Type of the candidate of its own that `a` selected: `host`, `srflx`, `prflx` or `relay`.
    pub a_candidate: Option<String>,
    /// The same of `b`.
    pub b_candidate: Option<String>,
    /// What `a` takes the other end's candidate for.
    pub a_remote_candidate: Option<String>,
    /// What `b` takes the other end's candidate for.
    pub b_remote_candidate: Option<String>,
    /// From the later participant's join until both ends were connected, ICE and DTLS, ms.
    pub connect_ms: Option<f64>,
    /// The phases of `connect_ms`, of the end that was connected last.
    pub phases: Phases,
    /// From the later participant's join until both had played sound, ms.
    pub media_ms: Option<f64>,
    /// SRTP packets that participants sent, over the whole cell.
    pub media_packets: u64,
    /// SRTP packets that clients or peers sent to the TURN server, over the whole cell.
    pub relayed_packets: u64,
    /// What theory says.
    pub expected: Outcome,
    /// Why it says so.
    pub because: String,
    /// How the cell differs from that, or exceeds a limit; `None` if it does not.
    pub deviation: Option<Deviation>,
}

impl Cell {
    /// A name that no other cell of the matrix has.
    pub fn name(&self) -> String {
        let pinning = if self.reply_pinning {
            "pinned"
        } else {
            "strict"
        };
        let same = if self.same_nat { ", same NAT" } else { "" };
        match self.topology.as_str() {
            "mesh" => format!(
                "{} x {}{same}, {pinning}, {} offers",
                self.a.name, self.b.name, self.offerer
            ),
            server => format!("{} with an {server}, {pinning}", self.a.name),
        }
    }

    /// Whether the cell fails the matrix.
    pub fn is_unexpected(&self) -> bool {
        let deviation = self.deviation.as_ref();
        deviation.is_some_and(|deviation| deviation.allowed.is_none())
    }
}

/// How a cell differs from what is expected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    /// What differs, and what shows it.
    pub what: String,
    /// The settings that explain it, if theory says so; `None` if nothing is known.
    pub cause: Option<String>,
    /// What the stack warned of meanwhile, with the virtual time.
    pub warnings: Vec<String>,
    /// Why the scenario accepts it; `None` if it does not.
    pub allowed: Option<String>,
}

/// What a participant is behind, all NATs of a row taken together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// A preset's name, or mapping and filtering in short.
    pub name: String,
    /// RFC 4787 section 4.1; `None` for a public address.
    pub mapping: Option<Behavior>,
    /// RFC 4787 section 5; `None` for a public address.
    pub filtering: Option<Behavior>,
    /// Whether no UDP passes.
    pub udp_blocked: bool,
}

/// How much of the remote endpoint a behaviour depends on (RFC 4787 sections 4.1 and 5), from the
/// most open to the most closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Behavior {
    /// On nothing.
    EndpointIndependent,
    /// On its address.
    AddressDependent,
    /// On its address and port.
    AddressAndPortDependent,
}

/// What became of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Media flowed both ways, and none of it crossed the TURN server.
    Direct,
    /// Media flowed both ways, and crossed the TURN server.
    Relay,
    /// Media did not flow both ways.
    Failed,
}

impl Outcome {
    /// From the best to the worst.
    pub const ALL: [Outcome; 3] = [Outcome::Direct, Outcome::Relay, Outcome::Failed];

    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Direct => "direct",
            Outcome::Relay => "relay",
            Outcome::Failed => "failed",
        }
    }
}
