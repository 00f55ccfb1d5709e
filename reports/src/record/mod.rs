//! What a run records: the contract between the runs and everything that reads them.
//!
//! Units are in the names. A missing value is `None`, never 0. Everything here is deterministic
//! except [`Measured`], which is kept apart.
//!
//! Of a cell: [`host`]s, [`connection`]s, [`stream`]s of media, workloads of [`data`] channels, and
//! the [`timeline`].

mod connection;
mod data;
mod host;
mod stream;
mod timeline;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use connection::{ConnectionRecord, Phases};
pub use data::{DataKind, DataRecord};
pub use host::{Codecs, HostRecord, Role, Traffic};
pub use stream::{Interruption, Kind, RepairRecord, StreamRecord};
pub use timeline::{FlowRecord, FlowSecond, TimelineRecord};

/// The version of the schema of `run.json`.
pub const SCHEMA_VERSION: u32 = 3;

/// The oldest version that is still read: 2 knew no limits, prices or
/// capacities, and not the program that wrote it.
pub const OLDEST_SCHEMA: u32 = 2;

/// `mesh`, `sfu` or `mcu`, of the name of a [`topology`](CellRecord::topology), variant or not.
pub fn kind_of(topology: &str) -> &str {
    topology.split(' ').next().unwrap_or(topology)
}

/// Everything that one cell of the grid (topology x participants x seed) recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CellRecord {
    /// The scenario's name.
    pub scenario: String,
    /// `mesh`, `sfu` or `mcu`; of a variant of the scenario, its name comes behind that, as in
    /// `sfu one-layer`.
    pub topology: String,
    /// How many participants the call has.
    pub participants: u32,
    /// The seed that everything random followed from.
    pub seed: u64,
    /// `codec`: every frame is encoded and decoded; `trace`: recorded frames are replayed.
    pub fidelity: String,
    /// The cost profile that modelled CPU figures follow from; `None` where CPUs are free.
    pub cost_profile: Option<String>,
    /// How the WebRTC stack was set: `tuned` or `stock`.
    pub stack: String,
    /// Every stack setting in force, by name, as text.
    pub stack_settings: BTreeMap<String, String>,
    /// Start of the measured window, ms after the start of the call.
    pub window_from_ms: f64,
    /// End of the measured window, ms after the start of the call.
    pub window_to_ms: f64,
    /// Every host, in a fixed order: participants by index, then servers.
    pub hosts: Vec<HostRecord>,
    /// Every peer connection, once from each end.
    pub connections: Vec<ConnectionRecord>,
    /// Every sender, receiver and kind.
    pub streams: Vec<StreamRecord>,
    /// Every workload, sender and receiver of data channels.
    #[serde(default)]
    pub data: Vec<DataRecord>,
    /// A row per host and second of the call.
    pub timeline: Vec<TimelineRecord>,
    /// The media of every connection each way, where senders adapt, by sender and receiver.
    #[serde(default)]
    pub flows: Vec<FlowRecord>,
    /// What the money of the call follows from.
    ///
    /// `None` before schema 3, as are what links carry, numbers of cores, and frozen seconds.
    #[serde(default)]
    pub prices: Option<Prices>,
    /// What became of every packet, over the whole run.
    pub packets: PacketsRecord,
    /// Bytes of JSON of the signalling messages, both ways, over the whole run.
    pub signaling_bytes: u64,
    /// Rolling digest of every (time, packet event): equal digests mean equal runs.
    pub digest: String,
    /// What the stack warned of, with the virtual time: the result needs a look.
    pub warnings: Vec<String>,
}

/// What servers cost, as the scenario says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// What the prices are in, such as `USD`.
    pub currency: String,
    /// Per 10^9 bytes that the SFU or MCU sends, at the IP layer.
    pub egress_per_gb: f64,
    /// Per 10^9 bytes that the TURN server sends, likewise.
    pub relay_per_gb: f64,
    /// Per hour of one modelled core in use, of the SFU or MCU and of the TURN server.
    pub vcpu_hour: f64,
}

/// What became of every packet: `sent = delivered + sum(dropped) + in_flight`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PacketsRecord {
    /// Handed to the network.
    pub sent: u64,
    /// Handed to a socket.
    pub delivered: u64,
    /// Dropped, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// Still travelling when the run ended.
    pub in_flight: u64,
}

/// What the machine that ran a cell spent on it: differs from run to run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Wall time of the cell, s.
    pub wall_s: f64,
    /// Virtual time of the cell, s.
    pub virtual_s: f64,
    /// Thread CPU time of each host's tasks over the whole run, s, by host name.
    pub host_cpu_s: BTreeMap<String, f64>,
    /// Of that, what was spent in codecs and mixing, s, by host name and work, as in
    /// [`HostRecord::cpu_cores_by_work`]; the rest is `transport`.
    pub host_work_cpu_s: BTreeMap<String, BTreeMap<String, f64>>,
    /// Thread CPU time of work-arounds that a deployment would not pay, s.
    pub workaround_cpu_s: f64,
    /// Thread CPU time of making and judging test media, s.
    pub observer_cpu_s: f64,
    /// Thread CPU time of everything else: the emulated network and the bookkeeping, s.
    pub kernel_cpu_s: f64,
    /// Largest resident memory of the process so far, bytes.
    pub peak_rss_bytes: Option<u64>,
}
