//! `[repair]`: what is done about packets that are lost or late.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::document::{Keys, Node, Section};
use crate::plan::{AudioPlan, Playout, RepairPlan, StackPlan, VideoPlan};
use crate::units::{Fraction, Span};

pub(super) const KEYS: Keys = Keys {
    section: "[repair]",
    names: &[
        "nack",
        "rtx",
        "fec",
        "fec_overhead",
        "pli",
        "keyframe_interval",
        "opus_fec",
        "concealment",
        "playout",
    ],
};

/// Packets of media per repair packet: from a copy of each to what no longer fits a playout delay.
const PROTECTED: RangeInclusive<u32> = 1..=20;
/// One repair packet for five of media.
const USUAL_PROTECTED: u32 = 5;
/// Streaming has one in 2 to 10 s; more than two a second are nothing but keyframes.
const KEYFRAME_INTERVALS: RangeInclusive<Span> = Span::millis(500)..=Span::seconds(600);

/// The media of the call, where they could be read.
pub(super) type Media<'a> = (Option<&'a VideoPlan>, Option<&'a AudioPlan>);

/// How a call of these media repairs losses, on this stack (unless that could not be read).
pub(super) fn read(
    section: &Section<'_>,
    media: Media<'_>,
    stack: Option<&StackPlan>,
) -> Option<RepairPlan> {
    section.or("repair", RepairPlan::default(), |node| {
        plan(node, media, stack)
    })
}

fn plan(
    node: &Node<'_>,
    (video, audio): Media<'_>,
    stack: Option<&StackPlan>,
) -> Option<RepairPlan> {
    let base = RepairPlan::default();
    let section = node.section(&KEYS, "a table: [repair]")?;
    refuse(
        &section,
        &["nack", "rtx", "fec", "pli", "keyframe_interval"],
        video.is_none(),
        "video",
    )?;
    refuse(
        &section,
        &["opus_fec", "concealment"],
        audio.is_none(),
        "audio",
    )?;
    let steady = stack.is_none_or(|stack| stack.steady_playout);
    let nack = section.or("nack", base.nack, Node::boolean);
    let rtx = section.or("rtx", base.rtx, |node| match (node.boolean()?, nack) {
        (true, Some(false)) => node
            .fail("nobody asks for anything to be sent again; write nack = true, or drop the key"),
        (rtx, _) => Some(rtx),
    });
    let flexfec = flexfec(&section);
    let pli = section.or("pli", base.pli, Node::boolean);
    let keyframe_interval = section.or("keyframe_interval", base.keyframe_interval, |node| {
        node.within(KEYFRAME_INTERVALS)
            .map(|span| Some(Duration::from(span)))
    });
    let opus_fec = section.or("opus_fec", base.opus_fec, |node| {
        let wanted = node.boolean()?;
        ours(node, wanted, wanted, steady)
    });
    let concealment = section.or("concealment", base.concealment, Node::boolean);
    let playout = section.or("playout", base.playout, |node| {
        let playout = node.choice(&[("fixed", Playout::Fixed), ("adaptive", Playout::Adaptive)])?;
        ours(node, playout, playout == Playout::Adaptive, steady)
    });
    Some(RepairPlan {
        nack: nack?,
        rtx: rtx?,
        flexfec: flexfec?,
        pli: pli?,
        keyframe_interval: keyframe_interval?,
        opus_fec: opus_fec?,
        concealment: concealment?,
        playout: playout?,
    })
}

/// Refuses keys of media that the call does not have.
fn refuse(section: &Section<'_>, keys: &[&'static str], missing: bool, kind: &str) -> Option<()> {
    match keys.iter().find_map(|key| section.get(key)) {
        Some(node) if missing => node.fail(format!("a call without {kind}; drop the key")),
        _ => Some(()),
    }
}

/// What only our playout buffer can do.
fn ours<T>(node: &Node<'_>, value: T, needs_ours: bool, steady: bool) -> Option<T> {
    match needs_ours && !steady {
        true => node.fail(
            "the stack's own jitter buffer cannot do this; write steady_playout = true in [stack], \
             or drop the key",
        ),
        false => Some(value),
    }
}

fn flexfec(section: &Section<'_>) -> Option<Option<u32>> {
    let on = section.or("fec", false, |node| {
        node.choice(&[("none", false), ("flexfec", true)])
    });
    let protected = section.or("fec_overhead", USUAL_PROTECTED, |node| match on {
        Some(false) => {
            node.fail("there is no overhead without it; write fec = \"flexfec\", or drop the key")
        }
        _ => protected(node),
    });
    let (on, protected) = (on?, protected?);
    Some(on.then_some(protected))
}

/// How many packets of media share a repair packet, if that is this share of them.
fn protected(node: &Node<'_>) -> Option<u32> {
    let overhead: Fraction = node.quantity()?;
    // A fraction of 0 gives infinity, which no range contains.
    let packets = (1.0 / overhead.get()).round();
    match packets <= f64::from(*PROTECTED.end()) {
        true => Some(packets as u32),
        false => node.fail("write 5 % to 100 %"),
    }
}
