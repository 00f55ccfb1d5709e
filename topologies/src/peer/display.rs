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
        let mut original = None;
        let environment = &context.environment;
        environment.aside(&mut || original = show(&context, key, tick, &picture));
        if let Some(original) = original {
            judge(&context, key, original, picture);
        }
    }
}

/// Reads the marker out of the pixels: what counts as rendered is what a person would see. Returns
/// what was captured, if it is still known.
fn show(context: &Context, key: StreamKey, at: Time, picture: &Decoded) -> Option<Arc<Frame>> {
    let Some(Marker { sender, frame }) = marker::read(&picture.frame, picture.frame.rect()) else {
        log::warn!("{key:?}: a shown picture has no readable marker");
        return None;
    };
    if sender != key.sender {
        log::warn!("{key:?}: a shown picture is of participant {sender}");
        return None;
    }
    let mut expected = None;
    context
        .observatory
        .frame(key, picture.rtp_timestamp, |log| {
            expected = Some(log.number);
            if log.number % Marker::FRAMES == frame {
                log.rendered = Some(at);
            }
        });
    let expected = expected?;
    if expected % Marker::FRAMES != frame {
        log::warn!("{key:?}: frame {expected} shows as {frame}");
        return None;
    }
    context.observatory.lock().pictures.find(sender, frame)
}

/// Compares a picture with what was captured. Nobody needs to know before the end of the run.
fn judge(context: &Context, key: StreamKey, original: Arc<Frame>, shown: Decoded) {
    let observatory = Arc::clone(&context.observatory);
    context.environment.aside_later(Box::new(move || {
        let psnr = quality::psnr(&original, &shown.frame);
        let ssim = quality::ssim(&original, &shown.frame);
        observatory.frame(key, shown.rtp_timestamp, |log| {
            log.psnr_db = Some(psnr);
            log.ssim = Some(ssim);
        });
    }));
}
