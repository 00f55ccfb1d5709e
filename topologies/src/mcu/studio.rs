//! All composed pictures of a tick, encoded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use scenarios::{McuPlan, VideoPlan};
use sim::Time;

use super::audience::Audience;
use super::canvas::Canvas;
use super::gallery::Gallery;
use super::layout::Layout;
use crate::media::{EncodeError, EncodedFrame, Frame, VideoEncoder, VideoSettings};
use crate::observe::shown::{Mix, Part};
use crate::peer::send::MAX_PAYLOAD;

/// Between two keyframes of one encoder, however many ask: as long as one receiver waits before it
/// asks again.
const KEYFRAME_INTERVAL: Duration = Duration::from_millis(300);

/// Composes and encodes. It owns what it works on, so that the work can be done anywhere.
pub struct Studio {
    canvas: (usize, usize),
    picture: (usize, usize),
    settings: VideoSettings,
    gallery: Gallery,
    /// RTP timestamps of the pictures in the gallery.
    timestamps: BTreeMap<u16, u32>,
    programs: BTreeMap<Audience, Program>,
}

/// A picture for an audience.
pub struct Composed {
    /// Whom it is for.
    pub audience: Audience,
    /// The picture.
    pub encoded: EncodedFrame,
    /// What is in it.
    pub mix: Arc<Mix>,
}

impl Studio {
    /// A studio without pictures or audiences.
    pub fn new(mcu: &McuPlan, video: &VideoPlan) -> Self {
        let settings = VideoSettings {
            width: mcu.width as usize,
            height: mcu.height as usize,
            fps: mcu.fps,
            bitrate_bps: mcu.bitrate_bps,
            max_payload: MAX_PAYLOAD,
        };
        Studio {
            canvas: (settings.width, settings.height),
            picture: (video.width as usize, video.height as usize),
            settings,
            gallery: Gallery::default(),
            timestamps: BTreeMap::new(),
            programs: BTreeMap::new(),
        }
    }

    /// Shows a picture of `participant` from now on; it came with that RTP timestamp.
    pub fn put(&mut self, participant: u16, timestamp: u32, picture: Frame) {
        self.gallery.put(participant, Arc::new(picture));
        self.timestamps.insert(participant, timestamp);
    }

    /// Forgets a participant who has left.
    pub fn remove(&mut self, participant: u16) {
        self.gallery.remove(participant);
        self.timestamps.remove(&participant);
    }

    /// One of an audience cannot decode without a keyframe.
    pub fn want_keyframe(&mut self, audience: Audience) {
        if let Some(program) = self.programs.get_mut(&audience) {
            program.keyframe_wanted = true;
        }
    }

    /// A picture of `senders` for each audience, at `now`. Encoders of audiences that are not among
    /// them end.
    ///
    /// # Errors
    ///
    /// If an encoder does not start, or refuses a picture.
    pub fn compose(
        &mut self,
        now: Time,
        senders: &[u16],
        audiences: &BTreeSet<Audience>,
    ) -> Result<Vec<Composed>, EncodeError> {
        self.programs
            .retain(|audience, _| audiences.contains(audience));
        let compose = |audience: &Audience| self.compose_for(now, senders, *audience);
        audiences.iter().map(compose).collect()
    }

    fn compose_for(
        &mut self,
        now: Time,
        senders: &[u16],
        audience: Audience,
    ) -> Result<Composed, EncodeError> {
        if !self.programs.contains_key(&audience) {
            let canvas = Canvas::new(self.canvas, self.picture);
            let program = Program::new(canvas, self.settings)?;
            self.programs.insert(audience, program);
        }
        let program = self.programs.get_mut(&audience).expect("it is there");
        let senders = senders.iter().copied();
        let shown: Vec<u16> = senders.filter(|sender| audience.gets(*sender)).collect();
        program.canvas.compose(&shown, &mut self.gallery);
        Ok(Composed {
            audience,
            mix: Arc::new(mix(program.canvas.layout(), &shown, &self.timestamps)),
            encoded: program.encode(now)?,
        })
    }
}

/// What one audience sees.
struct Program {
    canvas: Canvas,
    encoder: VideoEncoder,
    keyframe_wanted: bool,
    last_keyframe: Option<Time>,
}

impl Program {
    fn new(canvas: Canvas, settings: VideoSettings) -> Result<Self, EncodeError> {
        Ok(Program {
            canvas,
            encoder: VideoEncoder::new(settings)?,
            keyframe_wanted: false,
            last_keyframe: None,
        })
    }

    fn encode(&mut self, now: Time) -> Result<EncodedFrame, EncodeError> {
        let soon = |last: Time| now.saturating_since(last) < KEYFRAME_INTERVAL;
        if self.keyframe_wanted && !self.last_keyframe.is_some_and(soon) {
            self.encoder.request_keyframe();
        }
        let encoded = self
            .encoder
            .encode(self.canvas.frame(), now.since_start())?;
        if encoded.keyframe {
            self.keyframe_wanted = false;
            self.last_keyframe = Some(now);
        }
        Ok(encoded)
    }
}

/// What is shown of those whose pictures have come.
fn mix(layout: &Layout, shown: &[u16], timestamps: &BTreeMap<u16, u32>) -> Mix {
    let part = |(position, participant): (usize, &u16)| {
        let part = Part {
            timestamp: *timestamps.get(participant)?,
            rect: Some(layout.tile(position)),
        };
        Some((*participant, part))
    };
    Mix {
        parts: shown.iter().enumerate().filter_map(part).collect(),
    }
}
