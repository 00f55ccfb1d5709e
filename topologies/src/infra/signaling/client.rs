//! The client: a handle that stays in its room over broken connections.

mod driver;

use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use thiserror::Error;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use webrtc::runtime::Runtime;

use super::channel::{SharedTraffic, Traffic, count};
use super::config::ClientConfig;
use super::outbox::{Closed, Outbox, PushError};
use super::protocol::{
    ClientMessage, ErrorCode, LeaveReason, MAX_CLIENT_MESSAGE, Participant, Signal, TurnCredentials,
};
use super::transport::Connector;
use driver::Driver;

/// What happens to a client. After `Failed`, or after the client left, nothing follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// There are TURN credentials, in place of those before. They come ahead of `Joined` and
    /// `Reconnected`, and when they were renewed; not at all if they do not expire.
    TurnCredentials(TurnCredentials),
    /// The client is in its room, for the first time.
    Joined {
        /// The client itself.
        you: Participant,
        /// Everybody else, in the order of joining.
        participants: Vec<Participant>,
    },
    /// The connection is lost; attempts to restore it have begun. What is sent meanwhile waits;
    /// what was sent shortly before may be lost.
    Reconnecting {
        /// What happened, for people.
        cause: String,
    },
    /// The client is in its room again.
    Reconnected {
        /// Everybody else. Who was there before with the same session still is the same.
        participants: Vec<Participant>,
    },
    /// Somebody came, or came back: with a known session, only their signalling had been away.
    PeerJoined(Participant),
    /// Somebody went.
    PeerLeft {
        /// Who.
        participant: Participant,
        /// Why.
        reason: LeaveReason,
    },
    /// Somebody sent something.
    Signal {
        /// Who, in which incarnation.
        from: Participant,
        /// What.
        signal: Signal,
    },
    /// Something that was sent could not be delivered. The connection stays.
    Error {
        /// For programs.
        code: ErrorCode,
        /// For people.
        message: String,
    },
    /// The client is out of its room for good.
    Failed(SignalingError),
}

/// Why a client is out of its room for good.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SignalingError {
    /// The server refused, and would again.
    #[error("the signalling server refused: {message} ({code:?})")]
    Refused {
        /// For programs.
        code: ErrorCode,
        /// For people.
        message: String,
    },
    /// The server does not speak this protocol.
    #[error("the signalling server sent something else than a message: {0}")]
    Protocol(String),
    /// The connection could not be restored in [`ClientConfig::give_up_after`].
    #[error("no connection to the signalling server after {attempts} attempts, the last: {cause}")]
    Unreachable {
        /// Failed in a row.
        attempts: u32,
        /// Of the last failure.
        cause: String,
    },
}

/// Why something was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SendError {
    /// Longer than [`MAX_CLIENT_MESSAGE`].
    #[error("the message has {0} bytes, more than the {MAX_CLIENT_MESSAGE} allowed")]
    TooLarge(usize),
    /// [`ClientConfig::max_queued_bytes`] are waiting.
    #[error("too much is waiting to be sent")]
    Full,
    /// The client left or failed.
    #[error("the client is not in its room any more")]
    Closed,
}

/// A client in its room. Dropping it leaves the room.
#[derive(Debug)]
pub struct SignalingClient {
    sender: SignalingSender,
    events: mpsc::UnboundedReceiver<Event>,
    traffic: SharedTraffic,
}

/// Sends for a client. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SignalingSender {
    outbox: Outbox,
}

impl SignalingClient {
    /// Starts to connect and to join, and returns at once. `rng` draws the jitter of the pauses,
    /// and the token if there is none.
    pub fn connect(
        connector: Arc<dyn Connector>,
        runtime: Arc<dyn Runtime>,
        rng: ChaCha8Rng,
        config: ClientConfig,
    ) -> Self {
        let sender = SignalingSender {
            outbox: Outbox::new(config.max_queued_bytes),
        };
        let traffic = SharedTraffic::default();
        let (events, receiver) = mpsc::unbounded_channel();
        let driver = Driver::new(
            connector,
            runtime.clone(),
            rng,
            config,
            sender.outbox.clone(),
            events,
            traffic.clone(),
        );
        runtime.spawn(Box::pin(driver.run())).detach();
        SignalingClient {
            sender,
            events: receiver,
            traffic,
        }
    }

    /// The next event; `None` after the last. Cancel safe.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// Something that sends for this client.
    pub fn sender(&self) -> SignalingSender {
        self.sender.clone()
    }

    /// What the client sent and received so far.
    pub fn traffic(&self) -> Traffic {
        *count(&self.traffic)
    }
}

impl Drop for SignalingClient {
    fn drop(&mut self) {
        self.sender.leave();
    }
}

impl SignalingSender {
    /// Queues a signal to another participant, in the incarnation that `to` names. Signals to one
    /// participant arrive in order, at most once.
    pub fn send(&self, to: &Participant, signal: Signal) -> Result<(), SendError> {
        let text = ClientMessage::signal(to, signal).to_text();
        if text.len() > MAX_CLIENT_MESSAGE {
            return Err(SendError::TooLarge(text.len()));
        }
        self.push(text)
    }

    /// Asks for other TURN credentials.
    pub fn renew_credentials(&self) -> Result<(), SendError> {
        self.push(ClientMessage::Renew {}.to_text())
    }

    /// Leaves the room after what was queued before has been sent, if there is a connection.
    pub fn leave(&self) {
        self.outbox.close(Closed::Finished);
    }

    fn push(&self, text: Utf8Bytes) -> Result<(), SendError> {
        self.outbox.push(text).map_err(|error| match error {
            PushError::Full => SendError::Full,
            PushError::Closed => SendError::Closed,
        })
    }
}
