//! What the MCU's encoders are asked for, as the legs of their audiences allow.

use std::collections::BTreeMap;

use reports::record::Kind;

use super::audience::Audience;
use crate::observe::frames::HopKey;
use crate::peer::Context;
use crate::peer::congestion::{Shares, Streams, shares};
use crate::peer::pace::rounded;

/// For each audience what its encoder of `kind` is asked for, bits per second: what the leg carries
/// that carries least, of the participants who are its audience. Empty where senders do not adapt.
pub fn targets(
    context: &Context,
    kind: Kind,
    listeners: impl IntoIterator<Item = (Audience, u16)>,
) -> BTreeMap<Audience, u32> {
    let mut targets: BTreeMap<Audience, u32> = BTreeMap::new();
    let listeners: Vec<_> = listeners.into_iter().collect();
    for (audience, participant) in &listeners {
        let Some(estimate) = context.estimates.of(*participant) else {
            continue;
        };
        let bps = rounded(share(context, kind, estimate.bps()));
        let target = targets.entry(*audience).or_insert(bps);
        *target = bps.min(*target);
    }
    note(context, kind, &listeners, &targets);
    targets
}

fn share(context: &Context, kind: Kind, estimate_bps: f64) -> f64 {
    let plan = &context.plan;
    let streams = Streams::one_each(plan);
    let Shares {
        audio_bps,
        video_bps,
    } = shares(plan, estimate_bps, streams, plan.mcu.bitrate_bps);
    match kind {
        Kind::Audio => audio_bps,
        Kind::Video => video_bps,
    }
}

/// A stream counts on each leg, as the leg's estimate does.
fn note(
    context: &Context,
    kind: Kind,
    listeners: &[(Audience, u16)],
    targets: &BTreeMap<Audience, u32>,
) {
    let now = context.environment.now();
    let mut observations = context.observatory.lock();
    for (audience, participant) in listeners {
        if let Some(bps) = targets.get(audience) {
            let hop = HopKey::first(context.index, *participant, kind);
            observations.rates.targeted(hop, now, f64::from(*bps));
        }
    }
}
