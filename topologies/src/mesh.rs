//! Mesh: every pair of participants is connected.
//!
//! Whoever joins offers to everybody who is there already; whoever is there answers.

mod roster;

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::infra::signaling::{
    ClientConfig, Connector, Event, Name, Participant, Session, Signal, SignalingClient,
    SignalingSender,
};
use crate::peer::Context;
use crate::peer::connection::{Connection, IceServers, Input};
use crate::peer::environment::sleep_until;
use roster::Roster;

/// The room that a call meets in.
pub const ROOM: &str = "call";

/// What a participant is told from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Write down how every connection stands.
    Report,
    /// Leave the call.
    Leave,
}

/// One participant of a mesh.
pub struct MeshPeer {
    context: Context,
    servers: IceServers,
    sender: SignalingSender,
    signals: mpsc::UnboundedSender<(u16, Signal)>,
    others: Roster<mpsc::UnboundedSender<Input>>,
}

/// Takes part in a call until it is told to leave, or until nobody can tell it any more. Camera
/// and microphone end with it.
///
/// # Panics
///
/// If the plan has a participant whose name signalling does not allow: plans are valid.
pub async fn participate(
    context: Context,
    servers: IceServers,
    connector: Arc<dyn Connector>,
    mut commands: mpsc::UnboundedReceiver<Command>,
) {
    let me = &context.plan.participants[usize::from(context.index)];
    let mut random = context
        .environment
        .random(&format!("signaling/{}", me.name));
    let session = Session(rand::Rng::next_u32(&mut random));
    let name = |text: &str| text.parse::<Name>().expect("plans have valid names");
    let config = ClientConfig::new(name(ROOM), name(&me.name), session);
    let runtime = context.environment.runtime();
    let mut client = SignalingClient::connect(connector, runtime, random, config);
    let (signals, mut outgoing) = mpsc::unbounded_channel();
    let mut peer = MeshPeer {
        sender: client.sender(),
        context,
        servers,
        signals,
        others: Roster::default(),
    };
    loop {
        tokio::select! {
            biased;
            command = commands.recv() => match command {
                Some(Command::Report) => peer.report(),
                Some(Command::Leave) | None => break,
            },
            event = client.next() => match event {
                Some(event) => peer.signaled(event).await,
                None => break,
            },
            Some((remote, signal)) = outgoing.recv() => peer.say(remote, signal),
        }
    }
    peer.context.capture.end();
    for connection in peer.others.connections() {
        let _ = connection.send(Input::Close);
    }
}

impl MeshPeer {
    fn index_of(&self, name: &Name) -> Option<u16> {
        let all = self.context.plan.participants.iter();
        let mut named = all.filter(|participant| participant.name == name.as_str());
        named.next().map(|participant| participant.index)
    }

    fn report(&self) {
        for connection in self.others.connections() {
            let _ = connection.send(Input::Report);
        }
    }

    async fn signaled(&mut self, event: Event) {
        match event {
            Event::Joined { participants, .. } => {
                for participant in participants {
                    if let Some(remote) = self.meet(participant) {
                        self.tell(remote, Input::Negotiate).await;
                    }
                }
            }
            Event::Reconnected { participants } => {
                for participant in participants {
                    self.meet(participant);
                }
            }
            Event::PeerJoined(participant) => {
                self.meet(participant);
            }
            Event::PeerLeft {
                participant,
                reason,
            } => {
                if let Some(remote) = self.index_of(&participant.name) {
                    close(self.others.left(remote, &participant, reason));
                }
            }
            Event::Signal { from, signal } => {
                if let Some(remote) = self.meet(from) {
                    self.tell(remote, Input::Signal(signal)).await;
                }
            }
            Event::Reconnecting { cause } => log::warn!("signalling: reconnecting: {cause}"),
            Event::Error { code, message } => log::debug!("signalling: {code:?}: {message}"),
            Event::Failed(error) => log::error!("signalling: {error}"),
        }
    }

    /// Notes that somebody is there; another incarnation of somebody known replaces them.
    fn meet(&mut self, participant: Participant) -> Option<u16> {
        let Some(remote) = self.index_of(&participant.name) else {
            log::warn!(
                "nobody of this call is called {}",
                participant.name.as_str()
            );
            return None;
        };
        close(self.others.meet(remote, participant));
        Some(remote)
    }

    /// Passes an input to the connection with `remote`, which starts with its first one.
    async fn tell(&mut self, remote: u16, input: Input) {
        let Some(connection) = self.others.connection(remote) else {
            return;
        };
        if connection.is_none() {
            let context = self.context.clone();
            let signals = self.signals.clone();
            match Connection::start(context, remote, &self.servers, signals).await {
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

/// Joins at the participant's time, and leaves at it, or when `reports` ends. `commands` leads to
/// `reports`; it is weak, so that it does not keep the call alive by itself.
pub async fn follow_schedule(
    context: Context,
    servers: IceServers,
    connector: Arc<dyn Connector>,
    reports: mpsc::UnboundedReceiver<Command>,
    commands: mpsc::WeakUnboundedSender<Command>,
) {
    let environment = Arc::clone(&context.environment);
    let me = context.plan.participants[usize::from(context.index)].clone();
    sleep_until(environment.as_ref(), sim::Time::ZERO + me.join).await;
    let now = environment.now();
    context.observatory.lock().calls.joins.insert(me.index, now);
    if let Some(leave) = me.leave {
        let environment = Arc::clone(&environment);
        environment.clone().runtime().spawn(Box::pin(async move {
            sleep_until(environment.as_ref(), sim::Time::ZERO + leave).await;
            if let Some(commands) = commands.upgrade() {
                let _ = commands.send(Command::Leave);
            }
        }));
    }
    participate(context, servers, connector, reports).await;
}
