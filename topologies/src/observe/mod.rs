//! What is measured, and how: the observers of a run.
//!
//! Peers and servers report what they do to an [`Observatory`]; taps on the network report what
//! crosses each access link. Nothing here influences what it observes.
//!
//! - [`cpu`]: what hosts' CPUs did; [`frames`]: every frame from capture to render; [`calls`]: joins and connection set-up.
//! - [`freezes`]: freezes as webrtc-stats counts them.
//! - [`pictures`]: what was captured, to judge what was shown.
//! - [`classify`]: what a packet carries; [`traffic`]: bytes by host and second; [`wire`]: when
//!   the packets of each frame left and arrived.
//! - [`warnings`]: which warnings of the stack need a look.
//! - [`mod@record`]: all of it as [`reports::record`] values.

pub mod calls;
pub mod classify;
pub mod cpu;
pub mod frames;
pub mod freezes;
pub mod pictures;
pub mod record;
pub mod traffic;
pub mod warnings;
pub mod wire;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use reports::record::{Codecs, Kind};
use sim::{Time, Work};

use calls::CallLog;
use frames::{Frame, StreamLog};
use pictures::Pictures;

/// A sender's media of one kind, on its way to one receiver. Participants go by their index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamKey {
    /// Who captures.
    pub sender: u16,
    /// Who renders.
    pub receiver: u16,
    /// What.
    pub kind: Kind,
}

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
    /// Frames by stream.
    pub streams: BTreeMap<StreamKey, StreamLog>,
    /// What was captured lately.
    pub pictures: Pictures,
    /// When each microphone began to capture.
    pub microphones: BTreeMap<u16, Time>,
    /// The codecs that hosts started, by the host's place in the order of creation.
    pub codecs: BTreeMap<u16, Codecs>,
    /// Work that hosts left out before their CPUs could refuse it.
    pub skipped: BTreeMap<(u16, Work), u64>,
    /// Whose stream an SSRC is.
    pub sources: BTreeMap<u32, StreamKey>,
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

    /// Packets with this SSRC belong to that stream.
    pub fn source(&self, ssrc: u32, key: StreamKey) {
        self.lock().sources.insert(ssrc, key);
    }

    /// Adds a frame to a stream, as its encoder made it.
    pub fn encoded(&self, key: StreamKey, rtp_timestamp: u32, frame: Frame) {
        let mut state = self.lock();
        let stream = state.streams.entry(key).or_default();
        stream.keyframes += u64::from(frame.keyframe);
        stream.frames.insert(rtp_timestamp, frame);
    }

    /// Changes a frame that its sender reported, if it is one.
    pub fn frame(&self, key: StreamKey, rtp_timestamp: u32, change: impl FnOnce(&mut Frame)) {
        if let Some(frame) = self
            .lock()
            .streams
            .get_mut(&key)
            .and_then(|stream| stream.frames.get_mut(&rtp_timestamp))
        {
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

    /// A receiver asked for a keyframe.
    pub fn asked_for_keyframe(&self, key: StreamKey) {
        self.lock().streams.entry(key).or_default().plis += 1;
    }

    /// A burst of the audio probe was heard.
    pub fn heard(&self, key: StreamKey, said: Time, heard: Time) {
        self.lock()
            .streams
            .entry(key)
            .or_default()
            .heard
            .push((said, heard));
    }
}
