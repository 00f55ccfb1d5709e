//! All composed pictures of a tick, encoded.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
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
    /// Shared with the jobs that encode, so that a job that is refused does not take one away.
    programs: BTreeMap<Audience, Arc<Mutex<Program>>>,
    /// Of encoders that do not have the usual target.
    targets: BTreeMap<Audience, u32>,
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
            targets: BTreeMap::new(),
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
        if let Some(program) = self.programs.get(&audience) {
            lock(program).keyframe_wanted = true;
        }
    }

    /// From now on the encoders of these audiences have these targets, bits per second.
    pub fn aim(&mut self, targets: BTreeMap<Audience, u32>) {
        self.targets = targets;
    }

    /// What drawing costs, in luma pixels, if every sender has a new picture: those that scaling
    /// reads and makes, which it does once for all audiences, and those that are drawn.
    pub fn pixels(&self, senders: &[u16], audiences: &BTreeSet<Audience>) -> Pixels {
        let area = |(width, height): (usize, usize)| width * height;
        let mut pixels = Pixels::default();
        let mut sizes = BTreeSet::new();
        for audience in audiences {
            let shown = senders.iter().filter(|sender| audience.gets(**sender));
            let tiles = shown.count();
            let size = Layout::new(self.canvas, self.picture, tiles).tile_size();
            pixels.drawn += tiles * area(size);
            if sizes.insert(size) && size != self.picture {
                pixels.scaled += senders.len() * (area(self.picture) + area(size));
            }
        }
        pixels
    }

    /// Draws `senders` for each audience. Encoders of audiences that are not among them end.
    ///
    /// # Errors
    ///
    /// If an encoder does not start.
    pub fn draw(
        &mut self,
        senders: &[u16],
        audiences: &BTreeSet<Audience>,
    ) -> Result<Vec<Drawn>, EncodeError> {
        self.programs
            .retain(|audience, _| audiences.contains(audience));
        let draw = |audience: &Audience| self.draw_for(senders, *audience);
        audiences.iter().map(draw).collect()
    }

    fn draw_for(&mut self, senders: &[u16], audience: Audience) -> Result<Drawn, EncodeError> {
        let settings = VideoSettings {
            bitrate_bps: *self
                .targets
                .get(&audience)
                .unwrap_or(&self.settings.bitrate_bps),
            ..self.settings
        };
        let program = match self.programs.entry(audience) {
            Entry::Occupied(program) => program.into_mut(),
            Entry::Vacant(place) => {
                let canvas = Canvas::new(self.canvas, self.picture);
                place.insert(Arc::new(Mutex::new(Program::new(canvas, settings)?)))
            }
        };
        let senders = senders.iter().copied();
        let shown: Vec<u16> = senders.filter(|sender| audience.gets(*sender)).collect();
        let mut drawing = lock(program);
        drawing.encoder.follow(settings)?;
        drawing.canvas.compose(&shown, &mut self.gallery);
        let mix = mix(drawing.canvas.layout(), &shown, &self.timestamps);
        Ok(Drawn {
            audience,
            mix: Arc::new(mix),
            program: Arc::clone(program),
        })
    }
}

/// Luma pixels that drawing goes over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pixels {
    /// Read or made by scaling.
    pub scaled: usize,
    /// Drawn on a canvas.
    pub drawn: usize,
}

/// A picture for an audience that is yet to be encoded.
pub struct Drawn {
    audience: Audience,
    mix: Arc<Mix>,
    program: Arc<Mutex<Program>>,
}

impl Drawn {
    /// Encodes it; `now` is when it was begun.
    ///
    /// # Errors
    ///
    /// If the encoder refuses it.
    pub fn encode(self, now: Time) -> Result<Composed, EncodeError> {
        Ok(Composed {
            audience: self.audience,
            mix: self.mix,
            encoded: lock(&self.program).encode(now)?,
        })
    }
}

fn lock(program: &Mutex<Program>) -> MutexGuard<'_, Program> {
    program.lock().expect("no encoder panics")
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

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::super::audience::Audience::{Everybody, Without};
    use super::*;
    use crate::media::{Camera, Marker, Scene, Stamped, VideoDecoder, marker};

    const PERIOD: Duration = Duration::from_millis(100);

    /// Everybody of `senders` with a picture whose number is theirs times ten, and whose timestamp
    /// is that times a hundred.
    fn studio(senders: &[u16]) -> Studio {
        let mcu = McuPlan {
            width: 320,
            height: 192,
            ..McuPlan::default()
        };
        let video = VideoPlan {
            width: 160,
            height: 96,
            fps: 10,
            bitrate_bps: 100_000,
            playout_delay: Duration::ZERO,
        };
        let mut studio = Studio::new(&mcu, &video);
        for &sender in senders {
            let scene = Scene::new(&mut ChaCha8Rng::seed_from_u64(sender.into()), 160, 96);
            let number = u32::from(sender) * 10;
            let picture = Stamped::new(Box::new(scene), sender).frame(number);
            studio.put(sender, number * 100, Arc::unwrap_or_clone(picture));
        }
        studio
    }

    fn compose(
        studio: &mut Studio,
        now: Time,
        senders: &[u16],
        audiences: &BTreeSet<Audience>,
    ) -> Vec<Composed> {
        let drawn = studio.draw(senders, audiences).unwrap();
        let encoded = drawn.into_iter().map(|drawn| drawn.encode(now));
        encoded.map(Result::unwrap).collect()
    }

    /// Checks that a picture shows those senders, each where the mix says.
    fn check(composed: &Composed, senders: &[u16]) {
        let mut decoder = VideoDecoder::new().unwrap();
        let picture = decoder.decode(&composed.encoded.data).unwrap().unwrap();
        let parts = &composed.mix.parts;
        assert_eq!(parts.keys().copied().collect::<Vec<_>>(), senders);
        for (&sender, part) in parts {
            let frame = u32::from(sender) * 10;
            assert_eq!(part.timestamp, frame * 100);
            let rect = part.rect.expect("pictures have places");
            assert_eq!(marker::read(&picture, rect), Some(Marker { sender, frame }));
        }
    }

    #[test]
    fn each_audience_sees_all_it_should_where_the_mix_says() {
        for senders in [vec![1, 3], vec![1, 3, 4], vec![0, 1, 3, 4]] {
            let audiences = [Everybody, Without(1), Without(3)].into();
            let mut studio = studio(&senders);
            let composed = compose(&mut studio, Time::ZERO, &senders, &audiences);
            assert_eq!(composed.len(), 3);
            for picture in &composed {
                let seen = senders.iter().copied();
                let seen: Vec<u16> = seen
                    .filter(|sender| picture.audience.gets(*sender))
                    .collect();
                check(picture, &seen);
            }
        }
    }

    #[test]
    fn who_has_sent_nothing_or_left_is_not_in_the_mix() {
        let mut studio = studio(&[1, 3]);
        studio.remove(3);
        let composed = compose(&mut studio, Time::ZERO, &[1, 2, 3], &[Everybody].into());
        check(&composed[0], &[1]);
    }

    #[test]
    fn requests_for_keyframes_are_granted_once_in_300_ms() {
        let mut studio = studio(&[1, 3]);
        let audiences = [Everybody, Without(1)].into();
        let mut keyframes = Vec::new();
        for tick in 0..9 {
            let now = Time::ZERO + PERIOD * tick;
            // Everybody's encoder is asked at 100 and 200 ms, and once more at 600.
            if [1, 2, 6].contains(&tick) {
                studio.want_keyframe(Everybody);
            }
            for picture in compose(&mut studio, now, &[1, 3], &audiences) {
                if picture.encoded.keyframe {
                    keyframes.push((tick, picture.audience));
                }
            }
        }
        // The first frames; 300 ms after them, for both requests; and at once at 600.
        let expected = [
            (0, Everybody),
            (0, Without(1)),
            (3, Everybody),
            (6, Everybody),
        ];
        assert_eq!(keyframes, expected);
    }

    /// Three senders, of whom each audience without one of them sees two: on 320x192, pictures of
    /// 160x96 have two by two cells of 160x96 (three tiles), or two columns in one row (two tiles),
    /// also of 160x96. Nothing is scaled.
    #[test]
    fn what_drawing_costs_is_counted_in_pixels() {
        let studio = studio(&[0, 1, 2]);
        let pixels = |senders: &[u16], audiences: &[Audience]| {
            studio.pixels(senders, &audiences.iter().copied().collect())
        };
        let tile = 160 * 96;
        let same = pixels(&[0, 1, 2], &[Everybody, Without(0)]);
        assert_eq!((same.scaled, same.drawn), (0, 5 * tile));
        // Five senders are on three by two cells of 106x96, tiles of 106x64; four on 160x96. Five
        // pictures are read and made in the smaller size, once for both large audiences.
        let small = 106 * 64;
        let mixed = pixels(&[0, 1, 2, 3, 4], &[Everybody, Without(7), Without(0)]);
        assert_eq!(mixed.scaled, 5 * (tile + small));
        assert_eq!(mixed.drawn, 10 * small + 4 * tile);
    }
}
