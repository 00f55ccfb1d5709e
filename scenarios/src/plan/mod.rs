//! Plans: a scenario resolved for one topology, one number of participants and one seed.
//!
//! A plan is valid by construction. Everything a run does follows from it, so equal plans give
//! equal runs.

mod central;
mod congestion;
mod cpu;
mod data;
mod events;
mod ice;
mod layers;
mod limits;
mod network;
mod prices;
mod repair;
mod traversal;
mod watching;

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sim::{LinkConfig, NatConfig, Seed};

pub use central::{McuEncoders, McuPlan, SfuPlan};
pub use congestion::{CongestionControl, CongestionPlan, QualityStep, Threshold};
pub use cpu::{CostProfile, Device};
pub use data::{DataKind, DataPlan, Reliability};
pub use events::{Access, Event, Happening};
pub use ice::{ExpiryCheck, IcePlan, TransportPolicy, TurnAccess, TurnCredentials};
pub use layers::MOST_LAYERS;
pub(crate) use layers::layers;
pub use limits::Limit;
pub use network::{CrossTraffic, Handover, LinkChanges, NetworkPlan};
pub use prices::Prices;
pub use repair::{Playout, RepairPlan};
pub use traversal::{Allowance, NatType, Offerer, Outcome, Suite, TraversalCell, TraversalPlan};

/// How the participants are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Topology {
    /// Every pair is connected directly.
    Mesh,
    /// Everybody is connected to a server that forwards.
    Sfu,
    /// Everybody is connected to a server that mixes.
    Mcu,
}

impl Topology {
    /// The name used in scenarios, file names and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Topology::Mesh => "mesh",
            Topology::Sfu => "sfu",
            Topology::Mcu => "mcu",
        }
    }
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How real the codecs of a run are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fidelity {
    /// Every frame is encoded and decoded.
    Codec,
    /// Frames that were encoded once are sent again and again, and are not decoded.
    Trace,
}

impl Fidelity {
    /// The name used in scenarios, files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Fidelity::Codec => "codec",
            Fidelity::Trace => "trace",
        }
    }
}

/// One cell of a scenario's grid: what [`topologies::run`] executes.
///
/// [`topologies::run`]: https://docs.rs/rtclab-topologies
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// The scenario's name.
    pub scenario: String,
    /// How the participants are connected.
    pub topology: Topology,
    /// Which variant of the scenario it is; `None` for the scenario as it is.
    pub variant: Option<String>,
    /// Everything random follows from it.
    pub seed: Seed,
    /// Who takes part, at least two, in order of their index.
    pub participants: Vec<Participant>,
    /// What every camera sends; `None` for a call without video.
    pub video: Option<VideoPlan>,
    /// What every microphone sends; `None` for a call without audio.
    pub audio: Option<AudioPlan>,
    /// How senders adapt to the network.
    pub congestion: CongestionPlan,
    /// What is done about packets that are lost or late.
    pub repair: RepairPlan,
    /// What goes over data channels, at most 100 workloads.
    pub data: Vec<DataPlan>,
    /// From the start of the call to the start of measuring.
    pub warmup: Duration,
    /// How long is measured after the warm-up.
    pub duration: Duration,
    /// How real the codecs are.
    pub fidelity: Fidelity,
    /// What work costs; `None` where CPUs are free and take no time.
    pub costs: Option<CostProfile>,
    /// How the WebRTC stack is set.
    pub stack: StackPlan,
    /// The servers that every call needs.
    pub servers: ServersPlan,
    /// The SFU, if the topology has one.
    pub sfu: SfuPlan,
    /// The MCU, if the topology has one.
    pub mcu: McuPlan,
    /// What servers cost; nothing that happens in a run follows from it.
    pub prices: Prices,
    /// What happens in mid-call, in order of time.
    pub events: Vec<Event>,
}

impl Plan {
    /// What results call it: the topology, and behind it the variant, if it is one.
    pub fn label(&self) -> String {
        match &self.variant {
            None => self.topology.name().to_owned(),
            Some(variant) => format!("{} {variant}", self.topology),
        }
    }
}

/// One participant of a call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Participant {
    /// From 0; also the sender id in the pixel marker.
    pub index: u16,
    /// Unique in the call, such as `home-2`.
    pub name: String,
    /// The group of the scenario that it belongs to.
    pub group: String,
    /// The NATs in front of it, the innermost first; none for a public address.
    pub nats: Vec<NatConfig>,
    /// What the scenario called its NAT, for tables: a preset's name, that name and `-modified`, or
    /// `custom`; those of a chain are joined by `+`.
    pub nat_label: String,
    /// The index of an earlier participant whose outermost NAT this one is behind, too, in place of
    /// one of its own.
    pub behind_same: Option<u16>,
    /// Its access link.
    pub link: LinkConfig,
    /// What the scenario called its link, for tables: a preset's name, that name and `-modified`,
    /// or `custom`.
    pub link_label: String,
    /// How that changes in mid-call, and who else uses it.
    pub network: NetworkPlan,
    /// Its computer.
    pub device: Device,
    /// Whether it has a camera and a microphone; who has none only watches.
    pub sends: bool,
    /// Whose media it gets, by index and not its own; `None` for everybody's.
    pub watches: Option<BTreeSet<u16>>,
    /// A Y4M file to use as the camera instead of the built-in scene.
    pub camera: Option<PathBuf>,
    /// When it joins, from the start of the call.
    pub join: Duration,
    /// When it leaves, from the start of the call; `None` stays to the end.
    pub leave: Option<Duration>,
}

/// What a camera sends.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VideoPlan {
    /// Pixels, even.
    pub width: u32,
    /// Pixels, even.
    pub height: u32,
    /// Frames per second, 1 to 120.
    pub fps: u32,
    /// Target bits per second of each encoder; with congestion control, at most.
    pub bitrate_bps: u32,
    /// How long received packets wait to absorb jitter and retransmissions.
    pub playout_delay: Duration,
}

/// What a microphone sends: Opus, 48 kHz, mono, 20 ms frames.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AudioPlan {
    /// Target bits per second of the encoder; with congestion control, at most.
    pub bitrate_bps: u32,
    /// How long received packets wait to absorb jitter.
    pub playout_delay: Duration,
}

/// The named collections of stack settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StackProfile {
    /// Our settings and work-arounds: what a careful team ships.
    Tuned,
    /// The crate's defaults: what a first integration ships.
    Stock,
}

/// How the WebRTC stack is set. Start from [`StackPlan::tuned`] or [`StackPlan::stock`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StackPlan {
    /// The collection that the other fields started from.
    pub profile: StackProfile,
    /// Work-around: wakes connections that use TURN until nothing is held back (the driver drains
    /// its TURN client before its core, so relayed packets wait for the next wake otherwise).
    pub flush_relay: bool,
    /// Sends candidates as they are found; otherwise offers and answers carry all of them, which
    /// keeps a relay candidate from being learned as peer-reflexive before it is signalled.
    pub trickle: bool,
    /// Between connectivity checks of one agent; `None` is the crate's default (200 ms).
    pub check_interval: Option<Duration>,
    /// Requests on a pair before it fails; `None` is the crate's default (7). One end may begin long
    /// before the other: by the signalling delay, and by 1 s and more for a segment that is lost.
    pub max_binding_requests: Option<u16>,
    /// Longest time between refreshes of a TURN allocation; `None` is the crate's default. Cures
    /// the missing retry after 438 Stale Nonce.
    pub turn_refresh_cap: Option<Duration>,
    /// Rebinds sockets and drops local candidates on an ICE restart.
    pub discard_candidates_on_restart: bool,
    /// Restarts ICE when a connection is disconnected, 5 s after the last sign of life; otherwise
    /// when it has failed, 30 s after it.
    pub restart_when_disconnected: bool,
    /// Acceptance waits per candidate type: host, server-reflexive, peer-reflexive, relay; `None`
    /// is the crate's default (0, 500, 1000, 2000 ms).
    pub acceptance_waits: [Option<Duration>; 4],
    /// How often the NACK generator asks for one packet; `None` asks without limit, the crate's
    /// default.
    pub max_nacks_per_packet: Option<u16>,
    /// The most bytes of SCTP in a datagram of data channels, its headers included; `None` is the
    /// crate's default, 1,191, which fits IPv6 over TURN.
    pub sctp_mtu: Option<u16>,
    /// Work-around: a playout buffer of our own behind the stack, in place of the crate's jitter
    /// buffer, which forgets what it holds after every 10 s of a stream, and whose packets the
    /// driver hands out only with the next one that arrives.
    pub steady_playout: bool,
    /// Work-around, where senders adapt: an estimator of our own in place of the crate's, which
    /// does not notice a queue before packets are lost.
    pub trendline: bool,
    /// Work-around: keeps DTLS flights that only repeat what was there before from the crate, which
    /// stops its own retransmissions on them, so that a lost flight ends the handshake.
    pub steady_handshake: bool,
    /// Work-around: repeats a TURN ChannelBind request with the new nonce when the old one is stale
    /// (438); the crate forgets the channel on it, and asks for one that the server has to refuse.
    pub steady_channels: bool,
}

impl StackPlan {
    /// What a careful team ships: every work-around on.
    pub const fn tuned() -> Self {
        StackPlan {
            profile: StackProfile::Tuned,
            flush_relay: true,
            trickle: false,
            check_interval: Some(Duration::from_millis(50)),
            max_binding_requests: Some(400),
            turn_refresh_cap: Some(Duration::from_secs(100)),
            discard_candidates_on_restart: true,
            restart_when_disconnected: true,
            acceptance_waits: [None; 4],
            max_nacks_per_packet: Some(2),
            sctp_mtu: None,
            steady_playout: true,
            trendline: true,
            steady_handshake: true,
            steady_channels: true,
        }
    }

    /// The crate's defaults.
    pub const fn stock() -> Self {
        StackPlan {
            profile: StackProfile::Stock,
            flush_relay: false,
            trickle: true,
            check_interval: None,
            max_binding_requests: None,
            turn_refresh_cap: None,
            discard_candidates_on_restart: false,
            restart_when_disconnected: false,
            acceptance_waits: [None; 4],
            max_nacks_per_packet: None,
            sctp_mtu: None,
            steady_playout: false,
            trendline: false,
            steady_handshake: false,
            steady_channels: false,
        }
    }
}

/// The servers, each on a host of its own.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ServersPlan {
    /// The access link of each server host.
    pub link: LinkConfig,
    /// What the scenario called that link, as in [`Participant::link_label`].
    pub link_label: String,
    /// The access link of the signalling server, where it is another one.
    pub signaling_link: Option<LinkConfig>,
    /// How much later than signalling itself takes offers, answers and candidates arrive.
    pub signaling_delay: Duration,
    /// How participants use STUN and TURN.
    pub ice: IcePlan,
    /// How long a TURN nonce is valid.
    pub nonce_lifetime: Duration,
    /// What participants authenticate to the TURN server with.
    pub turn_credentials: TurnCredentials,
    /// Whether the SFU or the MCU can be reached by TCP, too (RFC 6544), at port 443.
    pub ice_tcp: bool,
    /// The computer that signalling runs on.
    pub signaling: Device,
    /// The computer that STUN and TURN run on.
    pub turn: Device,
    /// The computer that the SFU or the MCU runs on.
    pub media: Device,
}
