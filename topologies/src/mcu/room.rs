//! Who is in an MCU's call, and what came from them since its loops looked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use sim::Time;
use tokio::sync::Notify;

use super::outlet::{Outlets, SoundOutlet, VideoOutlet};
use super::{pictures, sounds};
use crate::media::SoundPacket;
use crate::peer::Context;
use crate::peer::display::Decoded;

/// The MCU's state, which its legs and its loops share. The loops run while somebody is there.
pub struct Room {
    context: Context,
    state: Mutex<State>,
    /// There are news for the loop that composes.
    composer: Notify,
}

/// One stay of a participant: who comes back is not who left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stay {
    /// Whose.
    pub participant: u16,
    number: u32,
}

/// What the loop that composes should know.
#[derive(Default)]
pub struct PictureNews {
    /// Who left, before any of the pictures came.
    pub left: BTreeSet<u16>,
    /// The newest picture of each, and when it was decoded.
    pub pictures: BTreeMap<u16, (Time, Decoded)>,
    /// Who needs a keyframe.
    pub keyframes: BTreeSet<u16>,
}

/// What the loop that mixes sound should know.
#[derive(Default)]
pub struct SoundNews {
    /// Who left, before any of the packets came.
    pub left: BTreeSet<u16>,
    /// Packets by whose they are.
    pub packets: Vec<(u16, SoundPacket)>,
}

#[derive(Default)]
struct State {
    members: BTreeMap<u16, Member>,
    stays: u32,
    pictures: PictureNews,
    sounds: SoundNews,
    composing: bool,
    mixing: bool,
}

struct Member {
    stay: Stay,
    /// Once the leg can carry packets.
    outlets: Option<Outlets>,
}

impl Room {
    /// Nobody is there.
    pub fn new(context: Context) -> Self {
        Room {
            context,
            state: Mutex::default(),
            composer: Notify::new(),
        }
    }

    /// The MCU itself.
    pub fn context(&self) -> &Context {
        &self.context
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no panic while the room is locked")
    }

    /// A participant came.
    pub fn enter(self: &Arc<Self>, participant: u16) -> Stay {
        let (plan, runtime) = (&self.context.plan, self.context.environment.runtime());
        let mut state = self.lock();
        state.forget(participant);
        state.stays += 1;
        let number = state.stays;
        let stay = Stay {
            participant,
            number,
        };
        let outlets = None;
        state.members.insert(participant, Member { stay, outlets });
        if plan.video.is_some() && !std::mem::replace(&mut state.composing, true) {
            runtime.spawn(Box::pin(pictures::run(Arc::clone(self))));
        }
        if plan.audio.is_some() && !std::mem::replace(&mut state.mixing, true) {
            runtime.spawn(Box::pin(sounds::run(Arc::clone(self))));
        }
        stay
    }

    /// A participant can be sent to by these, and is to be seen by all.
    pub fn connected(&self, stay: Stay, outlets: Outlets) {
        if let Some(member) = self.lock().member(stay) {
            member.outlets = Some(outlets);
        }
        self.want_keyframe(stay);
    }

    /// A participant went.
    pub fn leave(&self, stay: Stay) {
        let mut state = self.lock();
        if state.member(stay).is_some() {
            state.forget(stay.participant);
        }
        self.composer.notify_one();
    }

    /// A picture of a participant was decoded.
    pub fn picture(&self, stay: Stay, picture: Decoded) {
        let now = self.context.environment.now();
        let mut state = self.lock();
        if state.member(stay).is_some() {
            let pictures = &mut state.pictures.pictures;
            pictures.insert(stay.participant, (now, picture));
            self.composer.notify_one();
        }
    }

    /// A packet of a participant is due.
    pub fn sound(&self, stay: Stay, packet: SoundPacket) {
        let mut state = self.lock();
        if state.member(stay).is_some() {
            let packets = &mut state.sounds.packets;
            packets.push((stay.participant, packet));
        }
    }

    /// A participant cannot decode without a keyframe.
    pub fn want_keyframe(&self, stay: Stay) {
        let mut state = self.lock();
        if state.member(stay).is_some() {
            state.pictures.keyframes.insert(stay.participant);
        }
    }

    /// Waits until there are news for the loop that composes, or nobody is there any more.
    pub async fn has_picture_news(&self) {
        self.composer.notified().await;
    }

    /// The news since the last call; `None` if nobody is there, which ends the loop that composes.
    pub fn picture_news(&self) -> Option<PictureNews> {
        let mut state = self.lock();
        let news = std::mem::take(&mut state.pictures);
        state.composing = !state.members.is_empty();
        state.composing.then_some(news)
    }

    /// The same for the loop that mixes sound.
    pub fn sound_news(&self) -> Option<SoundNews> {
        let mut state = self.lock();
        let news = std::mem::take(&mut state.sounds);
        state.mixing = !state.members.is_empty();
        state.mixing.then_some(news)
    }

    /// Who is to be seen, in ascending order.
    pub fn senders(&self) -> Vec<u16> {
        let all = &self.context.plan.participants;
        let state = self.lock();
        let connected = state.members.iter().filter(|(_, m)| m.outlets.is_some());
        let sends = |participant: &u16| all[usize::from(*participant)].sends;
        connected.map(|(who, _)| *who).filter(sends).collect()
    }

    /// Where pictures go.
    pub fn video_outlets(&self) -> Vec<Arc<VideoOutlet>> {
        self.outlets(|outlets| outlets.video.clone())
    }

    /// Where sound goes.
    pub fn sound_outlets(&self) -> Vec<Arc<SoundOutlet>> {
        self.outlets(|outlets| outlets.sound.clone())
    }

    fn outlets<T>(&self, of: impl Fn(&Outlets) -> Option<T>) -> Vec<T> {
        let state = self.lock();
        let members = state.members.values();
        members
            .filter_map(|member| of(member.outlets.as_ref()?))
            .collect()
    }
}

impl State {
    /// Whose stay it is, if it is not over.
    fn member(&mut self, stay: Stay) -> Option<&mut Member> {
        let member = self.members.get_mut(&stay.participant)?;
        (member.stay == stay).then_some(member)
    }

    fn forget(&mut self, participant: u16) {
        if self.members.remove(&participant).is_none() {
            return;
        }
        self.pictures.left.insert(participant);
        self.pictures.pictures.remove(&participant);
        self.pictures.keyframes.remove(&participant);
        self.sounds.left.insert(participant);
        self.sounds.packets.retain(|(who, _)| *who != participant);
    }
}
