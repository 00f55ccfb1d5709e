//! One WebSocket, as servers and clients both use it: text messages, keep-alive, a polite end.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use tokio::io::AsyncReadExt;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, accept_async_with_config, client_async_with_config};
use webrtc::runtime::{Runtime, timeout};

use super::config::Timing;
use super::outbox::{Closed, Outbox};
use super::protocol::{MAX_CLIENT_MESSAGE, MAX_SERVER_MESSAGE};
use super::transport::Stream;

/// How long the other side has to confirm the end of a connection.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Initial bytes of the read buffer; the default of 128 KiB per connection is for bulk data.
const READ_BUFFER: usize = 8 * 1024;

/// Text messages and their bytes of JSON, without WebSocket, TCP and IP overhead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Messages received.
    pub messages_in: u64,
    /// Bytes of them.
    pub bytes_in: u64,
    /// Messages sent.
    pub messages_out: u64,
    /// Bytes of them.
    pub bytes_out: u64,
}

/// A [`Traffic`] that several connections count in.
pub(super) type SharedTraffic = Arc<Mutex<Traffic>>;

/// Why a connection ended. `E` is what the handler of its messages stopped it with.
#[derive(Debug)]
pub(super) enum End<E> {
    /// The handler stopped it.
    Stopped(E),
    /// The outbox was closed, and sent to its end.
    Drained(Closed),
    /// The other side closed it.
    Closed,
    /// It broke.
    Broken(String),
    /// Nothing was heard, or nothing could be sent, for too long.
    Silent,
    /// A message was too long.
    TooLarge,
    /// A frame was binary, or text that is not UTF-8.
    NotText,
}

type WebSocket = WebSocketStream<Box<dyn Stream>>;

/// One WebSocket.
pub(super) struct Channel {
    socket: WebSocket,
    runtime: Arc<dyn Runtime>,
    timing: Timing,
    traffic: SharedTraffic,
}

impl Channel {
    /// The server's side of a handshake.
    pub(super) async fn accept(
        stream: Box<dyn Stream>,
        runtime: Arc<dyn Runtime>,
        timing: Timing,
        traffic: SharedTraffic,
    ) -> Result<Self, Error> {
        let config = websocket_config(MAX_CLIENT_MESSAGE);
        let socket = accept_async_with_config(stream, Some(config)).await?;
        Ok(Channel {
            socket,
            runtime,
            timing,
            traffic,
        })
    }

    /// The client's side of a handshake.
    pub(super) async fn connect(
        stream: Box<dyn Stream>,
        host: &str,
        runtime: Arc<dyn Runtime>,
        timing: Timing,
        traffic: SharedTraffic,
    ) -> Result<Self, Error> {
        let config = websocket_config(MAX_SERVER_MESSAGE);
        let url = format!("ws://{host}/");
        let (socket, _) = client_async_with_config(url, stream, Some(config)).await?;
        Ok(Channel {
            socket,
            runtime,
            timing,
            traffic,
        })
    }

    /// Sends one message.
    pub(super) async fn send(&mut self, text: Utf8Bytes) -> Result<(), Error> {
        count(&self.traffic).sent(&text);
        self.socket.send(Message::Text(text)).await
    }

    /// Receives one message.
    pub(super) async fn receive<E>(&mut self) -> Result<Utf8Bytes, End<E>> {
        loop {
            let Some(received) = self.socket.next().await else {
                return Err(End::Closed);
            };
            if let Some(text) = text_of(received)? {
                count(&self.traffic).received(&text);
                return Ok(text);
            }
        }
    }

    /// Sends what is pushed into `outbox`, handles what is received, and keeps the connection
    /// alive until it ends.
    pub(super) async fn run<E>(
        &mut self,
        outbox: &Outbox,
        mut handle: impl FnMut(&str) -> ControlFlow<E>,
    ) -> End<E> {
        let Channel {
            socket,
            runtime,
            timing,
            traffic,
        } = self;
        let runtime = runtime.as_ref();
        let heard = Heard(Mutex::new(runtime.now()));
        let (sink, stream) = socket.split();
        tokio::select! {
            biased;
            end = read(stream, &heard, runtime, traffic, &mut handle) => end,
            end = write(sink, outbox, runtime, *timing, traffic) => end,
            () = heard.silence(runtime, timing.silence_timeout) => End::Silent,
        }
    }

    /// Says why, closes, and waits a little for the other side to have read it: dropping a
    /// connection with unread input resets it, and the last words would be lost.
    pub(super) async fn farewell(mut self, last: Option<Utf8Bytes>, code: CloseCode) {
        let runtime = self.runtime.clone();
        let polite = async {
            if let Some(text) = last {
                self.send(text).await?;
            }
            self.socket
                .close(Some(CloseFrame {
                    code,
                    reason: Utf8Bytes::default(),
                }))
                .await?;
            let mut rest = [0; 1024];
            while self.socket.get_mut().read(&mut rest).await? > 0 {}
            Ok::<_, Error>(())
        };
        if let Ok(Err(error)) = timeout(runtime.as_ref(), CLOSE_TIMEOUT, polite).await {
            log::debug!("a signalling connection ended without a farewell: {error}");
        }
    }
}

async fn read<E>(
    mut stream: SplitStream<&mut WebSocket>,
    heard: &Heard,
    runtime: &dyn Runtime,
    traffic: &SharedTraffic,
    handle: &mut impl FnMut(&str) -> ControlFlow<E>,
) -> End<E> {
    while let Some(received) = stream.next().await {
        heard.now(runtime.now());
        match text_of(received) {
            Ok(Some(text)) => {
                count(traffic).received(&text);
                if let ControlFlow::Break(reason) = handle(&text) {
                    return End::Stopped(reason);
                }
            }
            Ok(None) => {}
            Err(end) => return end,
        }
    }
    End::Closed
}

async fn write<E>(
    mut sink: SplitSink<&mut WebSocket, Message>,
    outbox: &Outbox,
    runtime: &dyn Runtime,
    timing: Timing,
    traffic: &SharedTraffic,
) -> End<E> {
    let mut ping = runtime.sleep(timing.ping_interval);
    loop {
        // Pings first: messages alone need no reply, so a busy connection would seem silent.
        let message = tokio::select! {
            biased;
            () = &mut ping => {
                ping = runtime.sleep(timing.ping_interval);
                Message::Ping(Bytes::new())
            }
            next = outbox.next() => match next {
                Ok(text) => {
                    count(traffic).sent(&text);
                    Message::Text(text)
                }
                Err(closed) => return End::Drained(closed),
            },
        };
        match timeout(runtime, timing.silence_timeout, sink.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return End::Broken(error.to_string()),
            Err(_) => return End::Silent,
        }
    }
}

/// The text of a message, `None` for a control frame.
fn text_of<E>(received: Result<Message, Error>) -> Result<Option<Utf8Bytes>, End<E>> {
    match received {
        Ok(Message::Text(text)) => Ok(Some(text)),
        Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => Ok(None),
        Ok(Message::Binary(_)) | Err(Error::Utf8(_)) => Err(End::NotText),
        Ok(Message::Close(_)) => Err(End::Closed),
        Err(Error::Capacity(_)) => Err(End::TooLarge),
        Err(error) => Err(End::Broken(error.to_string())),
    }
}

/// When something was last heard of the other side.
struct Heard(Mutex<Instant>);

impl Heard {
    fn now(&self, now: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    async fn silence(&self, runtime: &dyn Runtime, limit: Duration) {
        loop {
            let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let silent = runtime.now().saturating_duration_since(last);
            if silent >= limit {
                return;
            }
            runtime.sleep(limit - silent).await;
        }
    }
}

impl Traffic {
    fn received(&mut self, text: &str) {
        self.messages_in += 1;
        self.bytes_in += text.len() as u64;
    }

    fn sent(&mut self, text: &str) {
        self.messages_out += 1;
        self.bytes_out += text.len() as u64;
    }
}

pub(super) fn count(traffic: &SharedTraffic) -> std::sync::MutexGuard<'_, Traffic> {
    traffic.lock().unwrap_or_else(PoisonError::into_inner)
}

fn websocket_config(max_message: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(max_message))
        .max_frame_size(Some(max_message))
}
