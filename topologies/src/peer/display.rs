//! A display: shows the latest decoded picture at each tick, and judges what it shows.

use std::sync::Arc;
use std::time::Duration;

use sim::Time;
use tokio::sync::mpsc;

use super::Context;
use super::clock::DeviceClock;
use super::environment::sleep_until;
use crate::media::{Frame, Marker, marker, quality};
use crate::observe::StreamKey;

/// Between two refreshes of a display: 60 Hz.
pub const REFRESH: Duration = Duration::from_nanos(1_000_000_000 / 60);

/// A decoded picture on its way to the display.
#[derive(Debug)]
pub struct Decoded {
    /// Of the frame that it was decoded from.
    pub rtp_timestamp: u32,
    /// What the decoder made of it.
    pub frame: Frame,
}

/// Shows pictures until their source ends. Of several that are ready at a tick, the last one is
/// shown.
pub async fn run_display(
    context: Context,
    key: StreamKey,
    clock: DeviceClock,
    mut pictures: mpsc::UnboundedReceiver<Decoded>,
) {
    while let Some(mut picture) = pictures.recv().await {
        let tick = clock.next(context.environment.now());
        sleep_until(context.environment.as_ref(), tick).await;
        while let Ok(later) = pictures.try_recv() {
            picture = later;
        }
        context
            .environment
            .aside(&mut || show(&context, key, tick, &picture));
    }
}

/// Reads the marker out of the pixels: what counts as rendered is what a person would see.
fn show(context: &Context, key: StreamKey, at: Time, picture: &Decoded) {
    let Some(Marker { sender, frame }) = marker::read(&picture.frame, picture.frame.rect()) else {
        return log::warn!("{key:?}: a shown picture has no readable marker");
    };
    if sender != key.sender {
        return log::warn!("{key:?}: a shown picture is of participant {sender}");
    }
    let original = context.observatory.lock().pictures.find(sender, frame);
    let judged = original.map(|original: Arc<Frame>| {
        let psnr = quality::psnr(&original, &picture.frame);
        (psnr, quality::ssim(&original, &picture.frame))
    });
    context
        .observatory
        .frame(key, picture.rtp_timestamp, |log| {
            if log.number % Marker::FRAMES != frame {
                return log::warn!("{key:?}: frame {} shows as {frame}", log.number);
            }
            log.rendered = Some(at);
            log.psnr_db = judged.map(|(psnr, _)| psnr);
            log.ssim = judged.map(|(_, ssim)| ssim);
        });
}
