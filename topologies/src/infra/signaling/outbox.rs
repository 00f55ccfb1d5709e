//! What waits to be sent on one connection, bounded in bytes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::protocol::ErrorCode;

/// Bytes that a queued message costs besides its text.
const OVERHEAD: usize = 64;

/// A queue with many senders and one receiver.
#[derive(Clone, Debug)]
pub(super) struct Outbox(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: usize,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Utf8Bytes>,
    bytes: usize,
    closed: Option<Closed>,
}

/// Why nothing can be pushed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// What was pushed before is still received.
    Finished,
    /// As before; afterwards the other side is told.
    Dismissed(ErrorCode),
    /// What was pushed before is dropped; the other side is told.
    Cut(ErrorCode),
}

/// Why a message was not pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PushError {
    Full,
    Closed,
}

impl Outbox {
    /// An open queue of at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        let state = Mutex::default();
        Outbox(Arc::new(Shared {
            limit,
            state,
            changed: Notify::new(),
        }))
    }

    pub(super) fn push(&self, text: Utf8Bytes) -> Result<(), PushError> {
        let mut state = self.state();
        if state.closed.is_some() {
            return Err(PushError::Closed);
        }
        let bytes = state.bytes + text.len() + OVERHEAD;
        if bytes > self.0.limit {
            return Err(PushError::Full);
        }
        state.bytes = bytes;
        state.queue.push_back(text);
        self.0.changed.notify_one();
        Ok(())
    }

    /// Refuses messages from now on. The first reason counts.
    pub(super) fn close(&self, reason: Closed) {
        let mut state = self.state();
        if matches!(reason, Closed::Cut(_)) {
            state.queue.clear();
        }
        state.closed.get_or_insert(reason);
        self.0.changed.notify_one();
    }

    /// The next message, or why there will be none. For one receiver at a time; no message is
    /// lost when the future is dropped.
    pub(super) async fn next(&self) -> Result<Utf8Bytes, Closed> {
        loop {
            if let Some(next) = self.state().take() {
                return next;
            }
            self.0.changed.notified().await;
        }
    }

    /// Waits until it is closed, whatever still waits in it.
    pub(super) async fn closed(&self) {
        while self.state().closed.is_none() {
            self.0.changed.notified().await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self) -> Option<Result<Utf8Bytes, Closed>> {
        match self.queue.pop_front() {
            Some(text) => {
                self.bytes -= text.len() + OVERHEAD;
                Some(Ok(text))
            }
            None => self.closed.map(Err),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn ready(outbox: &Outbox) -> Option<Result<Utf8Bytes, Closed>> {
        outbox.next().now_or_never()
    }

    #[test]
    fn is_bounded_in_bytes_and_reads_make_room() {
        // Two messages of 36 bytes and an overhead of 64 each fill 200 bytes.
        let outbox = Outbox::new(200);
        let text = Utf8Bytes::from("x".repeat(36));
        assert_eq!(outbox.push(text.clone()), Ok(()));
        assert_eq!(outbox.push(text.clone()), Ok(()));
        assert_eq!(outbox.push("".into()), Err(PushError::Full));
        assert_eq!(ready(&outbox), Some(Ok(text.clone())));
        assert_eq!(outbox.push(text), Ok(()));
    }

    #[test]
    fn finishing_delivers_and_cutting_does_not() {
        let finished = Outbox::new(1000);
        finished.push("last".into()).unwrap();
        finished.close(Closed::Finished);
        assert_eq!(finished.push("late".into()), Err(PushError::Closed));
        assert_eq!(ready(&finished), Some(Ok("last".into())));
        assert_eq!(ready(&finished), Some(Err(Closed::Finished)));

        let cut = Outbox::new(1000);
        cut.push("lost".into()).unwrap();
        cut.close(Closed::Cut(ErrorCode::Overloaded));
        cut.close(Closed::Finished);
        assert_eq!(ready(&cut), Some(Err(Closed::Cut(ErrorCode::Overloaded))));
    }

    #[test]
    fn an_empty_open_queue_waits() {
        assert_eq!(ready(&Outbox::new(1000)), None);
    }
}
