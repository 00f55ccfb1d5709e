//! One client of a server, from the handshake to the farewell.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use webrtc::runtime::{Runtime, timeout};

use super::channel::{Channel, End, SharedTraffic};
use super::config::ServerConfig;
use super::hub::{ConnectionId, Hub, Stop, error};
use super::outbox::{Closed, Outbox};
use super::protocol::{ClientMessage, ErrorCode, LeaveReason};
use super::rate::RateLimit;
use super::transport::Stream;

/// What the connections of a server share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) hub: Arc<Mutex<Hub>>,
    pub(super) runtime: Arc<dyn Runtime>,
    pub(super) config: Arc<ServerConfig>,
    pub(super) traffic: SharedTraffic,
}

impl Shared {
    pub(super) fn hub(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves one client. Counts as a connection from the first byte, so that clients that never
/// finish the handshake are bounded too.
pub(super) async fn serve(shared: Shared, stream: Box<dyn Stream>) {
    let outbox = Outbox::new(shared.config.max_queued_bytes);
    let id = shared.hub().connect(outbox.clone());
    let Some(channel) = accept(&shared, stream).await else {
        id.inspect(|id| shared.hub().disconnect(*id, LeaveReason::Disconnected));
        return;
    };
    let Some(id) = id else {
        let full = Stop::Refused(ErrorCode::ServerFull, "the server has no place left".into());
        return farewell(channel, End::Stopped(full)).await;
    };
    let mut channel = channel;
    let end = run(&shared, &mut channel, &outbox, id).await;
    shared.hub().disconnect(id, leave_reason(&end));
    farewell(channel, end).await;
}

async fn accept(shared: &Shared, stream: Box<dyn Stream>) -> Option<Channel> {
    let Shared {
        runtime,
        config,
        traffic,
        ..
    } = shared;
    let handshake = Channel::accept(stream, runtime.clone(), config.timing, traffic.clone());
    match timeout(runtime.as_ref(), config.join_timeout, handshake).await {
        Ok(Ok(channel)) => Some(channel),
        Ok(Err(error)) => {
            log::debug!("a signalling handshake failed: {error}");
            None
        }
        Err(_) => None,
    }
}

async fn run(
    shared: &Shared,
    channel: &mut Channel,
    outbox: &Outbox,
    id: ConnectionId,
) -> End<Stop> {
    let runtime = shared.runtime.as_ref();
    let ServerConfig {
        messages_per_second,
        message_burst,
        join_timeout,
        ..
    } = *shared.config;
    let mut rate = RateLimit::new(runtime.now(), messages_per_second, message_burst);
    let handle = |text: &str| match handle(shared, &mut rate, id, text) {
        Ok(()) => ControlFlow::Continue(()),
        Err(stop) => ControlFlow::Break(stop),
    };
    let idle = async {
        runtime.sleep(join_timeout).await;
        if shared.hub().is_settled(id) {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        biased;
        end = channel.run(outbox, handle) => end,
        () = idle => {
            End::Stopped(Stop::Refused(ErrorCode::JoinTimeout, "no join came in time".into()))
        }
    }
}

fn handle(shared: &Shared, rate: &mut RateLimit, id: ConnectionId, text: &str) -> Result<(), Stop> {
    if !rate.admit(shared.runtime.now()) {
        return Err(Stop::Refused(
            ErrorCode::RateLimited,
            "too many messages".into(),
        ));
    }
    let message = ClientMessage::parse(text)
        .map_err(|error| Stop::Refused(error.code(), error.to_string()))?;
    shared.hub().handle(id, message)
}

fn leave_reason(end: &End<Stop>) -> LeaveReason {
    match end {
        End::Stopped(Stop::Left) => LeaveReason::Left,
        End::Stopped(Stop::Refused(..)) | End::TooLarge | End::NotText => LeaveReason::Expelled,
        End::Silent => LeaveReason::Timeout,
        // After `Drained` the hub has forgotten the connection, and told why.
        End::Closed | End::Broken(_) | End::Drained(_) => LeaveReason::Disconnected,
    }
}

async fn farewell(channel: Channel, end: End<Stop>) {
    let (refusal, code) = match end {
        End::Stopped(Stop::Left) | End::Closed | End::Drained(Closed::Finished) => {
            (None, CloseCode::Normal)
        }
        End::Stopped(Stop::Refused(code, message)) => (Some((code, message)), close_code(code)),
        End::Drained(Closed::Dismissed(code)) => (
            Some((code, "the participant joined on another connection".into())),
            close_code(code),
        ),
        End::Drained(Closed::Cut(code)) => (
            Some((code, "too much waits to be read".into())),
            close_code(code),
        ),
        End::TooLarge => (
            Some((ErrorCode::TooLarge, "the message is too long".into())),
            CloseCode::Size,
        ),
        End::NotText => {
            let message = "messages are UTF-8 text".into();
            (
                Some((ErrorCode::Malformed, message)),
                CloseCode::Unsupported,
            )
        }
        End::Broken(_) | End::Silent => return,
    };
    let last = refusal.map(|(code, message)| error(code, message).to_text());
    channel.farewell(last, code).await;
}

/// The close codes of RFC 6455, 7.4.1 and of its registry that say most nearly the same.
fn close_code(code: ErrorCode) -> CloseCode {
    match code {
        ErrorCode::Malformed => CloseCode::Invalid,
        ErrorCode::TooLarge => CloseCode::Size,
        code if code.is_transient() => CloseCode::Again,
        _ => CloseCode::Policy,
    }
}
