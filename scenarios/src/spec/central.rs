//! `[sfu]` and `[mcu]`: how the servers that carry media work.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::media;
use crate::document::{Keys, Node, Section};
use crate::plan::{CongestionPlan, MOST_LAYERS, McuEncoders, McuPlan, SfuPlan, VideoPlan, layers};
use crate::units::{FrameSize, Span};

pub(super) const SFU: Keys = Keys {
    section: "[sfu]",
    names: &["last_n", "keyframe_interval", "layers", "tile"],
};

pub(super) const MCU: Keys = Keys {
    section: "[mcu]",
    names: &["size", "fps", "bitrate", "encoders", "wait"],
};

/// Without a limit every request is passed on; beyond 10 s nobody waits for a picture.
const KEYFRAME_INTERVALS: RangeInclusive<Span> = Span::ZERO..=Span::seconds(10);
/// A mixer that waits for a second mixes the past.
const WAITS: RangeInclusive<Span> = Span::ZERO..=Span::seconds(1);

/// The SFU of a call whose cameras send `video`, and adapt so, unless that could not be read.
pub(super) fn sfu(
    section: &Section<'_>,
    video: Option<&VideoPlan>,
    congestion: Option<&CongestionPlan>,
) -> Option<SfuPlan> {
    section.or("sfu", SfuPlan::default(), |node| {
        let base = SfuPlan::default();
        let section = node.section(&SFU, "a table: [sfu]")?;
        let last_n = section.or("last_n", base.last_n, last_n);
        let interval = section.or("keyframe_interval", base.keyframe_interval, |node| {
            node.within(KEYFRAME_INTERVALS).map(Into::into)
        });
        let layers = section.or("layers", base.layers, |node| {
            layers_of(node, video, congestion)
        });
        let tile = section.maybe("tile", Node::quantity);
        let (layers, tile): (u32, Option<FrameSize>) = (layers?, tile?);
        if layers == 1
            && let Some(node) = section.get("tile")
        {
            return node.fail("there are no layers to choose from; write layers = 3, or drop it");
        }
        Some(SfuPlan {
            last_n: last_n?,
            keyframe_interval: interval?,
            layers,
            tile: tile.map(|size| (size.width, size.height)),
        })
    })
}

/// In how many sizes `video` is encoded.
fn layers_of(
    node: &Node<'_>,
    video: Option<&VideoPlan>,
    congestion: Option<&CongestionPlan>,
) -> Option<u32> {
    let number = u32::try_from(node.integer(1..=MOST_LAYERS.into())?).ok()?;
    if number == 1 {
        return Some(number);
    }
    let Some(video) = video else {
        return node.fail("a call without video has no layers; drop the key");
    };
    if congestion.is_some_and(|congestion| !congestion.adapts()) {
        return node.fail(
            "without congestion control the SFU cannot tell who has room for which; write \
             control = \"gcc\" in [congestion], or layers = 1",
        );
    }
    if congestion.is_some_and(|congestion| !congestion.steps.is_empty()) {
        return node.fail("layers stand in for steps; drop `steps` of [congestion]");
    }
    let least = &layers(video, number)[0];
    if !FrameSize::of(least.width, least.height).in_range() {
        return node.fail(format!(
            "the smallest layer would be {}x{}, where a marker has no room; write fewer layers, or \
             a larger `size` in [video]",
            least.width, least.height
        ));
    }
    let (rates_from, _) = media::VIDEO_RATES.into_inner();
    if u64::from(least.bitrate_bps) < rates_from.bps() {
        return node.fail(format!(
            "the smallest layer would have {} bps; write fewer layers, or a higher `bitrate` in \
             [video]",
            least.bitrate_bps
        ));
    }
    Some(number)
}

/// `"all"`, or how many.
fn last_n(node: &Node<'_>) -> Option<Option<u32>> {
    if node.as_str() == Some("all") {
        return Some(None);
    }
    let most = u64::from(*super::PARTICIPANTS.end());
    if node.as_str().is_some() {
        return node.unexpected(&format!("a whole number from 1 to {most}, or \"all\""));
    }
    let number = node.integer(1..=most)?;
    u32::try_from(number).ok().map(Some)
}

/// The MCU of a call whose cameras send `video`.
pub(super) fn mcu(section: &Section<'_>, video: Option<&VideoPlan>) -> Option<McuPlan> {
    let written = match section.get("mcu") {
        Some(node) => written(&node, video)?,
        None => Written::default(),
    };
    let base = McuPlan::default();
    let FrameSize { width, height } = written
        .size
        .unwrap_or(FrameSize::of(base.width, base.height));
    let fps = written
        .fps
        .unwrap_or_else(|| video.map_or(base.fps, |video| video.fps));
    let usual = || video.map_or(base.bitrate_bps, |video| bitrate(video, width, height, fps));
    Some(McuPlan {
        width,
        height,
        fps,
        bitrate_bps: written.bitrate_bps.unwrap_or_else(usual),
        encoders: written.encoders.unwrap_or(base.encoders),
        wait: written.wait.unwrap_or(base.wait),
    })
}

/// What the section says.
#[derive(Default)]
struct Written {
    size: Option<FrameSize>,
    fps: Option<u32>,
    bitrate_bps: Option<u32>,
    encoders: Option<McuEncoders>,
    wait: Option<Duration>,
}

fn written(node: &Node<'_>, video: Option<&VideoPlan>) -> Option<Written> {
    let section = node.section(&MCU, "a table: [mcu]")?;
    let size = section.maybe("size", Node::quantity);
    let fps = section.maybe("fps", media::fps);
    let bitrate_bps = section.maybe("bitrate", media::video_bitrate);
    let encoders = section.maybe("encoders", |node| {
        node.choice(&[
            ("shared", McuEncoders::Shared),
            ("per-participant", McuEncoders::PerParticipant),
        ])
    });
    let wait = section.maybe("wait", |node| node.within(WAITS).map(Into::into));
    if video.is_none()
        && let Some(node) = MCU.names.iter().find_map(|key| section.get(key))
    {
        return node.fail("a call without video has no composed picture; drop the key");
    }
    Some(Written {
        size: size?,
        fps: fps?,
        bitrate_bps: bitrate_bps?,
        encoders: encoders?,
        wait: wait?,
    })
}

/// As many bits per pixel as the cameras have, so that the same picture is coded as well in the
/// grid as it was on the way there; within what a camera may have.
fn bitrate(camera: &VideoPlan, width: u32, height: u32, fps: u32) -> u32 {
    let pixels = |width, height, fps| u128::from(width) * u128::from(height) * u128::from(fps);
    let grid = u128::from(camera.bitrate_bps) * pixels(width, height, fps);
    let bps = grid / pixels(camera.width, camera.height, camera.fps);
    let (least, most) = media::VIDEO_RATES.into_inner();
    let bps = bps.clamp(u128::from(least.bps()), u128::from(most.bps()));
    u32::try_from(bps).expect("within the rates of cameras")
}
