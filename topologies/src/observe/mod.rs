//! What is measured, and how: the observers of a run.
//!
//! Peers and servers report what they do to an [`Observatory`]; taps on the network report what
//! crosses each access link. Nothing here influences what it observes.
//!
//! - [`frames`]: every frame on every hop; [`shown`]: what receivers saw and heard; [`journey`]:
//!   the way of a frame in parts; [`calls`]: joins and connection set-up; [`cpu`]: what hosts' CPUs
//!   did; [`data`]: what went over data channels.
//! - [`flows`]: what connections carry, second by second.
//! - [`freezes`]: freezes as webrtc-stats counts them; [`gaps`]: what happenings did to a stream.
//! - [`rates`]: what connections were estimated to carry, and what encoders were asked for.
//! - [`pictures`]: what was captured, to judge what was shown.
//! - [`classify`]: what a packet carries; [`traffic`]: bytes by host and second; [`wire`]: when
//!   the packets of each frame left and arrived.
//! - [`warnings`]: which warnings of the stack need a look.
//! - [`mod@record`]: all of it as [`reports::record`] values.

pub mod calls;
pub mod classify;
pub mod cpu;
pub mod data;
pub mod flows;
pub mod frames;
pub mod framing;
pub mod freezes;
pub mod gaps;
pub mod journey;
pub mod pictures;
pub mod rates;
pub mod record;
pub mod shown;
pub mod traffic;
pub mod warnings;
pub mod wire;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard};

use reports::record::Codecs;
use sim::{Time, Work};

use crate::media;
use calls::CallLog;
use data::DataLog;
use flows::FlowLog;
use frames::{Frame, HopKey, HopLog, RepairKind};
use pictures::Pictures;
use rates::Rates;
use shown::{Content, Part, Shown, StreamKey, StreamLog};

/// Everything that peers report.
#[derive(Debug, Default)]
pub struct Observatory {
    state: Mutex<Observations>,
}

/// What has been reported so far.
#[derive(Debug, Default)]
pub struct Observations {
    /// Joins and connections.
    pub calls: CallLog,
    /// Data channels.
    pub data: DataLog,
    /// Frames by hop.
    pub hops: BTreeMap<HopKey, HopLog>,
    /// What was rendered.
    pub streams: BTreeMap<StreamKey, StreamLog>,
    /// What was captured lately.
    pub pictures: Pictures,
    /// The latest picture that was shown of each source, if they are kept.
    pub screens: Option<BTreeMap<HopKey, Arc<media::Frame>>>,
    /// When each microphone began to capture.
    pub microphones: BTreeMap<u16, Time>,
    /// The codecs that hosts started, by the host's place in the order of creation.
    pub codecs: BTreeMap<u16, Codecs>,
    /// Work that hosts left out before their CPUs could refuse it.
    pub skipped: BTreeMap<(u16, Work), u64>,
    /// What senders that adapt did.
    pub rates: Rates,
    /// What connections carried, if that is watched.
    pub flows: Option<FlowLog>,
    /// Which hop an SSRC belongs to.
    pub sources: BTreeMap<u32, HopKey>,
    /// Which hop an SSRC repairs, and how.
    pub repairs: BTreeMap<u32, (HopKey, RepairKind)>,
}

impl Observations {
    /// The frame with that RTP timestamp on a hop.
    pub fn hop_frame(&self, hop: HopKey, timestamp: u32) -> Option<&Frame> {
        self.hops.get(&hop)?.frames.get(&timestamp)
    }

    /// The same, to change.
    pub fn hop_frame_mut(&mut self, hop: HopKey, timestamp: u32) -> Option<&mut Frame> {
        self.hops.get_mut(&hop)?.frames.get_mut(&timestamp)
    }

    /// What a frame that arrived by a hop shows or plays, by sender.
    pub fn contents(&self, hop: HopKey, timestamp: u32) -> Vec<Content> {
        let Some(frame) = self.hop_frame(hop, timestamp) else {
            return Vec::new();
        };
        let Some(mix) = &frame.mix else {
            return vec![Content {
                sender: hop.source,
                number: frame.number,
                rect: None,
            }];
        };
        let content = |(&sender, part): (&u16, &Part)| {
            let first = HopKey::first(sender, hop.from, hop.kind);
            Some(Content {
                sender,
                number: self.hop_frame(first, part.timestamp)?.number,
                rect: part.rect,
            })
        };
        let others = mix.parts.iter().filter(|(sender, _)| **sender != hop.to);
        others.filter_map(content).collect()
    }

    /// Adds a frame to a hop, as the hop's sender got it.
    pub fn insert(&mut self, hop: HopKey, timestamp: u32, frame: Frame) {
        let log = self.hops.entry(hop).or_default();
        log.keyframes += u64::from(frame.keyframe);
        log.frames.insert(timestamp, frame);
    }

    /// A receiver rendered a frame of a sender.
    pub fn show(&mut self, sender: u16, shown: Shown) {
        let key = StreamKey {
            sender,
            receiver: shown.hop.to,
            kind: shown.hop.kind,
        };
        self.streams.entry(key).or_default().show(shown);
    }

    /// A word of the audio probe was said and heard at these instants.
    pub fn heard(&mut self, key: StreamKey, instants: (Time, Time)) {
        self.streams.entry(key).or_default().heard.push(instants);
    }

    /// How good the frame of a sender looked that was shown at the end of a hop.
    pub fn judge(&mut self, hop: HopKey, sender: u16, number: u32, psnr_db: f64, ssim: f64) {
        let key = StreamKey {
            sender,
            receiver: hop.to,
            kind: hop.kind,
        };
        let shown = self.streams.get_mut(&key).map(|log| &mut log.shown);
        let mut latest_first = shown.into_iter().flatten().rev();
        if let Some(shown) = latest_first.find(|shown| shown.number == number) {
            (shown.psnr_db, shown.ssim) = (Some(psnr_db), Some(ssim));
        }
    }
}

impl Observatory {
    /// The observations, to add to or to read.
    ///
    /// # Panics
    ///
    /// If a thread panicked while it held them.
    pub fn lock(&self) -> MutexGuard<'_, Observations> {
        self.state
            .lock()
            .expect("observers do not panic with the lock held")
    }

    /// Packets with this SSRC belong to that hop.
    pub fn source(&self, ssrc: u32, hop: HopKey) {
        self.lock().sources.insert(ssrc, hop);
    }

    /// Packets with this SSRC repair those of that hop.
    pub fn repairs(&self, ssrc: u32, hop: HopKey, kind: RepairKind) {
        self.lock().repairs.insert(ssrc, (hop, kind));
    }

    /// The receiver of a packet (SSRC, RTP timestamp, sequence number) has it, because it was sent
    /// again on another stream, or was rebuilt.
    pub fn repaired(&self, (ssrc, timestamp, sequence): (u32, u32, u16), at: Time, rebuilt: bool) {
        let mut observations = self.lock();
        let hop = observations.sources.get(&ssrc).copied();
        let frame = hop.and_then(|hop| observations.hop_frame_mut(hop, timestamp));
        if let Some(frame) = frame
            && let Entry::Vacant(place) = frame.arrivals.entry(sequence)
        {
            place.insert(at);
            frame.repair.rebuilt_packets += u64::from(rebuilt);
        }
    }

    /// The end of a hop had nothing to play for 20 ms.
    pub fn concealed(&self, hop: HopKey, at: Time) {
        self.lock().hops.entry(hop).or_default().concealed.push(at);
    }

    /// At the end of a hop 20 ms were due that came in the packet after them.
    pub fn recovered(&self, hop: HopKey, at: Time) {
        self.lock().hops.entry(hop).or_default().recovered.push(at);
    }

    /// Changes a frame that its hop's sender reported, if it is one.
    pub fn frame(&self, hop: HopKey, timestamp: u32, change: impl FnOnce(&mut Frame)) {
        if let Some(frame) = self.lock().hop_frame_mut(hop, timestamp) {
            change(frame);
        }
    }

    /// A host started a codec, which `count` counts.
    pub fn codec(&self, host: u16, count: impl FnOnce(&mut Codecs)) {
        count(self.lock().codecs.entry(host).or_default());
    }

    /// A host left out this many pieces of work, because the ones before it were not done.
    pub fn skipped(&self, host: u16, work: Work, pieces: u64) {
        if pieces > 0 {
            *self.lock().skipped.entry((host, work)).or_default() += pieces;
        }
    }

    /// When a participant's microphone began to capture, if it has one.
    pub fn microphone_start(&self, sender: u16) -> Option<Time> {
        self.lock().microphones.get(&sender).copied()
    }

    /// The receiving end of a hop asked for a keyframe.
    pub fn asked_for_keyframe(&self, hop: HopKey) {
        self.lock().hops.entry(hop).or_default().plis += 1;
    }
}
