//! What an encoder is asked for, as the network allows.

use std::sync::Arc;
use std::time::Duration;

use scenarios::{AudioPlan, Plan, VideoPlan};

use super::Context;
use super::congestion::{Estimate, Ladder, Streams, ladder, shares};
use super::send::video_settings;
use crate::costs::cost;
use crate::media::VideoSettings;
use crate::observe::frames::HopKey;

/// Targets are whole multiples of this, bits per second: an encoder is not told of every change.
const GRAIN: f64 = 2_000.0;

/// Pictures are left out while what waits in the pacer takes longer than this: they would come too
/// late, and make those behind them later still.
const LONGEST_BACKLOG: Duration = Duration::from_millis(250);

/// A target that an encoder is told.
pub fn rounded(bps: f64) -> u32 {
    ((bps / GRAIN).round().max(1.0) * GRAIN) as u32
}

/// What the encoder of a camera is asked for.
pub struct VideoPace {
    context: Context,
    plan: VideoPlan,
    hop: HopKey,
    /// `None` where senders do not adapt.
    estimate: Option<Arc<Estimate>>,
    ladder: Ladder,
}

impl VideoPace {
    /// For the encoder of what goes by `hop`.
    pub fn new(context: &Context, hop: HopKey, plan: VideoPlan) -> Self {
        VideoPace {
            estimate: context.estimates.of(hop.to),
            ladder: Ladder::new(&plan, &context.plan.congestion.steps),
            context: context.clone(),
            plan,
            hop,
        }
    }

    /// What the frame with this number is to be encoded with; `None` if it is left out.
    pub fn next(&mut self, number: u32) -> Option<VideoSettings> {
        let settings = video_settings(&self.plan);
        let Some(estimate) = &self.estimate else {
            return Some(settings);
        };
        let now = self.context.environment.now();
        let bps = self.target_bps(estimate);
        let quality = self.ladder.at(bps, now);
        let mut observations = self.context.observatory.lock();
        observations.rates.targeted(self.hop, now, bps);
        let is_due = ladder::is_encoded(number, self.plan.fps, quality.fps);
        (is_due && !is_behind(estimate)).then(|| VideoSettings {
            width: quality.width,
            height: quality.height,
            fps: quality.fps,
            bitrate_bps: rounded(bps),
            ..settings
        })
    }

    fn target_bps(&self, estimate: &Estimate) -> f64 {
        let plan = &self.context.plan;
        let streams = Streams::one_each(plan);
        let share = shares(plan, estimate.bps(), streams, self.plan.bitrate_bps).video_bps;
        let cap = estimate.video_cap_bps().unwrap_or(f64::INFINITY);
        let floor = f64::from(plan.congestion.video_floor_bps);
        share.min(cap.max(floor))
    }

    /// What encoding a frame with these settings costs.
    pub fn price(&self, settings: &VideoSettings) -> Duration {
        price(&self.context.plan, &self.plan, settings)
    }
}

/// Whether too much waits in the pacer for another picture.
pub fn is_behind(estimate: &Estimate) -> bool {
    estimate.backlog() > LONGEST_BACKLOG
}

/// What encoding a picture of `camera` with these settings costs: to scale it, if need be, and to
/// encode it.
pub fn price(plan: &Plan, camera: &VideoPlan, settings: &VideoSettings) -> Duration {
    let camera = (camera.width * camera.height) as usize;
    let pixels = settings.width * settings.height;
    let encoding = cost(plan, |c| c.video_encode_pixel_ns, pixels);
    match pixels == camera {
        true => encoding,
        false => encoding + cost(plan, |c| c.scale_pixel_ns, camera + pixels),
    }
}

/// What the encoder of a microphone is asked for.
pub struct AudioPace {
    context: Context,
    hop: HopKey,
    ceiling_bps: u32,
    estimate: Option<Arc<Estimate>>,
    told_bps: u32,
}

impl AudioPace {
    /// For the encoder of what goes by `hop`, which begins at the plan's rate.
    pub fn new(context: &Context, hop: HopKey, plan: &AudioPlan) -> Self {
        AudioPace {
            context: context.clone(),
            hop,
            ceiling_bps: plan.bitrate_bps,
            estimate: context.estimates.of(hop.to),
            told_bps: plan.bitrate_bps,
        }
    }

    /// Another target than before, if there is one, bits per second.
    pub fn change(&mut self) -> Option<u32> {
        let estimate = self.estimate.as_ref()?;
        let plan = &self.context.plan;
        let video_ceiling = plan.video.as_ref().map_or(0, |video| video.bitrate_bps);
        let streams = Streams::one_each(plan);
        let bps = shares(plan, estimate.bps(), streams, video_ceiling).audio_bps;
        let now = self.context.environment.now();
        let mut observations = self.context.observatory.lock();
        observations.rates.targeted(self.hop, now, bps);
        let bps = rounded(bps).min(self.ceiling_bps);
        let before = std::mem::replace(&mut self.told_bps, bps);
        (before != bps).then_some(bps)
    }
}
