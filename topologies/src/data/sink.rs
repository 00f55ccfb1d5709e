//! What a participant does with the messages that come to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use scenarios::DataKind;
use webrtc::data_channel::{DataChannel, DataChannelEvent};

use super::assembly::Assembly;
use super::message::Header;
use crate::observe::data::{Arrival, DeliveryKey};
use crate::peer::Context;

/// Takes the messages of a workload until their channel closes.
pub async fn run(context: Context, workload: usize, channel: Arc<dyn DataChannel>) {
    let is_file = matches!(context.plan.data[workload].kind, DataKind::File { .. });
    let mut files: BTreeMap<u16, Assembly> = BTreeMap::new();
    while let Some(event) = channel.poll().await {
        let DataChannelEvent::OnMessage(message) = event else {
            continue;
        };
        let Some((header, body)) = Header::split(&message.data) else {
            log::warn!("a message of {} bytes without a header", message.data.len());
            continue;
        };
        let intact = match is_file {
            true => {
                let file = files.entry(header.sender).or_default();
                file.add(header.sequence, header.last, body)
            }
            false => None,
        };
        let key = DeliveryKey {
            workload,
            sender: header.sender,
            receiver: context.index,
        };
        let arrival = Arrival {
            made: header.made,
            at: context.environment.now(),
            bytes: message.data.len() as u64,
            // What ends a file tells about it, and is not of it.
            content: if header.last { 0 } else { body.len() as u64 },
            intact,
        };
        context.observatory.lock().data.arrived(key, arrival);
    }
}
