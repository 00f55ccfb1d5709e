//! What a camera's encoder gives up at low rates, and when it takes it back.

use std::time::Duration;

use scenarios::{QualityStep, VideoPlan};
use sim::Time;

/// A step is left when the target is so much above its rate: an encoder that goes back and forth
/// spends its bits on keyframes.
const MARGIN: f64 = 1.2;

/// How long a step is kept before it is left: as long as one sawtooth of the estimate.
const STAY: Duration = Duration::from_secs(3);

/// What is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quality {
    /// Frames per second at most.
    pub fps: u32,
    /// Pixels.
    pub width: usize,
    /// Pixels.
    pub height: usize,
}

/// The steps of an encoder, and the one that it is on.
#[derive(Clone, Debug)]
pub struct Ladder {
    top: Quality,
    steps: Vec<QualityStep>,
    /// How many steps down.
    down: usize,
    since: Time,
}

impl Ladder {
    /// At the top, where the camera's pictures are encoded as they are.
    pub fn new(video: &VideoPlan, steps: &[QualityStep]) -> Self {
        Ladder {
            top: Quality {
                fps: video.fps,
                width: video.width as usize,
                height: video.height as usize,
            },
            steps: steps.to_vec(),
            down: 0,
            since: Time::ZERO,
        }
    }

    /// What is encoded at a target of `bps`.
    pub fn at(&mut self, bps: f64, now: Time) -> Quality {
        let below = |margin: f64| {
            let steps = self.steps.iter();
            steps
                .take_while(|step| bps < f64::from(step.below_bps) * margin)
                .count()
        };
        let (due, kept) = (below(1.0), below(MARGIN));
        let stayed = now.saturating_since(self.since) >= STAY;
        let down = match kept < self.down && stayed {
            true => kept,
            false => self.down.max(due),
        };
        if down != self.down {
            (self.down, self.since) = (down, now);
        }
        self.quality()
    }

    fn quality(&self) -> Quality {
        let Some(step) = self.down.checked_sub(1).map(|index| self.steps[index]) else {
            return self.top;
        };
        Quality {
            fps: step.fps,
            width: step.width as usize,
            height: step.height as usize,
        }
    }
}

/// Whether the frame with this number of a camera is one of those that are encoded, of `fps` out of
/// `camera_fps`: spread evenly.
pub fn is_encoded(number: u32, camera_fps: u32, fps: u32) -> bool {
    let passed = |number: u64| number * u64::from(fps) / u64::from(camera_fps);
    let number = u64::from(number);
    passed(number + 1) > passed(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_taken_at_once_and_left_with_a_margin_and_after_a_while() {
        let video = VideoPlan {
            width: 640,
            height: 360,
            fps: 30,
            bitrate_bps: 800_000,
            playout_delay: Duration::ZERO,
        };
        let step = |below_bps, fps, width, height| QualityStep {
            below_bps,
            fps,
            width,
            height,
        };
        let steps = [step(300_000, 15, 640, 360), step(150_000, 15, 320, 180)];
        let mut ladder = Ladder::new(&video, &steps);
        let at = Time::from_millis;
        let mut quality = |bps: f64, ms| {
            let Quality { fps, width, .. } = ladder.at(bps, at(ms));
            (fps, width)
        };
        assert_eq!(quality(300_000.0, 0), (30, 640));
        assert_eq!(quality(299_999.0, 100), (15, 640));
        assert_eq!(quality(100_000.0, 200), (15, 320));
        // Beyond the margin, but too soon; then within it; then both.
        assert_eq!(quality(180_000.0, 3_199), (15, 320));
        assert_eq!(quality(179_999.0, 3_200), (15, 320));
        assert_eq!(quality(180_000.0, 3_300), (15, 640));
        assert_eq!(quality(500_000.0, 6_300), (30, 640));
    }

    #[test]
    fn half_and_a_third_of_the_frames_are_every_other_and_every_third() {
        let encoded = |fps| {
            (0..30)
                .filter(|n| is_encoded(*n, 30, fps))
                .collect::<Vec<_>>()
        };
        assert_eq!(encoded(30).len(), 30);
        assert!(encoded(15).windows(2).all(|two| two[1] - two[0] == 2));
        assert_eq!(encoded(15).len(), 15);
        assert!(encoded(10).windows(2).all(|two| two[1] - two[0] == 3));
        assert_eq!(encoded(7).len(), 7);
    }
}
