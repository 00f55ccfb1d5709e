//! Layers: which of them go to whom, and which are wanted at all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reports::record::Kind;
use sim::Time;

use super::{Limit, Receiver, Room, Source, State};
use crate::observe::frames::HopKey;
use crate::peer::congestion::layering::UNWANTED;
use crate::sfu::layers::{self, Offer};

/// What a layer is limited to that nobody wants, bits per second.
const NOTHING: f64 = UNWANTED / 1e3;

/// What was decided about all legs.
#[derive(Default)]
struct Decided {
    /// Senders and their layers that go to somebody, or are about to.
    wanted: BTreeSet<(u16, usize)>,
    /// The share of their rates that the smallest layers of a sender can have.
    shares: BTreeMap<u16, f64>,
    /// Those of which somebody waits for a keyframe.
    awaited: BTreeSet<(u16, usize)>,
}

impl Room {
    /// Decides which layer of each sender goes over each leg, and asks for the keyframes that it takes
    /// to get there. Returns what each layer may be sent with.
    pub(super) fn choose_layers(self: &Arc<Self>) -> Vec<Limit> {
        let now = self.context.environment.now();
        let (limits, awaited) = {
            let mut state = self.lock();
            let mut decided = Decided::default();
            let receivers: Vec<u16> = state.receivers.keys().copied().collect();
            for receiver in receivers {
                self.choose_for(&mut state, receiver, now, &mut decided);
            }
            (self.limits(&mut state, now, &decided), decided.awaited)
        };
        for (participant, layer) in awaited {
            let kind = Kind::Video;
            self.want_keyframe(Source { participant, kind }, layer);
        }
        limits
    }

    /// Decides about one leg.
    fn choose_for(&self, state: &mut State, receiver: u16, now: Time, decided: &mut Decided) {
        let Some(left_bps) = self.allot_to(state, receiver) else {
            return;
        };
        let seen = self.seen_by(state, receiver).into_iter();
        let offers: BTreeMap<_, _> = seen
            .map(|sender| (sender, self.offer(state, sender, now)))
            .collect();
        let Some(receiving) = state.receivers.get_mut(&receiver) else {
            return;
        };
        let sent_bps = receiving.sent_bps(now);
        let room = layers::Room { left_bps, sent_bps };
        receiving.choice.choose(now, &offers, room);
        let bps = receiving.choice.bps(&offers);
        self.note_target(receiver, now, bps);
        let squeezed = receiving.choice.is_least(&offers) && bps > left_bps;
        for sender in offers.into_keys() {
            let share = decided.shares.entry(sender).or_insert(1.0);
            if squeezed {
                *share = share.min(left_bps / bps);
            }
            receiving.note_wants(sender, now, decided);
        }
    }

    /// The rates of a sender's layers, as far as they are there and not larger than they are shown.
    fn offer(&self, state: &State, sender: u16, now: Time) -> Offer {
        let plans = self.context.plan.layers();
        let (width, height) = self.context.plan.sfu.tile.unwrap_or((u32::MAX, u32::MAX));
        let fills = plans
            .iter()
            .position(|p| p.width >= width && p.height >= height);
        let largest = fills.unwrap_or(plans.len() - 1);
        let publication = state.publications.get(&Source {
            participant: sender,
            kind: Kind::Video,
        });
        let rates = plans.iter().map(|plan| f64::from(plan.bitrate_bps));
        let offer = |asked: bool| -> Offer {
            let rate = |(layer, rate): (usize, f64)| {
                let known = &publication?.layers[layer];
                let there = known.media.is_some() && (!asked || known.supply.is_there(now));
                (there && layer <= largest).then_some(rate)
            };
            rates.clone().enumerate().map(rate).collect()
        };
        // While nothing comes at all, it is not for want of room for one of them.
        let offered = offer(true);
        match offered.iter().any(Option::is_some) {
            true => offered,
            false => offer(false),
        }
    }

    /// What each layer may be sent with: its ceiling, if anybody wants it.
    fn limits(&self, state: &mut State, now: Time, decided: &Decided) -> Vec<Limit> {
        let plans = self.context.plan.layers();
        let floor = f64::from(self.context.plan.congestion.video_floor_bps);
        let mut limits = Vec::new();
        let publications = state.publications.iter_mut();
        for (source, publication) in publications.filter(|(s, _)| s.kind == Kind::Video) {
            let sender = source.participant;
            let known = publication.layers.iter_mut().zip(&plans);
            for (layer, (known, plan)) in known.enumerate() {
                let Some((ssrc, track)) = known.media.clone() else {
                    continue;
                };
                let wanted = decided.wanted.contains(&(sender, layer));
                known.supply.wanted(wanted, now, plan.fps);
                let ceiling = f64::from(plan.bitrate_bps);
                let share = match layer {
                    0 => decided.shares.get(&sender).copied().unwrap_or(1.0),
                    _ => 1.0,
                };
                let bps = (share * ceiling).max(floor.min(ceiling));
                limits.push((ssrc, track, if wanted { bps } else { NOTHING }));
            }
        }
        limits
    }

    fn note_target(&self, receiver: u16, now: Time, bps: f64) {
        let hop = HopKey::first(self.context.index, receiver, Kind::Video);
        let mut observations = self.context.observatory.lock();
        observations.rates.targeted(hop, now, bps);
    }
}

impl Receiver {
    /// What went over the leg of pictures in the last second, bits per second.
    fn sent_bps(&mut self, now: Time) -> f64 {
        let subscriptions = self.subscriptions.values();
        let bytes = subscriptions
            .map(|subscription| subscription.sent_bytes())
            .sum();
        self.sent.bps(now, bytes)
    }

    /// A sender's layer that goes to this one, and that which is about to.
    fn note_wants(&self, sender: u16, now: Time, decided: &mut Decided) {
        let source = Source {
            participant: sender,
            kind: Kind::Video,
        };
        let target = self.choice.of(sender);
        decided.wanted.insert((sender, target));
        let Some(subscription) = self.subscriptions.get(&source) else {
            return;
        };
        decided
            .wanted
            .extend(subscription.current().map(|layer| (sender, layer)));
        if subscription.awaits(target, now) {
            decided.awaited.insert((sender, target));
        }
    }
}
