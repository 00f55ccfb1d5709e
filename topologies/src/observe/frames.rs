//! Every frame on every hop: from one host that puts its packets on the wire to the next one.
//!
//! In a mesh a frame has one hop. An SFU forwards it on a second one; an MCU takes the first hops of
//! all participants to their end, and sends frames of its own, which show theirs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reports::record::{Kind, RepairRecord};
use sim::{HostId, Time};

use super::shown::Mix;

/// Media of one source, on its way from one host to the next. Hosts go by their index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HopKey {
    /// Who encoded it: a participant, or the MCU.
    pub source: u16,
    /// Who puts it on the wire.
    pub from: u16,
    /// Who takes it off.
    pub to: u16,
    /// What.
    pub kind: Kind,
    /// Which layer of it, the smallest first; 0 if there is but one.
    pub layer: u8,
}

impl HopKey {
    /// Whether that host puts it on the wire.
    pub fn is_from(&self, host: HostId) -> bool {
        host.index() == usize::from(self.from)
    }

    /// Whether that host takes it off.
    pub fn is_to(&self, host: HostId) -> bool {
        host.index() == usize::from(self.to)
    }

    /// The hop that begins at the source itself.
    pub fn first(source: u16, to: u16, kind: Kind) -> Self {
        HopKey {
            source,
            from: source,
            to,
            kind,
            layer: 0,
        }
    }

    /// The same way of another layer.
    pub fn on_layer(self, layer: u8) -> Self {
        HopKey { layer, ..self }
    }
}

/// One hop's frames, by RTP timestamp.
///
/// Timestamps wrap after 13 hours (video) and start small, so their order is the order of capture.
#[derive(Debug, Default)]
pub struct HopLog {
    /// Every frame that the hop was to carry.
    pub frames: BTreeMap<u32, Frame>,
    /// Keyframe requests by the receiving end.
    pub plis: u64,
    /// Keyframes among the frames.
    pub keyframes: u64,
    /// When sound was to be played and none was there, 20 ms each.
    pub concealed: Vec<Time>,
    /// When 20 ms of sound were due that came in the packet after them.
    pub recovered: Vec<Time>,
}

/// What a stream that repairs another one carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepairKind {
    /// Packets that are sent again.
    Retransmission,
    /// Packets from which others can be rebuilt.
    Fec,
}

/// One frame on one hop, with the instants of its way. An instant that did not come is `None`.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Counts the frames of the source: its camera's, its microphone's, or its mixing ticks.
    pub number: u32,
    /// When it was captured: the picture's instant, or that of the first audio sample. For frames
    /// of an MCU, when mixing it began.
    pub captured: Time,
    /// When this hop's sender had it: when the encoder was done, or its first packet was there to
    /// be forwarded.
    pub ready: Time,
    /// What an MCU put into it; `None` if somebody captured it.
    pub mix: Option<Arc<Mix>>,
    /// The layer of the hop before that it was taken from.
    pub layer: u8,
    /// Encoded bytes.
    pub bytes: u64,
    /// RTP packets that it was put into.
    pub packets: u64,
    /// Whether decoding can start with it.
    pub keyframe: bool,
    /// When each packet left the CPU of the hop's sender the first time, by sequence number.
    pub departures: BTreeMap<u16, Time>,
    /// When each packet reached the CPU of the hop's receiver the first time, or was rebuilt there,
    /// by sequence number.
    pub arrivals: BTreeMap<u16, Time>,
    /// Packets that the network dropped, the first time or again, by sequence number.
    pub lost: BTreeSet<u16>,
    /// What was done about packets that were lost.
    pub repair: RepairRecord,
    /// When the receiver's playout buffer had handed out the last packet of it.
    pub assembled: Option<Time>,
    /// When the receiver had it decoded.
    pub decoded: Option<Time>,
}

impl Frame {
    /// A frame that its hop's sender has just got.
    pub fn new(number: u32, captured: Time, ready: Time) -> Self {
        Frame {
            number,
            captured,
            ready,
            mix: None,
            layer: 0,
            bytes: 0,
            packets: 0,
            keyframe: false,
            departures: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            lost: BTreeSet::new(),
            repair: RepairRecord::default(),
            assembled: None,
            decoded: None,
        }
    }

    /// A packet of so many bytes on the wire left to repair it.
    pub fn repaired_by(&mut self, kind: RepairKind, bytes: u64) {
        let repair = &mut self.repair;
        let (packets, sum) = match kind {
            RepairKind::Retransmission => (
                &mut repair.retransmitted_packets,
                &mut repair.retransmitted_bytes,
            ),
            RepairKind::Fec => (&mut repair.fec_packets, &mut repair.fec_bytes),
        };
        *packets += 1;
        *sum += bytes;
    }

    /// How many packets were lost and came in no other way.
    pub fn missing(&self) -> usize {
        let came = |sequence: &&u16| self.arrivals.contains_key(sequence);
        self.lost.len() - self.lost.iter().filter(came).count()
    }

    /// When the last of its packets left the hop's sender.
    pub fn departed(&self) -> Option<Time> {
        self.departures.values().max().copied()
    }

    /// When the last of its packets reached the hop's receiver.
    pub fn arrived(&self) -> Option<Time> {
        self.arrivals.values().max().copied()
    }
}
