//! `[video]` and `[audio]`: what every camera and microphone sends.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::document::{Keys, Node, Section};
use crate::plan::{AudioPlan, VideoPlan};
use crate::units::{FrameSize, Rate, Span};

pub(super) const VIDEO: Keys = Keys {
    section: "[video]",
    names: &["size", "fps", "bitrate", "playout_delay"],
};

pub(super) const AUDIO: Keys = Keys {
    section: "[audio]",
    names: &["bitrate", "playout_delay"],
};

/// From what a thumbnail needs to what 4K at 60 frames per second is sent with.
pub(super) const VIDEO_RATES: RangeInclusive<Rate> = Rate::kbps(30)..=Rate::kbps(50_000);
/// Opus: RFC 6716 section 2.1.1.
const AUDIO_RATES: RangeInclusive<Rate> = Rate::kbps(6)..=Rate::kbps(510);
const FRAME_RATES: RangeInclusive<u64> = 1..=120;
/// Beyond 2 s a call is a broadcast.
const DELAYS: RangeInclusive<Span> = Span::ZERO..=Span::seconds(2);

/// The media of the call; each is `None` if the scenario switches it off.
pub(super) fn read(section: &Section<'_>) -> Option<(Option<VideoPlan>, Option<AudioPlan>)> {
    let video = section.or("video", Some(default_video()), |node| {
        switch(node, read_video)
    });
    let audio = section.or("audio", Some(default_audio()), |node| {
        switch(node, read_audio)
    });
    match (video?, audio?) {
        (None, None) if section.get("data").is_none() => section.get("audio")?.fail(
            "a call without video, audio and data has nothing to measure; drop one of the two \
             `false`, or write a [[data]]",
        ),
        media => Some(media),
    }
}

/// `false`, or the section.
fn switch<T>(node: &Node<'_>, read: fn(&Node<'_>) -> Option<T>) -> Option<Option<T>> {
    match node.as_bool() {
        Some(false) => Some(None),
        Some(true) => node.fail("on already; drop the key, or write false to switch it off"),
        None => read(node).map(Some),
    }
}

/// Video of a small tile in a call: 640x360 at 30 frames per second and 800 kbps.
pub(super) fn default_video() -> VideoPlan {
    let size = FrameSize::of(640, 360);
    VideoPlan {
        width: size.width,
        height: size.height,
        fps: 30,
        bitrate_bps: 800_000,
        playout_delay: Span::millis(100).into(),
    }
}

/// Wideband speech or better: 32 kbps is in the sweet spot of RFC 6716 section 2.1.1 for
/// full-band speech (28 to 40 kbps).
fn default_audio() -> AudioPlan {
    AudioPlan {
        bitrate_bps: 32_000,
        playout_delay: Span::millis(60).into(),
    }
}

fn read_video(node: &Node<'_>) -> Option<VideoPlan> {
    let base = default_video();
    let section = node.section(&VIDEO, "false, or a table such as { size = \"640x360\" }")?;
    let size = FrameSize::of(base.width, base.height);
    let size = section.or("size", size, |node| node.quantity());
    let fps = section.or("fps", base.fps, fps);
    let bitrate_bps = section.or("bitrate", base.bitrate_bps, video_bitrate);
    let playout_delay = section.or("playout_delay", base.playout_delay, playout_delay);
    let FrameSize { width, height } = size?;
    let (fps, bitrate_bps, playout_delay) = (fps?, bitrate_bps?, playout_delay?);
    Some(VideoPlan {
        width,
        height,
        fps,
        bitrate_bps,
        playout_delay,
    })
}

fn read_audio(node: &Node<'_>) -> Option<AudioPlan> {
    let base = default_audio();
    let section = node.section(
        &AUDIO,
        "false, or a table such as { bitrate = \"32 kbps\" }",
    )?;
    let bitrate_bps = section.or("bitrate", base.bitrate_bps, audio_bitrate);
    let playout_delay = section.or("playout_delay", base.playout_delay, playout_delay);
    let (bitrate_bps, playout_delay) = (bitrate_bps?, playout_delay?);
    Some(AudioPlan {
        bitrate_bps,
        playout_delay,
    })
}

/// Pictures per second.
pub(super) fn fps(node: &Node<'_>) -> Option<u32> {
    node.integer(FRAME_RATES)
        .and_then(|fps| u32::try_from(fps).ok())
}

/// Target bits per second of an encoder of pictures.
pub(super) fn video_bitrate(node: &Node<'_>) -> Option<u32> {
    bitrate(node, VIDEO_RATES)
}

/// Target bits per second of an encoder of sound.
pub(super) fn audio_bitrate(node: &Node<'_>) -> Option<u32> {
    bitrate(node, AUDIO_RATES)
}

pub(super) fn bitrate(node: &Node<'_>, range: RangeInclusive<Rate>) -> Option<u32> {
    node.within(range)
        .and_then(|rate| u32::try_from(rate.bps()).ok())
}

fn playout_delay(node: &Node<'_>) -> Option<Duration> {
    node.within(DELAYS).map(Into::into)
}
