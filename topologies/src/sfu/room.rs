//! Who sends to the SFU and who receives from it.

mod choose;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use reports::record::Kind;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use sim::Time;
use webrtc::media_stream::track_remote::TrackRemote;

use super::forward::Subscription;
use super::keyframes::{Decision, KeyframeGate};
use super::layers::Choice;
use super::rates::{self, SharedLeg};
use super::sent::Sent;
use super::speakers::Speakers;
use super::supply::Supply;
use crate::observe::frames::HopKey;
use crate::peer::Context;
use crate::peer::connection::Renegotiate;
use crate::peer::environment::sleep_until;

/// One participant's media of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// Whose.
    pub participant: u16,
    /// What.
    pub kind: Kind,
}

/// Tells a publication from an earlier one of the same source: who comes back sends anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch(pub u32);

/// The SFU's state, which its legs share.
pub struct Room {
    context: Context,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    publications: BTreeMap<Source, Publication>,
    receivers: BTreeMap<u16, Receiver>,
    speakers: Speakers,
    epochs: u32,
    stays: u32,
}

/// What a participant sends.
struct Publication {
    epoch: Epoch,
    /// The smallest first; one, if there is nothing to choose from.
    layers: Vec<Layer>,
}

/// One size of what a participant sends.
struct Layer {
    /// Known from its first packet on.
    media: Option<(u32, Arc<dyn TrackRemote>)>,
    gate: KeyframeGate,
    supply: Supply,
}

/// An SSRC, its track, and what it may be sent with at most, bits per second.
pub type Limit = (u32, Arc<dyn TrackRemote>, f64);

/// Tells a leg from an earlier one of the same participant, which may close after it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stay(u32);

/// Who receives over one leg.
struct Receiver {
    stay: Stay,
    renegotiate: Renegotiate,
    connected: bool,
    /// How many pictures it has room for.
    pictures: usize,
    /// The layers that go to it.
    choice: Choice,
    /// What went to it.
    sent: Sent,
    subscriptions: BTreeMap<Source, Arc<Subscription>>,
}

impl Room {
    /// Nobody sends, and nobody receives.
    pub fn new(context: Context) -> Self {
        Room {
            context,
            state: Mutex::default(),
        }
    }

    /// The SFU itself.
    pub fn context(&self) -> &Context {
        &self.context
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no panic while the room is locked")
    }

    /// A participant came, to receive over a leg that offers again when `renegotiate` asks for it.
    pub fn enter(&self, participant: u16, renegotiate: Renegotiate) -> Stay {
        let mut state = self.lock();
        state.stays += 1;
        let stay = Stay(state.stays);
        let receiver = Receiver {
            stay,
            renegotiate,
            connected: false,
            pictures: usize::MAX,
            choice: Choice::default(),
            sent: Sent::default(),
            subscriptions: BTreeMap::new(),
        };
        state.receivers.insert(participant, receiver);
        stay
    }

    /// A participant is going to send, as its offer says: receivers are told before its first
    /// packet comes.
    pub fn announce(&self, participant: u16) {
        let plan = &self.context.plan;
        let sends = plan.sends_to(participant, self.context.index);
        let mut state = self.lock();
        if sends {
            state.speakers.add(participant);
        }
        for kind in self.context.kinds().filter(|_| sends) {
            state.epochs += 1;
            let layers = match kind {
                Kind::Video => plan.layers().len(),
                Kind::Audio => 1,
            };
            let layer = |_| Layer {
                media: None,
                gate: KeyframeGate::new(plan.sfu.keyframe_interval),
                supply: Supply::default(),
            };
            let publication = Publication {
                epoch: Epoch(state.epochs),
                layers: (0..layers).map(layer).collect(),
            };
            let source = Source { participant, kind };
            state.publications.insert(source, publication);
        }
        self.renegotiate(&state, participant);
    }

    /// A participant's track began, of that layer and with packets of this SSRC; `None` if nobody
    /// announced it.
    pub fn attach(
        &self,
        (source, layer): (Source, usize),
        ssrc: u32,
        track: Arc<dyn TrackRemote>,
    ) -> Option<Epoch> {
        let publication = &mut self.lock().publications;
        let publication = publication.get_mut(&source)?;
        publication.layers.get_mut(layer)?.media = Some((ssrc, track));
        Some(publication.epoch)
    }

    /// A packet of a layer came.
    pub fn came(&self, source: Source, layer: usize) {
        let now = self.context.environment.now();
        let publication = &mut self.lock().publications;
        let layers = publication
            .get_mut(&source)
            .map(|publication| &mut publication.layers);
        if let Some(layer) = layers.and_then(|layers| layers.get_mut(layer)) {
            layer.supply.came(now);
        }
    }

    /// A participant went, with all that it sends; unless it has come again meanwhile.
    pub fn leave(&self, participant: u16, stay: Stay) {
        let mut state = self.lock();
        let there = state.receivers.get(&participant);
        if there.is_none_or(|receiver| receiver.stay != stay) {
            return;
        }
        state.receivers.remove(&participant);
        state.speakers.remove(participant);
        state
            .publications
            .retain(|source, _| source.participant != participant);
        self.renegotiate(&state, participant);
    }

    /// Whoever gets the media of a participant is offered it, or what is left of it.
    fn renegotiate(&self, state: &State, participant: u16) {
        // Offers that cross the set-up of DTLS change its roles while it is under way, and the stack
        // ends it with an alert: who is not connected yet is offered everything when it is.
        for (other, receiver) in &state.receivers {
            if receiver.connected && self.context.plan.watches(*other, participant) {
                receiver.renegotiate.needed();
            }
        }
    }

    /// Everything that a participant should receive.
    pub fn wanted_by(&self, participant: u16) -> BTreeMap<Source, Epoch> {
        let state = self.lock();
        let watched = self.watched(&state, participant);
        watched
            .map(|(source, publication)| (*source, publication.epoch))
            .collect()
    }

    /// What there is of those whom a participant watches.
    fn watched<'s>(
        &self,
        state: &'s State,
        participant: u16,
    ) -> impl Iterator<Item = (&'s Source, &'s Publication)> {
        let plan = &self.context.plan;
        let all = state.publications.iter();
        all.filter(move |(source, _)| plan.watches(participant, source.participant))
    }

    /// From now on packets of `source` may go to the participant.
    pub fn subscribe(
        self: &Arc<Self>,
        participant: u16,
        source: Source,
        subscription: Arc<Subscription>,
    ) {
        let mut layer = 0;
        if let Some(receiver) = self.lock().receivers.get_mut(&participant) {
            receiver.subscriptions.insert(source, subscription);
            layer = receiver.choice.of(source.participant);
        }
        self.want_keyframe(source, layer);
    }

    /// Packets of `source` no longer go to the participant.
    pub fn unsubscribe(&self, participant: u16, source: Source) {
        if let Some(receiver) = self.lock().receivers.get_mut(&participant) {
            receiver.subscriptions.remove(&source);
        }
    }

    /// The leg of a participant can carry packets: it is offered what others send.
    pub fn connected(&self, participant: u16) {
        if let Some(receiver) = self.lock().receivers.get_mut(&participant)
            && !std::mem::replace(&mut receiver.connected, true)
        {
            receiver.renegotiate.needed();
        }
    }

    /// Who subscribed to a source, and which layer is to go to them now, if any is.
    pub fn subscriptions(&self, source: Source) -> Vec<(Arc<Subscription>, Option<usize>)> {
        let state = self.lock();
        let receivers = state.receivers.iter();
        receivers
            .filter_map(|(receiver, receiving)| {
                let subscription = receiving.subscriptions.get(&source)?;
                let goes = self.goes(&state, source, *receiver);
                let layer = match source.kind {
                    Kind::Video => receiving.choice.of(source.participant),
                    Kind::Audio => 0,
                };
                Some((Arc::clone(subscription), goes.then_some(layer)))
            })
            .collect()
    }

    /// Whether packets of a source go to a receiver: sound always does.
    fn goes(&self, state: &State, source: Source, receiver: u16) -> bool {
        let number = match source.kind {
            Kind::Audio => return true,
            Kind::Video => self.pictures_for(state, receiver),
        };
        let watched = |sender| self.context.plan.watches(receiver, sender);
        number == usize::MAX || state.speakers.shows(source.participant, number, watched)
    }

    /// How many pictures go to a receiver at most.
    fn pictures_for(&self, state: &State, receiver: u16) -> usize {
        let last_n = self
            .context
            .plan
            .sfu
            .last_n
            .map_or(usize::MAX, |n| n as usize);
        let fit = state
            .receivers
            .get(&receiver)
            .map(|receiver| receiver.pictures);
        last_n.min(fit.unwrap_or(usize::MAX))
    }

    /// Decides how many pictures go over each leg, by what it carries. Returns what each sender of
    /// pictures may send, bits per second, so that all legs that it goes over have room for it.
    pub fn allot(self: &Arc<Self>) -> Vec<Limit> {
        if self.context.plan.sfu.layers > 1 {
            return self.choose_layers();
        }
        let mut state = self.lock();
        let receivers: Vec<u16> = state.receivers.keys().copied().collect();
        let mut legs = BTreeMap::new();
        for receiver in receivers {
            if let Some(left_bps) = self.allot_to(&mut state, receiver) {
                let senders = self.seen_by(&state, receiver);
                legs.insert(receiver, SharedLeg { left_bps, senders });
            }
        }
        let video = self.context.plan.video.as_ref();
        let ceiling = video.map_or(0.0, |video| f64::from(video.bitrate_bps));
        let rates = rates::share_out(legs.values().cloned().collect(), ceiling);
        self.note_targets(&legs, &rates);
        let floor = f64::from(self.context.plan.congestion.video_floor_bps);
        let publications = state.publications.iter();
        let limited = publications.filter_map(|(source, publication)| {
            let (ssrc, track) = publication.layers[0].media.clone()?;
            // Of who goes to nobody, no more is needed than it sends anyway.
            let bps = rates.get(&source.participant).copied().unwrap_or(floor);
            (source.kind == Kind::Video).then(|| (ssrc, track, bps.max(floor)))
        });
        limited.collect()
    }

    /// What the leg to a receiver has for pictures; `None` if it carries none yet.
    fn allot_to(&self, state: &mut State, receiver: u16) -> Option<f64> {
        let plan = &self.context.plan;
        let estimate = self.context.estimates.of(receiver)?;
        let of = |kind: Kind| {
            let watched = self.watched(state, receiver);
            watched.filter(|(source, _)| source.kind == kind).count()
        };
        let (sounds, pictures) = (of(Kind::Audio), of(Kind::Video));
        let last_n = plan.sfu.last_n.map_or(usize::MAX, |n| n as usize);
        let receiving = state.receivers.get_mut(&receiver).filter(|r| r.connected)?;
        let most = (pictures.min(last_n), receiving.pictures);
        let allotment = rates::allot(plan, estimate.bps(), sounds, most);
        receiving.pictures = allotment.pictures;
        Some(allotment.left_bps)
    }

    /// Whose pictures go to a receiver.
    fn seen_by(&self, state: &State, receiver: u16) -> BTreeSet<u16> {
        let watched = self.watched(state, receiver);
        let pictures = watched.filter(|(source, _)| {
            source.kind == Kind::Video && self.goes(state, **source, receiver)
        });
        pictures.map(|(source, _)| source.participant).collect()
    }

    /// Each leg is to carry what its senders may send.
    fn note_targets(&self, legs: &BTreeMap<u16, SharedLeg>, rates: &BTreeMap<u16, f64>) {
        let now = self.context.environment.now();
        let mut observations = self.context.observatory.lock();
        for (receiver, leg) in legs {
            let bps = leg
                .senders
                .iter()
                .filter_map(|sender| rates.get(sender))
                .sum();
            let hop = HopKey::first(self.context.index, *receiver, Kind::Video);
            observations.rates.targeted(hop, now, bps);
        }
    }

    /// Sound of a participant came, with this level in -dBov.
    pub fn heard(&self, participant: u16, level: u8) {
        let now = self.context.environment.now();
        self.lock().speakers.heard(participant, level, now);
    }

    /// Somebody needs a keyframe of a layer of `source` to go on.
    pub fn want_keyframe(self: &Arc<Self>, source: Source, layer: usize) {
        if source.kind != Kind::Video {
            return;
        }
        let now = self.context.environment.now();
        let decision = {
            let mut state = self.lock();
            let publication = state.publications.get_mut(&source);
            let layer = publication.and_then(|publication| publication.layers.get_mut(layer));
            // What it will send first is a keyframe.
            let Some(layer) = layer.filter(|layer| layer.media.is_some()) else {
                return;
            };
            layer.gate.ask(now)
        };
        match decision {
            Decision::Covered => {}
            Decision::AskNow => self.spawn_request(source, layer, now),
            Decision::AskAt(at) => self.spawn_request(source, layer, at),
        }
    }

    fn spawn_request(self: &Arc<Self>, source: Source, layer: usize, at: Time) {
        let room = Arc::clone(self);
        let runtime = self.context.environment.runtime();
        runtime.spawn(Box::pin(async move {
            sleep_until(room.context.environment.as_ref(), at).await;
            room.request(source, layer).await;
        }));
    }

    async fn request(&self, source: Source, layer: usize) {
        let media = {
            let mut state = self.lock();
            let publication = state.publications.get_mut(&source);
            let layer = publication.and_then(|publication| publication.layers.get_mut(layer));
            layer.and_then(|layer| {
                layer.gate.passed(self.context.environment.now());
                layer.media.clone()
            })
        };
        let Some((media_ssrc, track)) = media else {
            return;
        };
        let request = PictureLossIndication {
            sender_ssrc: 0,
            media_ssrc,
        };
        if let Err(error) = track.write_rtcp(vec![Box::new(request)]).await {
            log::debug!("keyframe request to {}: {error}", source.participant);
        }
    }
}
