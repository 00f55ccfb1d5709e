//! `[congestion]`: how senders adapt to what the network carries.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::groups::Groups;
use super::repair::Media;
use super::{media, network};
use crate::document::{Keys, Node, Section};
use crate::plan::{
    CongestionControl, CongestionPlan, QualityStep, RepairPlan, StackPlan, Threshold, VideoPlan,
};
use crate::units::{FrameSize, Rate};

pub(super) const KEYS: Keys = Keys {
    section: "[congestion]",
    names: &[
        "control",
        "start",
        "video_floor",
        "audio_floor",
        "steps",
        "threshold",
        "coupled",
        "priorities",
        "ecn",
    ],
};

pub(super) const STEP: Keys = Keys {
    section: "steps",
    names: &["below", "fps", "size"],
};

pub(super) const PRIORITY: Keys = Keys {
    section: "priorities",
    names: &["to", "priority"],
};

const PRIORITY_EXAMPLE: &str = "[{ to = \"stage\", priority = 2.0 }]";

/// From a tenth of the usual to ten times that: beyond, the least flow is at its floor.
const PRIORITIES: RangeInclusive<f64> = 0.1..=10.0;

/// From what sound alone needs to what no call needs.
const STARTS: RangeInclusive<Rate> = Rate::kbps(30)..=Rate::kbps(50_000);

/// How the stack is set and what is repaired, unless that could not be read.
type Beside<'a> = (Option<&'a StackPlan>, Option<&'a RepairPlan>);

/// How senders of these media adapt.
pub(super) fn read(
    section: &Section<'_>,
    media: Media<'_>,
    groups: Option<&Groups>,
    beside: Beside<'_>,
) -> Option<CongestionPlan> {
    section.or("congestion", CongestionPlan::default(), |node| {
        plan(node, media, groups, beside)
    })
}

/// Where nobody adapts no other key has an effect.
fn needs_nobody(section: &Section<'_>) -> Option<()> {
    let written = KEYS.names[1..].iter().filter_map(|key| section.get(key));
    let told: Vec<Option<()>> = written
        .map(|node| node.fail("nobody adapts; write control = \"gcc\", or drop the key"))
        .collect();
    told.is_empty().then_some(())
}

fn plan(
    node: &Node<'_>,
    (video, audio): Media<'_>,
    groups: Option<&Groups>,
    beside: Beside<'_>,
) -> Option<CongestionPlan> {
    let base = CongestionPlan::default();
    let section = node.section(&KEYS, "a table: [congestion]")?;
    let control = section.or("control", base.control, |node| {
        node.choice(&[
            ("none", CongestionControl::None),
            ("gcc", CongestionControl::Gcc),
        ])
    });
    // What is written instead of `control` is told, and may be meant to be it.
    if section.get("control").is_none() && section.has_unknown() {
        return None;
    }
    if control == Some(CongestionControl::None) {
        needs_nobody(&section)?;
    }
    let start = section.or("start", base.start_bps, |node| media::bitrate(node, STARTS));
    let video_floor = section.or("video_floor", base.video_floor_bps, |node| {
        let floor = media::video_bitrate(node)?;
        let ceiling = video.map(|video| video.bitrate_bps);
        floor_below(node, floor, ceiling, "video")
    });
    let audio_floor = section.or("audio_floor", base.audio_floor_bps, |node| {
        let floor = media::audio_bitrate(node)?;
        let ceiling = audio.map(|audio| audio.bitrate_bps);
        floor_below(node, floor, ceiling, "audio")
    });
    let steps = section.or("steps", Vec::new(), |node| steps(node, video));
    let threshold = section.or("threshold", base.threshold, |node| {
        let threshold = node.choice(&[
            ("libwebrtc", Threshold::Libwebrtc),
            ("draft", Threshold::Draft),
        ])?;
        of_our_estimator(node, beside).map(|()| threshold)
    });
    let coupled = section.or("coupled", base.coupled, |node| {
        let coupled = node.boolean()?;
        if coupled {
            of_our_estimator(node, beside)?;
        }
        Some(coupled)
    });
    let priorities = section.or("priorities", BTreeMap::new(), |node| {
        let priorities = priorities(node, groups)?;
        if coupled == Some(false) && !priorities.is_empty() {
            return node.fail(
                "connections that know nothing of each other have no priorities; write coupled = \
                 true",
            );
        }
        Some(priorities)
    });
    let ecn = section.or("ecn", base.ecn, |node| ecn(node, video.is_some(), beside));
    let least = |floor: u32, ceiling: Option<u32>| floor.min(ceiling.unwrap_or(floor));
    Some(CongestionPlan {
        control: control?,
        start_bps: start?,
        video_floor_bps: least(video_floor?, video.map(|video| video.bitrate_bps)),
        audio_floor_bps: least(audio_floor?, audio.map(|audio| audio.bitrate_bps)),
        steps: steps?,
        threshold: threshold?,
        coupled: coupled?,
        priorities: priorities?,
        ecn: ecn?,
    })
}

/// What connections count for, by the group that they lead to.
fn priorities(node: &Node<'_>, groups: Option<&Groups>) -> Option<BTreeMap<String, f64>> {
    let mut all = BTreeMap::new();
    for item in node.items(PRIORITY_EXAMPLE)? {
        let section = item.section(&PRIORITY, PRIORITY_EXAMPLE)?;
        let to = section.must("to", "to = \"stage\"", |node| network::group(node, groups));
        let priority = section.must("priority", "priority = 2.0", |node| node.number(PRIORITIES));
        let to = groups?.list[to?].name.clone();
        if all.contains_key(&to) {
            return item.fail(format!(
                "{to:?} has a priority already; drop one of the two"
            ));
        }
        all.insert(to, priority?);
    }
    Some(all)
}

/// Whether the estimator is ours: the stack's has nothing to set.
fn of_our_estimator(node: &Node<'_>, (stack, _): Beside<'_>) -> Option<()> {
    match stack.is_some_and(|stack| !stack.trendline) {
        true => node.fail(
            "not a setting of the stack's own estimator; write `trendline = true` in [stack], or \
             drop the key",
        ),
        false => Some(()),
    }
}

/// Whether marks are used, which takes an estimator that heeds them and feedback that is about one
/// packet each time.
fn ecn(node: &Node<'_>, has_video: bool, beside: Beside<'_>) -> Option<bool> {
    let ecn = node.boolean()?;
    if !ecn {
        return Some(false);
    }
    of_our_estimator(node, beside)?;
    let (_, repair) = beside;
    if has_video && repair.is_some_and(|repair| repair.nack && !repair.rtx) {
        return node.fail(
            "its feedback goes by the numbers of RTP, which packets that are sent again have in \
             common with the first ones; write rtx = true in [repair], or nack = false",
        );
    }
    Some(ecn)
}

/// A floor that is at most the ceiling, the bitrate of `kind`.
fn floor_below(node: &Node<'_>, floor: u32, ceiling: Option<u32>, kind: &str) -> Option<u32> {
    match ceiling {
        None => node.fail(format!(
            "a call without {kind} has no such floor; drop the key"
        )),
        Some(ceiling) if floor > ceiling => node.fail(format!(
            "more than the ceiling, which is `bitrate` of [{kind}]; write less, or raise that"
        )),
        Some(_) => Some(floor),
    }
}

/// Each step below the one before, and giving up at least as much.
fn steps(node: &Node<'_>, video: Option<&VideoPlan>) -> Option<Vec<QualityStep>> {
    let items = node.items("[{ below = \"300 kbps\", fps = 15 }]")?;
    let Some(video) = video else {
        return node.fail("a call without video has no steps; drop the key");
    };
    let mut steps: Vec<QualityStep> = Vec::new();
    for item in &items {
        let last = steps.last().copied();
        let (above, fps, size) = match last {
            Some(last) => (Some(last.below_bps), last.fps, (last.width, last.height)),
            None => (None, video.fps, (video.width, video.height)),
        };
        let step = step(item, fps, size)?;
        if above.is_some_and(|above| step.below_bps >= above) {
            return item.fail("not below the step before; list steps from high rates to low ones");
        }
        if step.fps > fps || step.width > size.0 || step.height > size.1 {
            return item.fail("more than what is sent above the step; write less");
        }
        steps.push(step);
    }
    Some(steps)
}

/// A step; what it does not say stays as it is above it.
fn step(node: &Node<'_>, fps: u32, (width, height): (u32, u32)) -> Option<QualityStep> {
    let section = node.section(&STEP, "a table such as { below = \"300 kbps\", fps = 15 }")?;
    let below = section.must("below", "below = \"300 kbps\"", media::video_bitrate);
    let fps = section.or("fps", fps, media::fps);
    let size = section.or("size", FrameSize::of(width, height), |node| node.quantity());
    let FrameSize { width, height } = size?;
    Some(QualityStep {
        below_bps: below?,
        fps: fps?,
        width,
        height,
    })
}
