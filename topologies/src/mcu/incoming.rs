//! A participant's track on its way into the room.

use std::sync::Arc;

use reports::record::Kind;
use tokio::sync::mpsc;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::runtime::JoinHandle;

use super::room::{Room, Stay};
use crate::observe::frames::HopKey;
use crate::peer::receive::{receive_audio, receive_video};

/// Receives a track until it ends: pictures decoded, sound as it is due.
pub fn receive(
    room: &Arc<Room>,
    stay: Stay,
    kind: Kind,
    track: Arc<dyn TrackRemote>,
) -> Vec<Box<dyn JoinHandle>> {
    let context = room.context();
    let hop = HopKey::first(stay.participant, context.index, kind);
    let runtime = context.environment.runtime();
    let room = Arc::clone(room);
    match kind {
        Kind::Video => {
            let (pictures, mut decoded) = mpsc::unbounded_channel();
            let received = receive_video(context.clone(), hop, track, pictures);
            let handed_on = async move {
                while let Some(picture) = decoded.recv().await {
                    room.picture(stay, picture);
                }
            };
            vec![
                runtime.spawn(Box::pin(received)),
                runtime.spawn(Box::pin(handed_on)),
            ]
        }
        Kind::Audio => {
            let received = receive_audio(context.clone(), hop, track, move |packet| {
                room.sound(stay, packet);
            });
            vec![runtime.spawn(Box::pin(received))]
        }
    }
}
