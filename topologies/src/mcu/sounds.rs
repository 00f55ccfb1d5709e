//! The loop that mixes sound.

use std::sync::Arc;

use rand::RngExt;
use reports::record::Kind;
use sim::Time;
use sim::time::nanos;

use super::desk::{Desk, Sounds};
use super::room::{Room, SoundNews};
use crate::media::audio::FRAME_SAMPLES;
use crate::observe::frames::{Frame, HopKey};
use crate::peer::Context;
use crate::peer::capture::SOUND;
use crate::peer::clock::DeviceClock;
use crate::peer::environment::sleep_until;

/// Mixes and sends sound every 20 ms for as long as somebody is there.
pub async fn run(room: Arc<Room>) {
    let context = room.context();
    let Some(audio) = &context.plan.audio else {
        return;
    };
    // Out of step with all microphones, and the same whenever it starts: its ticks number its
    // frames, which never repeat in a call.
    let mut random = context.environment.random("mcu/audio");
    let clock = DeviceClock::new(SOUND.mul_f64(random.random::<f64>()), SOUND);
    let mut desk = Desk::new(audio.bitrate_bps);
    let mut tick = clock.next(context.environment.now());
    loop {
        sleep_until(context.environment.as_ref(), tick).await;
        let Some(news) = room.sound_news() else {
            return;
        };
        learn(&mut desk, news);
        mix(&room, &mut desk, tick).await;
        tick += SOUND;
    }
}

fn learn(desk: &mut Desk, news: SoundNews) {
    news.left.into_iter().for_each(|who| desk.remove(who));
    for (participant, timestamp, packet) in news.packets {
        if let Err(error) = desk.push(participant, timestamp, packet) {
            log::error!("{error}");
        }
    }
}

async fn mix(room: &Room, desk: &mut Desk, tick: Time) {
    let context = room.context();
    let sounds = desk.listen();
    report(context, &sounds);
    let outlets = room.sound_outlets();
    let audiences = outlets.iter().map(|outlet| outlet.audience).collect();
    let mixed = match desk.mix(&sounds, &audiences) {
        Ok(mixed) => mixed,
        Err(error) => return log::error!("{error}"),
    };
    let number = (tick.as_nanos() / nanos(SOUND)) as u32;
    let timestamp = number.wrapping_mul(FRAME_SAMPLES as u32);
    let frame = Frame::new(number, tick, context.environment.now());
    for sound in &mixed {
        for outlet in outlets.iter().filter(|o| o.audience == sound.audience) {
            outlet.send(sound, frame.clone(), timestamp).await;
        }
    }
}

/// Decoding takes no time of its own; the wait before it is the mixing clock's.
fn report(context: &Context, sounds: &Sounds) {
    for (participant, spoken) in sounds {
        if let Some(timestamp) = spoken.timestamp {
            let hop = HopKey::first(*participant, context.index, Kind::Audio);
            context.observatory.frame(hop, timestamp, |frame| {
                frame.decoded = frame.assembled;
            });
        }
    }
}
