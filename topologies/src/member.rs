//! A member of a call: it signals, knows who else is there, and keeps a connection with everybody
//! that its topology connects it to.

mod delay;
mod roster;

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use tokio::sync::mpsc;

use crate::infra::signaling::protocol::LeaveReason;
use crate::infra::signaling::{
    ClientConfig, Connector, Event, Name, Participant, Session, Signal, SignalingClient,
    SignalingSender, Token, TurnCredentials,
};
use crate::peer::Context;
use crate::peer::connection::{Connection, Input, Renegotiate};
use crate::peer::ice_servers::IceServers;
use crate::peer::media::Media;
use delay::delayed;
use roster::Roster;

/// The room that a call meets in.
pub const ROOM: &str = "call";

/// The share of their lifetime after which TURN credentials are renewed, so that a restart of ICE at
/// any time finds good ones.
const RENEWED_AT: f64 = 0.75;

/// What a member is told from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Write down how every connection stands.
    Report,
    /// Leave the call.
    Leave,
}

/// Whom a member connects to, and what for.
pub trait Relations: Send + Sync {
    /// The index of the host called `name`, if this member connects to it.
    fn connects_to(&self, name: &str) -> Option<u16>;

    /// Whether this member is the one that offers, having met `remote`: who was there when it
    /// joined, or who joined after it (`newcomer`).
    fn offers_to(&self, remote: u16, newcomer: bool) -> bool;

    /// What the connection with `remote` carries.
    fn media(&self, remote: u16, renegotiate: Renegotiate) -> Box<dyn Media>;
}

/// How a member reaches the servers of its call.
#[derive(Clone)]
pub struct Access {
    /// STUN and TURN.
    pub ice: IceServers,
    /// Signalling.
    pub signaling: Arc<dyn Connector>,
}

struct Member {
    context: Context,
    relations: Arc<dyn Relations>,
    servers: IceServers,
    sender: SignalingSender,
    signals: mpsc::UnboundedSender<(u16, Signal)>,
    others: Roster<mpsc::UnboundedSender<Input>>,
    /// When to ask for other TURN credentials.
    renewal: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// Who a member is.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// Its name in the room.
    pub name: &'a str,
    /// Counts how often it has started before: to others, each time is somebody new.
    pub incarnation: u32,
}

/// Takes part in a call until it is told to leave, or until nobody can tell it any more. Camera and
/// microphone, if it has them, end with it.
///
/// # Panics
///
/// If signalling does not allow the name: plans are valid.
pub async fn take_part(
    context: Context,
    Identity { name, incarnation }: Identity<'_>,
    relations: Arc<dyn Relations>,
    access: Access,
    mut commands: mpsc::UnboundedReceiver<Command>,
) {
    let random = |what: &str| context.environment.random(&format!("{what}/{name}"));
    let mut random_of_life = random(&format!("signaling/{incarnation}"));
    let session = Session(random_of_life.next_u32());
    let valid = |text: &str| text.parse::<Name>().expect("plans have valid names");
    let mut config = ClientConfig::new(valid(ROOM), valid(name), session);
    let participants = context.plan.participants.len();
    if usize::from(context.index) >= participants {
        // A server may have something to say to everybody at once.
        config.max_queued_bytes *= participants;
    }
    // The same in every life: it takes the place of the one before.
    config.token = Some(Token::draw(&mut random("token")));
    let runtime = context.environment.runtime();
    let mut client = SignalingClient::connect(access.signaling, runtime, random_of_life, config);
    let (line, mut outgoing) = mpsc::unbounded_channel();
    let delay = context.plan.servers.signaling_delay;
    let signals = delayed(&context.environment, delay, line);
    let mut member = Member {
        sender: client.sender(),
        context,
        relations,
        servers: access.ice,
        signals,
        others: Roster::default(),
        renewal: Box::pin(pending()),
    };
    loop {
        tokio::select! {
            biased;
            command = commands.recv() => match command {
                Some(Command::Report) => member.tell_all(|| Input::Report),
                Some(Command::Leave) | None => break,
            },
            event = client.next() => match event {
                Some(event) => member.signaled(event).await,
                None => break,
            },
            Some((remote, signal)) = outgoing.recv() => member.say(remote, signal),
            () = &mut member.renewal => member.renew(),
        }
    }
    member.context.capture.end();
    member.tell_all(|| Input::Close);
}

impl Member {
    async fn signaled(&mut self, event: Event) {
        match event {
            Event::Joined { participants, .. } => {
                for participant in participants {
                    self.meet_and_offer(participant, false).await;
                }
            }
            Event::Reconnected { participants } => {
                for participant in participants {
                    self.meet_and_offer(participant, true).await;
                }
            }
            Event::PeerJoined(participant) => self.meet_and_offer(participant, true).await,
            Event::PeerLeft {
                participant,
                reason,
            } => self.left(&participant, reason),
            Event::Signal { from, signal } => {
                if let Some((remote, _)) = self.meet(from) {
                    self.tell(remote, Input::Signal(signal)).await;
                }
            }
            Event::TurnCredentials(credentials) => self.authenticate(&credentials),
            Event::Reconnecting { cause } => log::warn!("signalling: reconnecting: {cause}"),
            Event::Error { code, message } => log::debug!("signalling: {code:?}: {message}"),
            Event::Failed(error) => log::error!("signalling: {error}"),
        }
    }

    async fn meet_and_offer(&mut self, participant: Participant, newcomer: bool) {
        if let Some((remote, true)) = self.meet(participant)
            && self.relations.offers_to(remote, newcomer)
        {
            self.tell(remote, Input::Negotiate).await;
        }
    }

    /// Notes that somebody is there; another incarnation of somebody known replaces them. Returns
    /// who it is, if this member connects to them, and whether they were not known before.
    fn meet(&mut self, participant: Participant) -> Option<(u16, bool)> {
        let remote = self.relations.connects_to(participant.name.as_str())?;
        let new = self.others.participant(remote) != Some(&participant);
        close(self.others.meet(remote, participant));
        Some((remote, new))
    }

    fn left(&mut self, participant: &Participant, reason: LeaveReason) {
        let name = participant.name.as_str();
        if let Some(remote) = self.relations.connects_to(name) {
            return close(self.others.left(remote, participant, reason));
        }
        if roster::only_lost_signaling(reason) {
            return;
        }
        let mut all = self.context.plan.participants.iter();
        if let Some(source) = all.find(|participant| participant.name == name) {
            self.tell_all(|| Input::Left(source.index));
        }
    }

    /// Uses other TURN credentials from the next allocations on: those that there are stay with the
    /// name that they were made with (RFC 8656 section 5).
    fn authenticate(&mut self, credentials: &TurnCredentials) {
        self.servers.authenticate(credentials);
        self.tell_all(|| Input::Servers(self.servers.clone()));
        let wait = Duration::from_secs(credentials.ttl.into()).mul_f64(RENEWED_AT);
        self.renewal = self.context.environment.runtime().sleep(wait);
    }

    fn renew(&mut self) {
        self.renewal = Box::pin(pending());
        if let Err(error) = self.sender.renew_credentials() {
            log::warn!("signalling: TURN credentials are not renewed: {error}");
        }
    }

    fn tell_all(&self, input: impl Fn() -> Input) {
        for connection in self.others.connections() {
            // A connection that has ended needs to be told nothing.
            let _ = connection.send(input());
        }
    }

    /// Passes an input to the connection with `remote`, which starts with its first one.
    async fn tell(&mut self, remote: u16, input: Input) {
        let Some(connection) = self.others.connection(remote) else {
            return;
        };
        if connection.is_none() {
            let relations = Arc::clone(&self.relations);
            let media = move |renegotiate| relations.media(remote, renegotiate);
            let context = self.context.clone();
            let signals = self.signals.clone();
            match Connection::start(context, remote, &self.servers, signals, media).await {
                Ok(started) => *connection = Some(started),
                Err(error) => return log::error!("connection to {remote}: {error}"),
            }
        }
        if let Some(connection) = connection {
            let _ = connection.send(input);
        }
    }

    fn say(&self, remote: u16, signal: Signal) {
        let Some(participant) = self.others.participant(remote) else {
            return;
        };
        if let Err(error) = self.sender.send(participant, signal) {
            log::warn!("signalling to {remote}: {error}");
        }
    }
}

/// Ends a connection that nobody needs any more.
fn close(connection: Option<mpsc::UnboundedSender<Input>>) {
    if let Some(connection) = connection {
        let _ = connection.send(Input::Close);
    }
}
