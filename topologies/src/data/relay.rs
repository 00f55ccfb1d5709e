//! The relay of a server: what one participant sends goes to all others of its workload.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::BytesMut;
use webrtc::data_channel::{DataChannel, DataChannelEvent};

use super::message::Header;
use super::outlet::{Outlet, Room};
use crate::observe::data::DeliveryKey;
use crate::peer::Context;

/// The channels of a room, which its legs share.
pub struct Relay {
    context: Context,
    /// By workload and receiver.
    outlets: Mutex<BTreeMap<(usize, u16), Arc<Outlet>>>,
}

impl Relay {
    /// A relay in an empty room.
    pub fn new(context: Context) -> Self {
        Relay {
            context,
            outlets: Mutex::default(),
        }
    }

    /// From now on messages go into this channel, too, once it is open.
    pub fn add(&self, outlet: Arc<Outlet>) {
        let key = (outlet.key().workload, outlet.key().to);
        self.outlets.lock().expect(UNPOISONED).insert(key, outlet);
    }

    /// Messages no longer go into this channel; they go on into one that has taken its place.
    pub fn remove(&self, outlet: &Arc<Outlet>) {
        let key = (outlet.key().workload, outlet.key().to);
        let mut outlets = self.outlets.lock().expect(UNPOISONED);
        if outlets
            .get(&key)
            .is_some_and(|there| Arc::ptr_eq(there, outlet))
        {
            outlets.remove(&key);
        }
    }

    /// Relays what comes from `sender` over a channel of a workload, until that closes.
    ///
    /// One message is under way at a time. While it waits for a receiver, the next ones stay in the
    /// sender's channel, whose window closes: that is what makes the sender wait.
    pub async fn run(self: Arc<Self>, workload: usize, sender: u16, channel: Arc<dyn DataChannel>) {
        while let Some(event) = channel.poll().await {
            if let DataChannelEvent::OnMessage(message) = event {
                match Header::split(&message.data) {
                    Some((header, _)) if header.sender == sender => {
                        self.forward(workload, sender, &message.data).await;
                    }
                    _ => log::warn!("{sender} sent a message that is not its own"),
                }
            }
        }
    }

    async fn forward(&self, workload: usize, sender: u16, message: &BytesMut) {
        for outlet in self.receivers(workload, sender) {
            if outlet.is_patient() {
                outlet.ready().await;
            }
            match outlet.room().await {
                Room::Free => outlet.put(message.clone()).await,
                Room::Full => self.left_out(outlet.as_ref(), sender),
                Room::Closed => {}
            }
        }
    }

    /// The open channels to everybody but the sender.
    fn receivers(&self, workload: usize, sender: u16) -> Vec<Arc<Outlet>> {
        let outlets = self.outlets.lock().expect(UNPOISONED);
        let all = outlets.range((workload, 0)..=(workload, u16::MAX));
        let joined = |outlet: &&Arc<Outlet>| {
            let data = &self.context.plan.data[workload];
            data.joins(sender, outlet.key().to) && outlet.is_open()
        };
        all.map(|(_, outlet)| outlet)
            .filter(joined)
            .cloned()
            .collect()
    }

    fn left_out(&self, outlet: &Outlet, sender: u16) {
        let key = DeliveryKey {
            workload: outlet.key().workload,
            sender,
            receiver: outlet.key().to,
        };
        self.context.observatory.lock().data.left_out(key);
    }
}

const UNPOISONED: &str = "nobody panics with the channels locked";
