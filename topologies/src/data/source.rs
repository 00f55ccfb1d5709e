//! What sends a workload over a channel.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use scenarios::{DataKind, DataPlan};
use sha2::{Digest, Sha256};
use sim::Time;

use super::message::{HEADER, Header};
use super::outlet::{Outlet, Room};
use crate::observe::data::Sent;
use crate::peer::Context;
use crate::peer::clock::DeviceClock;
use crate::peer::environment::sleep_until;
use crate::world;

/// A participant's workload on its way into one channel.
struct Source {
    context: Context,
    outlet: Arc<Outlet>,
    sequence: u32,
    end: Time,
}

/// Sends a workload from its start, or from when the channel is open, to the end of the window.
pub async fn run(context: Context, outlet: Arc<Outlet>) {
    let data = context.plan.data[outlet.key().workload].clone();
    if !outlet.opened().await {
        return;
    }
    sleep_until(context.environment.as_ref(), Time::ZERO + data.start).await;
    let mut source = Source {
        end: world::window(&context.plan).1,
        context,
        outlet,
        sequence: 0,
    };
    match data.kind {
        DataKind::File { bytes } => source.file(&data, bytes).await,
        DataKind::State { interval } => source.state(&data, interval).await,
        DataKind::Chat { interval } => source.chat(&data, interval).await,
    }
}

impl Source {
    fn now(&self) -> Time {
        self.context.environment.now()
    }

    /// What is drawn for a purpose: the same for all channels of a participant's workload.
    fn random(&self, purpose: &str, data: &DataPlan) -> ChaCha8Rng {
        let name = format!("data/{}/{purpose}/{}", data.name, self.context.index);
        self.context.environment.random(&name)
    }

    async fn file(&mut self, data: &DataPlan, bytes: u64) {
        let mut content = self.random("content", data);
        let mut hash = Sha256::new();
        let most = data.payload_bytes as usize - HEADER;
        let mut left = bytes;
        while left > 0 {
            let length = usize::try_from(left).map_or(most, |left| left.min(most));
            let mut part = vec![0; length];
            content.fill_bytes(&mut part);
            hash.update(&part);
            if !self.in_time_and_ready().await {
                return;
            }
            self.put(&part, false).await;
            left -= length as u64;
        }
        if self.in_time_and_ready().await {
            self.put(&hash.finalize(), true).await;
        }
    }

    async fn state(&mut self, data: &DataPlan, interval: Duration) {
        let phase = interval.mul_f64(self.random("phase", data).random::<f64>());
        let clock = DeviceClock::new(phase, interval);
        let body = vec![0; data.payload_bytes as usize - HEADER];
        let mut tick = clock.next(self.now());
        while tick < self.end {
            sleep_until(self.context.environment.as_ref(), tick).await;
            self.offer(&body).await;
            tick += interval;
            // A channel that made the sender wait cost it ticks.
            while tick <= self.now() {
                tick += interval;
                self.skipped();
            }
        }
    }

    async fn chat(&mut self, data: &DataPlan, interval: Duration) {
        let mut random = self.random("gaps", data);
        let body = vec![0; data.payload_bytes as usize - HEADER];
        let mut at = self.now();
        loop {
            // Exponential: the times between the events of a Poisson process.
            at += interval.mul_f64(-(1.0 - random.random::<f64>()).ln());
            if at >= self.end {
                return;
            }
            sleep_until(self.context.environment.as_ref(), at).await;
            self.offer(&body).await;
        }
    }

    /// Whether there is still time when there is room.
    async fn in_time_and_ready(&self) -> bool {
        self.outlet.ready().await && self.now() < self.end
    }

    /// Sends a message when there is room, or now or never if it may be left out.
    async fn offer(&mut self, body: &[u8]) {
        let ready = match self.outlet.is_patient() {
            true => self.outlet.ready().await,
            false => self.outlet.room().await == Room::Free,
        };
        match ready {
            true => self.put(body, false).await,
            false => self.skipped(),
        }
    }

    async fn put(&mut self, body: &[u8], last: bool) {
        let header = Header {
            sender: self.context.index,
            last,
            sequence: self.sequence,
            made: self.now(),
        };
        self.sequence += 1;
        let mut message = BytesMut::with_capacity(HEADER + body.len());
        message.extend_from_slice(&header.to_bytes());
        message.extend_from_slice(body);
        let sent = Sent {
            at: header.made,
            bytes: message.len() as u32,
        };
        let log = |observatory: &crate::observe::Observatory| {
            observatory
                .lock()
                .data
                .channel(self.outlet.key())
                .sent
                .push(sent);
        };
        log(&self.context.observatory);
        self.outlet.put(message).await;
    }

    fn skipped(&self) {
        let mut observations = self.context.observatory.lock();
        observations.data.channel(self.outlet.key()).skipped += 1;
    }
}
