//! What a run records: the contract between the runs and everything that reads them.
//!
//! Units are in the names. A missing value is `None`, never 0. Everything here is deterministic
//! except [`Measured`], which is kept apart.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::distribution::Distribution;

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

/// What a host is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A participant.
    Client,
    /// The signalling server.
    Signaling,
    /// The STUN and TURN server.
    Turn,
    /// The selective forwarding unit.
    Sfu,
    /// The multipoint control unit.
    Mcu,
}

impl Role {
    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Client => "client",
            Role::Signaling => "signaling",
            Role::Turn => "turn",
            Role::Sfu => "sfu",
            Role::Mcu => "mcu",
        }
    }
}

/// One host of the world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HostRecord {
    /// Unique in the cell, such as `home-2` or `turn`.
    pub name: String,
    /// What it is there for.
    pub role: Role,
    /// The group of the scenario; `None` for servers.
    pub group: Option<String>,
    /// What the scenario called its NAT; `none` for servers.
    pub nat: String,
    /// What the scenario called its link.
    pub link: String,
    /// What the link carries from the host at most, bits per second over 1000; `None` without end.
    #[serde(default)]
    pub link_up_kbps: Option<f64>,
    /// What the link carries to the host at most, likewise.
    #[serde(default)]
    pub link_down_kbps: Option<f64>,
    /// Traffic that the host put on its access link, whole run.
    pub up: Traffic,
    /// Traffic that the access link delivered to the host, whole run.
    pub down: Traffic,
    /// The same as `up`, in the measured window.
    pub window_up: Traffic,
    /// The same as `down`, in the measured window.
    pub window_down: Traffic,
    /// What the scenario called its computer.
    pub device: String,
    /// How many cores it has.
    #[serde(default)]
    pub cores: Option<u32>,
    /// Modelled CPU, mean cores in use over the window; `None` where CPUs are free.
    pub cpu_cores_mean: Option<f64>,
    /// The same by work: `encode`, `decode`, `compose`, `mix`, `transport`; empty where CPUs are
    /// free. The works add up to the mean.
    pub cpu_cores_by_work: BTreeMap<String, f64>,
    /// Pieces of work that were left out because the CPU was too far behind, by work, whole run.
    pub skipped: BTreeMap<String, u64>,
    /// The codecs that it had, whole run.
    pub codecs: Codecs,
}

/// How many encoders and decoders a host had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Codecs {
    /// H.264 encoders.
    pub video_encoders: u32,
    /// H.264 decoders.
    pub video_decoders: u32,
    /// Opus encoders.
    pub audio_encoders: u32,
    /// Opus decoders.
    pub audio_decoders: u32,
}

/// Bytes and packets at the IP layer, all headers counted, by what they carry.
///
/// Relayed packets count in the class of what they carry; the bytes that the relay adds to them
/// (ChannelData headers, Send and Data indications) count in `turn`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// Packets of every class.
    pub packets: u64,
    /// Bytes of every class.
    pub bytes: u64,
    /// SRTP.
    pub rtp_bytes: u64,
    /// SRTP payloads alone, with their authentication tags.
    pub rtp_payload_bytes: u64,
    /// SRTP packets.
    pub rtp_packets: u64,
    /// SRTCP.
    pub rtcp_bytes: u64,
    /// STUN: connectivity checks, consent, gathering, TURN control.
    pub stun_bytes: u64,
    /// What relaying adds to relayed packets.
    pub turn_bytes: u64,
    /// DTLS, but for application data.
    pub dtls_bytes: u64,
    /// DTLS application data: SCTP, which carries data channels.
    #[serde(default)]
    pub data_bytes: u64,
    /// TCP: signalling, and of ICE-TCP all but the packets in it, which count in their classes:
    /// headers, acknowledgements, repeated data.
    pub tcp_bytes: u64,
}

/// One end of one peer connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConnectionRecord {
    /// The host whose end this is.
    pub local: String,
    /// The host at the other end.
    pub remote: String,
    /// Whether ICE and DTLS completed.
    pub connected: bool,
    /// `direct` or `relay`, by whether media crossed the TURN server; `None` if never connected.
    pub path: Option<String>,
    /// Type of the selected local candidate: `host`, `srflx`, `prflx` or `relay`.
    pub local_candidate: Option<String>,
    /// Type of the selected remote candidate.
    pub remote_candidate: Option<String>,
    /// How long each phase of the set-up took.
    pub phases: Phases,
    /// What the selected pair is reached by: `udp` or `tcp`.
    pub transport: Option<String>,
}

/// The phases of a connection's set-up, in ms; they add up to the time from join to connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Phases {
    /// From the later participant's join to this end having applied both descriptions, less the
    /// next.
    pub signaling_ms: Option<f64>,
    /// How long this end's offer waited for the end of gathering; zero if candidates trickle.
    pub gathering_ms: Option<f64>,
    /// To ICE connected.
    pub ice_ms: Option<f64>,
    /// To DTLS connected.
    pub dtls_ms: Option<f64>,
    /// From the later participant's join to connected.
    pub setup_ms: Option<f64>,
}

/// What a stream carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// H.264.
    Video,
    /// Opus.
    Audio,
}

impl Kind {
    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Video => "video",
            Kind::Audio => "audio",
        }
    }
}

/// One sender's media as one receiver got it, in the measured window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StreamRecord {
    /// The host that captured it.
    pub sender: String,
    /// The host that rendered it.
    pub receiver: String,
    /// Video or audio.
    pub kind: Kind,
    /// `direct` or `relay`; `None` if the connection never came up.
    pub path: Option<String>,
    /// Type of the sender's selected candidate.
    pub local_candidate: Option<String>,
    /// Type of the receiver's selected candidate.
    pub remote_candidate: Option<String>,
    /// Frames captured and encoded for this receiver.
    pub frames_sent: u64,
    /// Frames of which every packet arrived.
    pub frames_received: u64,
    /// Frames shown or played.
    pub frames_rendered: u64,
    /// RTP packets sent.
    pub packets_sent: u64,
    /// RTP packets received, duplicates not counted.
    pub packets_received: u64,
    /// Encoded bytes handed to RTP.
    pub encoded_bytes: u64,
    /// From the later participant's join to the first rendered frame, over the whole run.
    pub first_frame_ms: Option<f64>,
    /// Capture to render (video), mouth to ear (audio), per frame or probe, in us.
    pub latency_us: Distribution,
    /// Mean parts of the latency of rendered frames, by name, in ms; they add up to its mean.
    pub latency_parts_ms: BTreeMap<String, f64>,
    /// Time between two rendered frames, in us.
    pub interval_us: Distribution,
    /// Freezes, as webrtc-stats defines `freezeCount`.
    pub freezes: u64,
    /// Time frozen, as webrtc-stats defines `totalFreezesDuration`, in ms.
    pub freeze_ms: f64,
    /// Mean luma PSNR of rendered frames against what was captured, in dB.
    pub psnr_db_mean: Option<f64>,
    /// Mean luma SSIM of rendered frames against what was captured.
    pub ssim_mean: Option<f64>,
    /// Mean width at which rendered frames were decoded, in an MCU's mix that of the sender's part,
    /// in pixels; `None` for sound and without pixels.
    pub width_px_mean: Option<f64>,
    /// Picture loss indications sent by the receiver, whole run.
    pub plis: u64,
    /// Keyframes encoded, whole run.
    pub keyframes: u64,
    /// `tcp` if any hop is in TCP, otherwise `udp`; `None` if the connection never came up.
    pub transport: Option<String>,
    /// What the happenings of the call did to it, in order of time, over the whole run: those that
    /// came after its first frame.
    #[serde(default)]
    pub interruptions: Vec<Interruption>,
    /// What was done about losses; `None` in what older versions wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repair: Option<RepairRecord>,
}

/// What one happening, such as a NAT that restarts, did to a stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Interruption {
    /// What happened, such as `nat-rebind`.
    pub what: String,
    /// The host that it happened to.
    pub host: String,
    /// When it began, ms after the start of the call.
    pub at_ms: f64,
    /// The longest time between two rendered frames of which the second one came after it began,
    /// and the first one before the next happening began, ms; an undisturbed stream has its usual
    /// interval here. If nothing came any more, the time to the end of the window.
    pub gap_ms: f64,
    /// Whether anything was rendered after that gap.
    pub recovered: bool,
}

/// What was done about the losses of a stream, on all its hops, for frames of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RepairRecord {
    /// RTP packets sent again, because the receiver asked.
    pub retransmitted_packets: u64,
    /// Bytes of those on the wire, IP header included.
    pub retransmitted_bytes: u64,
    /// FlexFEC packets sent.
    pub fec_packets: u64,
    /// Bytes of those on the wire, IP header included.
    pub fec_bytes: u64,
    /// RTP packets that did not come in any other way, and were rebuilt from FlexFEC.
    pub rebuilt_packets: u64,
    /// 20 ms of sound each that were decoded from what the packet after them repeats (in-band FEC
    /// of Opus).
    pub redundant_frames: u64,
    /// 20 ms of sound each for which nothing was there to play: the decoder filled in, or it was
    /// silent.
    pub concealed_frames: u64,
}

/// What a workload of data channels sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum DataKind {
    /// A file, as fast as it goes.
    File,
    /// The newest state of something, at equal intervals.
    State,
    /// Messages at random times.
    Chat,
}

impl DataKind {
    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            DataKind::File => "file",
            DataKind::State => "state",
            DataKind::Chat => "chat",
        }
    }
}

/// One workload from one participant to another, from its start on. Messages are sent up to the end
/// of the window, and counted if they arrive by the end of the call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DataRecord {
    /// What the scenario calls it.
    pub workload: String,
    /// What it sends.
    pub kind: DataKind,
    /// The host that sends.
    pub sender: String,
    /// The host that receives.
    pub receiver: String,
    /// Whether messages are delivered in order.
    pub ordered: bool,
    /// How often a message is sent again; `None` is no limit.
    pub max_retransmits: Option<u16>,
    /// How long a message is sent again, ms; `None` is no limit.
    pub max_lifetime_ms: Option<u16>,
    /// Messages sent while the receiver's channel was open: to a server once for all.
    pub messages_sent: u64,
    /// Bytes of those, each with its header of 16.
    pub bytes_sent: u64,
    /// Messages that the sender left out because too much waited in its channel.
    pub messages_skipped: u64,
    /// Messages that the server left out because too much waited in the receiver's channel.
    pub messages_left_out: u64,
    /// Messages that arrived.
    pub messages_received: u64,
    /// Bytes of those.
    pub bytes_received: u64,
    /// Messages that did not arrive by the end: lost, left out by the server, or, over a channel
    /// that gives none up, still under way.
    pub messages_lost: u64,
    /// Content that arrived, from when the first of it was sent to when the last of it was there,
    /// thousands of bits per second.
    pub goodput_kbps: Option<f64>,
    /// From when the first part of a file was sent to when the last part was there, ms.
    pub completion_ms: Option<f64>,
    /// Whether a file's SHA-256 at the receiver is that at the sender; `None` while it is not
    /// complete.
    pub sha256_ok: Option<bool>,
    /// From when a message was made to when it was there, us.
    pub latency_us: Distribution,
    /// The age of the newest message that had arrived, mean over time, ms; of state alone.
    pub age_ms_mean: Option<f64>,
    /// The same age just before each newer message, us; of state alone.
    pub peak_age_us: Distribution,
    /// The most bytes that waited in a channel on the way, at the sender or at the server.
    pub buffered_bytes_max: u64,
}

/// What one host did in one second of the call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TimelineRecord {
    /// Start of the second, s after the start of the call.
    pub second: u32,
    /// The host.
    pub host: String,
    /// Bits per second that it put on its access link, over 1000.
    pub up_kbps: f64,
    /// Bits per second that its access link delivered, over 1000.
    pub down_kbps: f64,
    /// Bits per second that its access link carried from it at most, mean over the second, over
    /// 1000; `None` without end, where a trace says when packets leave, and where nobody adapts.
    #[serde(default)]
    pub up_capacity_kbps: Option<f64>,
    /// Bits per second that its connections were estimated to carry from it at the end of the
    /// second, together, over 1000; `None` where it does not adapt.
    pub estimate_kbps: Option<f64>,
    /// Bits per second that its encoders were asked for then, together, over 1000; the same.
    pub target_kbps: Option<f64>,
    /// Video frames rendered, over all its streams.
    pub frames_rendered: u64,
    /// How long its video streams were frozen within the measured window, ms, all together; as in
    /// [`StreamRecord::freeze_ms`], to which the seconds add up.
    #[serde(default)]
    pub frozen_ms: Option<f64>,
    /// Mean capture-to-render latency of those, in ms.
    pub video_latency_ms_mean: Option<f64>,
}

/// RTP over UDP from one end of a connection to the other, over the whole call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FlowRecord {
    /// The host that sends.
    pub sender: String,
    /// The host that receives.
    pub receiver: String,
    /// The seconds in which something was sent or arrived, in order.
    pub seconds: Vec<FlowSecond>,
}

/// One second of a [`FlowRecord`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FlowSecond {
    /// Start of the second, s after the start of the call.
    pub second: u32,
    /// Packets that the sender put on the wire in it.
    pub packets_sent: u64,
    /// Of those, the ones that were dropped on the way.
    pub packets_lost: u64,
    /// Packets that arrived in it marked CE (RFC 3168).
    #[serde(default)]
    pub packets_marked: u64,
    /// Bits per second that arrived in it, all headers counted, over 1000.
    pub received_kbps: f64,
    /// How long packets that arrived in it had taken, less the propagation delay of both access
    /// links, in whole ms, rounded down: queues, serialisation and jitter. Empty behind a relay,
    /// and where a delay changes in mid-call.
    pub queue_ms: Distribution,
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
