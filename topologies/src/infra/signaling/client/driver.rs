//! The task behind a client: connect, join, run, and again.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use rand_chacha::ChaCha8Rng;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use webrtc::runtime::{Runtime, timeout};

use super::{Event, SignalingError};
use crate::infra::signaling::channel::{Channel, End, SharedTraffic};
use crate::infra::signaling::config::ClientConfig;
use crate::infra::signaling::name::Token;
use crate::infra::signaling::outbox::{Closed, Outbox};
use crate::infra::signaling::protocol::{
    ClientMessage, ErrorCode, Participant, ServerMessage, Signal, VERSION,
};
use crate::infra::signaling::transport::Connector;

pub(super) struct Driver {
    connector: Arc<dyn Connector>,
    runtime: Arc<dyn Runtime>,
    rng: ChaCha8Rng,
    config: ClientConfig,
    outbox: Outbox,
    events: mpsc::UnboundedSender<Event>,
    traffic: SharedTraffic,
    outage: Outage,
}

/// A time without a connection.
struct Outage {
    /// When the first attempt failed to stay, or the client started.
    since: Instant,
    /// Attempts that failed in a row.
    failures: u32,
    /// Whether the room was ever joined.
    joined: bool,
}

/// Why a connection, or an attempt at one, is over.
enum Over {
    /// The client has left, or nobody listens to it any more.
    Left,
    /// It makes sense to try again.
    Lost(String),
    /// It does not.
    Failed(SignalingError),
}

/// The events of a message, or the end.
type Handled = Result<Event, Over>;

impl Driver {
    pub(super) fn new(
        connector: Arc<dyn Connector>,
        runtime: Arc<dyn Runtime>,
        mut rng: ChaCha8Rng,
        mut config: ClientConfig,
        outbox: Outbox,
        events: mpsc::UnboundedSender<Event>,
        traffic: SharedTraffic,
    ) -> Self {
        config.token.get_or_insert_with(|| Token::draw(&mut rng));
        let outage = Outage {
            since: runtime.now(),
            failures: 0,
            joined: false,
        };
        Driver {
            connector,
            runtime,
            rng,
            config,
            outbox,
            events,
            traffic,
            outage,
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            let over = match self.connection().await {
                Over::Lost(cause) => match self.pause(cause).await {
                    ControlFlow::Continue(()) => continue,
                    ControlFlow::Break(over) => over,
                },
                over => over,
            };
            self.outbox.close(Closed::Finished);
            if let Over::Failed(error) = over {
                // Nobody may be listening any more, and that is fine.
                let _ = self.events.send(Event::Failed(error));
            }
            return;
        }
    }

    /// One connection, from the attempt to its end.
    async fn connection(&mut self) -> Over {
        let mut channel = match self.attempt().await {
            Ok(channel) => channel,
            Err(over) => return over,
        };
        let joined_at = self.runtime.now();
        let events = self.events.clone();
        let end = channel
            .run(&self.outbox, |text| {
                match handle(text).and_then(|event| emit(&events, event)) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(over) => ControlFlow::Break(over),
                }
            })
            .await;
        self.lost_after(joined_at);
        let over = over(end);
        match over {
            Over::Left => {
                let leave = ClientMessage::Leave {}.to_text();
                channel.farewell(Some(leave), CloseCode::Normal).await;
            }
            Over::Lost(ref cause) => {
                let cause = cause.clone();
                return emit(&self.events, Event::Reconnecting { cause })
                    .err()
                    .unwrap_or(over);
            }
            Over::Failed(_) => channel.farewell(None, CloseCode::Normal).await,
        }
        over
    }

    /// Connects and joins in the time there is for it, unless the client leaves meanwhile.
    async fn attempt(&mut self) -> Result<Channel, Over> {
        let runtime = self.runtime.clone();
        let limit = self.config.connect_timeout;
        let outbox = self.outbox.clone();
        tokio::select! {
            biased;
            result = timeout(runtime.as_ref(), limit, self.join()) => {
                result.unwrap_or_else(|_| Err(Over::Lost(format!("no answer in {limit:?}"))))
            }
            () = outbox.closed() => Err(Over::Left),
        }
    }

    async fn join(&mut self) -> Result<Channel, Over> {
        let ClientConfig { host, timing, .. } = &self.config;
        let stream = self.connector.connect().await.map_err(lost)?;
        let (runtime, traffic) = (self.runtime.clone(), self.traffic.clone());
        let channel = Channel::connect(stream, host, runtime, *timing, traffic).await;
        let mut channel = channel.map_err(lost)?;
        channel
            .send(self.join_message().to_text())
            .await
            .map_err(lost)?;
        let text = channel.receive().await.map_err(over)?;
        let event = match ServerMessage::parse(&text) {
            Ok(ServerMessage::Joined {
                you,
                participants,
                turn,
                ..
            }) => {
                if let Some(turn) = turn {
                    emit(&self.events, Event::TurnCredentials(turn))?;
                }
                self.joined(you, participants)
            }
            Ok(ServerMessage::Error { code, message }) => return Err(refused(code, message)),
            Ok(_) => return Err(protocol("a message before joined")),
            Err(error) => return Err(protocol(error)),
        };
        emit(&self.events, event)?;
        Ok(channel)
    }

    fn join_message(&self) -> ClientMessage {
        let ClientConfig {
            room,
            name,
            session,
            token,
            ..
        } = self.config.clone();
        ClientMessage::Join {
            version: VERSION,
            room,
            name,
            session,
            token,
        }
    }

    fn joined(&mut self, you: Participant, participants: Vec<Participant>) -> Event {
        if std::mem::replace(&mut self.outage.joined, true) {
            Event::Reconnected { participants }
        } else {
            Event::Joined { you, participants }
        }
    }

    /// A new outage begins. Only a connection that lasted makes the pauses short again, so that a
    /// server that accepts and drops is not called without end at the fastest pace.
    fn lost_after(&mut self, joined_at: Instant) {
        let now = self.runtime.now();
        self.outage.since = now;
        if now.saturating_duration_since(joined_at) >= self.config.backoff.max {
            self.outage.failures = 0;
        }
    }

    /// Waits for the next attempt, unless there is none.
    async fn pause(&mut self, cause: String) -> ControlFlow<Over> {
        self.outage.failures += 1;
        let pause = self
            .config
            .backoff
            .pause(self.outage.failures, &mut self.rng);
        let out = self
            .runtime
            .now()
            .saturating_duration_since(self.outage.since);
        if out + pause > self.config.give_up_after {
            let attempts = self.outage.failures;
            let error = SignalingError::Unreachable { attempts, cause };
            return ControlFlow::Break(Over::Failed(error));
        }
        tokio::select! {
            biased;
            () = self.runtime.sleep(pause) => ControlFlow::Continue(()),
            () = self.outbox.closed() => ControlFlow::Break(Over::Left),
        }
    }
}

/// What a message of the server means once the room is joined.
fn handle(text: &str) -> Handled {
    let signal = |name, session, signal| {
        let from = Participant { name, session };
        Event::Signal { from, signal }
    };
    let message = ServerMessage::parse(text).map_err(protocol)?;
    Ok(match message {
        ServerMessage::Joined { .. } => return Err(protocol("a second joined")),
        ServerMessage::Renewed { turn } => Event::TurnCredentials(turn),
        ServerMessage::PeerJoined { name, session } => {
            Event::PeerJoined(Participant { name, session })
        }
        ServerMessage::PeerLeft {
            name,
            session,
            reason,
        } => Event::PeerLeft {
            participant: Participant { name, session },
            reason,
        },
        ServerMessage::Offer { from, session, sdp } => signal(from, session, Signal::Offer(sdp)),
        ServerMessage::Answer { from, session, sdp } => signal(from, session, Signal::Answer(sdp)),
        ServerMessage::Candidate {
            from,
            session,
            candidate,
        } => signal(from, session, Signal::Candidate(candidate)),
        ServerMessage::Error { code, message } if code.is_fatal() => {
            return Err(refused(code, message));
        }
        ServerMessage::Error { code, message } => Event::Error { code, message },
    })
}

fn emit(events: &mpsc::UnboundedSender<Event>, event: Event) -> Result<(), Over> {
    events.send(event).map_err(|_| Over::Left)
}

fn over(end: End<Over>) -> Over {
    match end {
        End::Stopped(over) => over,
        End::Drained(_) => Over::Left,
        End::Closed => Over::Lost("the server closed the connection".into()),
        End::Broken(cause) => Over::Lost(cause),
        End::Silent => Over::Lost("the server fell silent".into()),
        End::TooLarge => protocol("a message that is too long"),
        End::NotText => protocol("a binary frame"),
    }
}

fn refused(code: ErrorCode, message: String) -> Over {
    if code.is_transient() {
        return Over::Lost(format!("the server refused: {message}"));
    }
    Over::Failed(SignalingError::Refused { code, message })
}

fn protocol(what: impl ToString) -> Over {
    Over::Failed(SignalingError::Protocol(what.to_string()))
}

fn lost(error: impl ToString) -> Over {
    Over::Lost(error.to_string())
}
