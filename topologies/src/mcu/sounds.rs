//! The loop that mixes sound.

use std::collections::BTreeSet;
use std::sync::Arc;

use rand::RngExt;
use reports::record::Kind;
use sim::time::nanos;
use sim::{Overloaded, Time, Work};

use super::audience::Audience;
use super::desk::{Desk, Mixed, Sounds};
use super::rates;
use super::room::{Room, SoundNews};
use crate::costs::cost;
use crate::media::AudioError;
use crate::media::audio::FRAME_SAMPLES;
use crate::observe::frames::{Frame, HopKey};
use crate::peer::Context;
use crate::peer::capture::SOUND;
use crate::peer::clock::DeviceClock;
use crate::peer::environment::{sleep_until, work_here};

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
    let mut desk = Desk::new(audio.bitrate_bps, context.plan.repair.clone());
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
    for (participant, packet) in news.packets {
        if let Err(error) = desk.push(participant, packet) {
            log::error!("{error}");
        }
    }
}

async fn mix(room: &Room, desk: &mut Desk, tick: Time) {
    let context = room.context();
    let outlets = room.sound_outlets();
    let audiences = outlets.iter().map(|outlet| outlet.audience).collect();
    let listeners = outlets
        .iter()
        .map(|outlet| (outlet.audience, outlet.participant()));
    if let Err(error) = desk.aim(&rates::targets(context, Kind::Audio, listeners)) {
        log::error!("{error}");
    }
    // What the CPU refuses it has counted: there is no sound from this tick then.
    let Ok((mixed, done)) = produce(context, desk, &audiences) else {
        return;
    };
    let mixed = match mixed {
        Ok(mixed) => mixed,
        Err(error) => return log::error!("{error}"),
    };
    sleep_until(context.environment.as_ref(), done).await;
    let number = (tick.as_nanos() / nanos(SOUND)) as u32;
    let timestamp = number.wrapping_mul(FRAME_SAMPLES as u32);
    let frame = Frame::new(number, tick, done);
    for sound in &mixed {
        for outlet in outlets.iter().filter(|o| o.audience == sound.audience) {
            outlet.send(sound, frame.clone(), timestamp).await;
        }
    }
}

/// Decodes, mixes and encodes, which is all done at the returned time.
fn produce(
    context: &Context,
    desk: &mut Desk,
    audiences: &BTreeSet<Audience>,
) -> Result<(Result<Vec<Mixed>, AudioError>, Time), Overloaded> {
    let environment = context.environment.as_ref();
    let samples = |pieces: usize| pieces * FRAME_SAMPLES;
    context.observatory.codec(context.index, |codecs| {
        codecs.audio_decoders = codecs.audio_decoders.max(desk.voices() as u32);
        codecs.audio_encoders = codecs.audio_encoders.max(audiences.len() as u32);
    });
    let voices = samples(desk.voices());
    let price = cost(&context.plan, |c| c.audio_decode_sample_ns, voices);
    let (sounds, _) = work_here(environment, Work::Decode, price, || desk.listen())?;
    report(context, &sounds);
    // One sum of all, from which each audience takes what it should not hear.
    let summed = samples(sounds.len() + audiences.len());
    let price = cost(&context.plan, |c| c.mix_sample_ns, summed);
    let (blends, _) = work_here(environment, Work::Mix, price, || {
        desk.mix(&sounds, audiences)
    })?;
    let encoded = samples(blends.len());
    let price = cost(&context.plan, |c| c.audio_encode_sample_ns, encoded);
    work_here(environment, Work::Encode, price, || desk.encode(blends))
}

/// Decoding is part of the tick that it is done in; the wait before it is the mixing clock's.
fn report(context: &Context, sounds: &Sounds) {
    for (participant, spoken) in sounds {
        let hop = HopKey::first(*participant, context.index, Kind::Audio);
        match spoken.timestamp {
            Some(timestamp) => context.observatory.frame(hop, timestamp, |frame| {
                frame.decoded = frame.assembled;
            }),
            None => context
                .observatory
                .concealed(hop, context.environment.now()),
        }
    }
}
