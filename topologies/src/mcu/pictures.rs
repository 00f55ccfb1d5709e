//! The loop that composes pictures.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rand::RngExt;
use reports::record::Kind;
use scenarios::VideoPlan;
use sim::{Time, Work};

use super::audience::Audience;
use super::outlet::VideoOutlet;
use super::rates;
use super::room::{PictureNews, Room};
use super::studio::{Composed, Drawn, Studio};
use super::tick::{MixingClock, TickSettings};
use crate::costs::cost;
use crate::media::EncodeError;
use crate::media::rtp_video::VIDEO_CLOCK;
use crate::observe::frames::Frame;
use crate::peer::Context;
use crate::peer::environment::{Working, sleep_until, work};

/// Composes and sends pictures for as long as somebody is there.
pub async fn run(room: Arc<Room>) {
    let context = room.context();
    let Some(video) = &context.plan.video else {
        return;
    };
    let mut composer = Composer {
        studio: Arc::new(Mutex::new(Studio::new(&context.plan.mcu, video))),
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
            composer.finished();
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
    /// Shared with the job that draws.
    studio: Arc<Mutex<Studio>>,
}

impl Composer<'_> {
    fn learn(&mut self, news: PictureNews) {
        for participant in news.left {
            self.clock.left(participant);
            self.studio().remove(participant);
        }
        for (participant, (at, picture)) in news.pictures {
            self.clock.arrived(participant, at);
            let timestamp = picture.rtp_timestamp;
            let pixels = picture.frame.expect("nothing is replayed to an MCU");
            self.studio().put(participant, timestamp, pixels);
        }
        for participant in news.keyframes {
            let plan = &self.room.context().plan;
            let audience = Audience::of_pictures(plan, participant);
            self.studio().want_keyframe(audience);
        }
    }

    /// Makes the next pictures keyframes if regular ones are due at this tick.
    fn refresh(&self, number: u32, outlets: &[Arc<VideoOutlet>]) {
        let plan = &self.room.context().plan;
        if plan.repair.keyframe_due(number, plan.mcu.fps) {
            let mut studio = self.studio();
            let want = |outlet: &Arc<VideoOutlet>| studio.want_keyframe(outlet.audience);
            outlets.iter().for_each(want);
        }
    }

    async fn compose(&mut self, tick: Time) {
        let context = self.room.context();
        let began = context.environment.now();
        let outlets = self.room.video_outlets();
        let number = self.clock.number(tick);
        self.refresh(number, &outlets);
        let ticks = u64::from(number) * u64::from(VIDEO_CLOCK) / u64::from(context.plan.mcu.fps);
        let encoders: Vec<_> = self
            .draw(&outlets)
            .await
            .into_iter()
            .filter_map(|drawn| self.encode(drawn, began))
            .collect();
        // They work side by side.
        for encoder in encoders {
            let picture = match encoder.await {
                Ok(picture) => picture,
                Err(error) => {
                    log::error!("{error}");
                    continue;
                }
            };
            let frame = Frame::new(number, began, context.environment.now());
            for outlet in outlets.iter().filter(|o| o.audience == picture.audience) {
                outlet.send(&picture, frame.clone(), ticks as u32).await;
            }
        }
    }

    /// Draws what each audience sees; nothing if the CPU refuses to, which it counts.
    async fn draw(&self, outlets: &[Arc<VideoOutlet>]) -> Vec<Drawn> {
        let context = self.room.context();
        let senders = self.room.senders();
        let audiences: BTreeSet<_> = outlets.iter().map(|outlet| outlet.audience).collect();
        let watchers = outlets
            .iter()
            .map(|outlet| (outlet.audience, outlet.participant()));
        let targets = rates::targets(context, Kind::Video, watchers);
        self.studio().aim(targets);
        context.observatory.codec(context.index, |codecs| {
            codecs.video_encoders = codecs.video_encoders.max(audiences.len() as u32);
        });
        let pixels = self.studio().pixels(&senders, &audiences);
        let price = cost(&context.plan, |c| c.scale_pixel_ns, pixels.scaled)
            + cost(&context.plan, |c| c.compose_pixel_ns, pixels.drawn);
        let studio = Arc::clone(&self.studio);
        let job = move || lock(&studio).draw(&senders, &audiences);
        let drawing = work(context.environment.as_ref(), Work::Compose, price, job);
        let Ok(drawing) = drawing else {
            return Vec::new();
        };
        drawing.await.unwrap_or_else(|error| {
            log::error!("{error}");
            Vec::new()
        })
    }

    /// Starts to encode a picture that was begun at `began`; `None` if the CPU refuses to.
    fn encode(&self, drawn: Drawn, began: Time) -> Option<Working<Result<Composed, EncodeError>>> {
        let context = self.room.context();
        let pixels = context.pixels_of(context.index);
        let price = cost(&context.plan, |c| c.video_encode_pixel_ns, pixels);
        let job = move || drawn.encode(began);
        work(context.environment.as_ref(), Work::Encode, price, job).ok()
    }

    /// Notes ticks that were missed because the composition before them was not done.
    fn finished(&mut self) {
        let context = self.room.context();
        let before = self.clock.counts().missed;
        self.clock.finished(context.environment.now());
        let missed = self.clock.counts().missed - before;
        context
            .observatory
            .skipped(context.index, Work::Compose, missed);
    }

    fn studio(&self) -> MutexGuard<'_, Studio> {
        lock(&self.studio)
    }
}

fn lock(studio: &Mutex<Studio>) -> MutexGuard<'_, Studio> {
    studio.lock().expect("no studio panics")
}
