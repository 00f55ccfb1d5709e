//! An outgoing channel with back-pressure: who writes to it waits while enough waits in it.

use std::pin::pin;
use std::sync::{Arc, Mutex};

use bytes::BytesMut;
use scenarios::{DataPlan, Reliability};
use tokio::sync::Notify;
use webrtc::data_channel::{DataChannel, DataChannelEvent};
use webrtc::error::Result;

use crate::observe::data::ChannelKey;
use crate::peer::Context;

/// An outgoing channel.
pub struct Outlet {
    context: Context,
    key: ChannelKey,
    channel: Arc<dyn DataChannel>,
    /// Bytes that may wait in it.
    buffer: usize,
    patient: bool,
    stage: Mutex<Stage>,
    /// The stage changed, or the channel drained.
    changed: Notify,
}

/// How far the life of a channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Opening,
    Open,
    Closed,
}

/// Whether a channel takes a message now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// It does.
    Free,
    /// Too much waits in it.
    Full,
    /// It never will again.
    Closed,
}

impl Outlet {
    /// A channel that opens when its connection does. Somebody is to [`follow`](Self::follow) it.
    ///
    /// # Errors
    ///
    /// If the channel is closed already.
    pub async fn new(
        context: Context,
        key: ChannelKey,
        channel: Arc<dyn DataChannel>,
        data: &DataPlan,
    ) -> Result<Self> {
        let low = data.buffer_bytes / 2;
        channel.set_buffered_amount_low_threshold(low).await?;
        Ok(Outlet {
            context,
            key,
            channel,
            buffer: data.buffer_bytes as usize,
            patient: data.reliability == Reliability::Full,
            stage: Mutex::new(Stage::Opening),
            changed: Notify::new(),
        })
    }

    /// Which channel this is.
    pub fn key(&self) -> ChannelKey {
        self.key
    }

    /// Whether writers wait for room, since nothing may be left out.
    pub fn is_patient(&self) -> bool {
        self.patient
    }

    /// Follows what becomes of the channel until it closes.
    pub async fn follow(self: Arc<Self>) {
        while let Some(event) = self.channel.poll().await {
            match event {
                DataChannelEvent::OnOpen => self.enter(Stage::Open),
                DataChannelEvent::OnBufferedAmountLow => self.changed.notify_waiters(),
                DataChannelEvent::OnClosing | DataChannelEvent::OnClose => break,
                _ => {}
            }
        }
        self.close();
    }

    /// Nobody writes any more; who waits for room waits no longer.
    pub fn close(&self) {
        self.enter(Stage::Closed);
    }

    fn enter(&self, stage: Stage) {
        if stage == Stage::Open {
            let now = self.context.environment.now();
            let mut observations = self.context.observatory.lock();
            observations
                .data
                .channel(self.key)
                .opened
                .get_or_insert(now);
        }
        *self.stage.lock().expect(UNPOISONED) = stage;
        self.changed.notify_waiters();
    }

    fn stage(&self) -> Stage {
        *self.stage.lock().expect(UNPOISONED)
    }

    /// Whether messages can go over the channel.
    pub fn is_open(&self) -> bool {
        self.stage() == Stage::Open
    }

    /// Waits until the channel is open; `false` if it closes first.
    pub async fn opened(&self) -> bool {
        loop {
            let mut changed = pin!(self.changed.notified());
            // From here on no change is missed.
            changed.as_mut().enable();
            match self.stage() {
                Stage::Open => return true,
                Stage::Closed => return false,
                Stage::Opening => changed.await,
            }
        }
    }

    /// Whether the channel takes a message now.
    pub async fn room(&self) -> Room {
        match self.channel.outstanding_bytes().await {
            _ if self.stage() == Stage::Closed => Room::Closed,
            Ok(waiting) if waiting < self.buffer => Room::Free,
            Ok(_) => Room::Full,
            Err(_) => Room::Closed,
        }
    }

    /// Waits until the channel takes a message; `false` if it closes first.
    ///
    /// The channel says once when what waits has fallen to half of what may wait. More than half
    /// waits while it is full, so that it is going to say so.
    pub async fn ready(&self) -> bool {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            match self.room().await {
                Room::Free => return true,
                Room::Closed => return false,
                Room::Full => changed.await,
            }
        }
    }

    /// Sends a message, whether there is room or not.
    pub async fn put(&self, message: BytesMut) {
        if let Err(error) = self.channel.send(message).await {
            return log::debug!("data channel {:?}: {error}", self.key);
        }
        let waiting = self.channel.outstanding_bytes().await.unwrap_or(0) as u64;
        let mut observations = self.context.observatory.lock();
        let log = observations.data.channel(self.key);
        log.buffered_max = log.buffered_max.max(waiting);
    }
}

const UNPOISONED: &str = "nobody panics with the stage locked";
