//! The loop that composes pictures.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use scenarios::VideoPlan;
use sim::Time;

use super::audience::Audience;
use super::room::{PictureNews, Room};
use super::studio::Studio;
use super::tick::{MixingClock, TickSettings};
use crate::media::rtp_video::VIDEO_CLOCK;
use crate::observe::frames::Frame;
use crate::peer::Context;
use crate::peer::environment::sleep_until;

/// Composes and sends pictures for as long as somebody is there.
pub async fn run(room: Arc<Room>) {
    let context = room.context();
    let Some(video) = &context.plan.video else {
        return;
    };
    let mut composer = Composer {
        studio: Studio::new(&context.plan.mcu, video),
        clock: clock(context, video),
        room: &room,
    };
    composer.clock.skip_to(context.environment.now());
    loop {
        let wake = composer.clock.wake_at();
        tokio::select! {
            biased;
            () = room.has_picture_news() => {}
            () = sleep_until(context.environment.as_ref(), wake) => {}
        }
        let Some(news) = room.picture_news() else {
            return;
        };
        composer.learn(news);
        if let Some(tick) = composer.clock.advance(context.environment.now()) {
            composer.compose(tick).await;
            composer.clock.finished(context.environment.now());
        }
    }
}

/// The mixing clock of an MCU: out of step with all cameras, and the same whenever it starts, so
/// that its ticks, which number its frames, never repeat in a call.
fn clock(context: &Context, video: &VideoPlan) -> MixingClock {
    let mcu = &context.plan.mcu;
    let mut random = context.environment.random("mcu/video");
    let period = Duration::from_secs(1) / mcu.fps;
    MixingClock::new(TickSettings {
        start: Time::ZERO + period.mul_f64(random.random::<f64>()),
        per_second: mcu.fps,
        wait: mcu.wait,
        picture_interval: Duration::from_secs(1) / video.fps,
    })
}

struct Composer<'a> {
    room: &'a Room,
    clock: MixingClock,
    studio: Studio,
}

impl Composer<'_> {
    fn learn(&mut self, news: PictureNews) {
        for participant in news.left {
            self.clock.left(participant);
            self.studio.remove(participant);
        }
        for (participant, (at, picture)) in news.pictures {
            self.clock.arrived(participant, at);
            let timestamp = picture.rtp_timestamp;
            self.studio.put(participant, timestamp, picture.frame);
        }
        for participant in news.keyframes {
            let plan = &self.room.context().plan;
            let audience = Audience::of_pictures(plan, participant);
            self.studio.want_keyframe(audience);
        }
    }

    async fn compose(&mut self, tick: Time) {
        let context = self.room.context();
        let began = context.environment.now();
        let outlets = self.room.video_outlets();
        let audiences = outlets.iter().map(|outlet| outlet.audience).collect();
        let composed = match self.studio.compose(began, &self.room.senders(), &audiences) {
            Ok(composed) => composed,
            Err(error) => return log::error!("{error}"),
        };
        let number = self.clock.number(tick);
        let ticks = u64::from(number) * u64::from(VIDEO_CLOCK) / u64::from(context.plan.mcu.fps);
        let frame = Frame::new(number, began, context.environment.now());
        for picture in &composed {
            let audience = outlets.iter().filter(|o| o.audience == picture.audience);
            for outlet in audience {
                outlet.send(picture, frame.clone(), ticks as u32).await;
            }
        }
    }
}
