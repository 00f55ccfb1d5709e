//! A display: shows the latest decoded picture at each tick, and judges what it shows.

use std::sync::Arc;
use std::time::Duration;

use sim::Time;
use tokio::sync::mpsc;

use super::Context;
use super::clock::DeviceClock;
use super::environment::sleep_until;
use crate::media::scale::resize;
use crate::media::{Frame, Marker, marker, quality};
use crate::observe::frames::HopKey;
use crate::observe::shown::{Content, Shown};

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
    hop: HopKey,
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
            .aside(&mut || show(&context, hop, tick, &picture));
    }
}

/// Reads the markers out of the pixels: what counts as rendered is what a person would see.
fn show(context: &Context, hop: HopKey, at: Time, picture: &Decoded) {
    let timestamp = picture.rtp_timestamp;
    let contents = context.observatory.lock().contents(hop, timestamp);
    for content in contents {
        let Some(judged) = judge(context, hop, &content, &picture.frame) else {
            continue;
        };
        let shown = Shown {
            number: content.number,
            at,
            hop,
            timestamp,
            psnr_db: judged.psnr_db,
            ssim: judged.ssim,
        };
        context.observatory.lock().show(content.sender, shown);
    }
}

/// How good a picture looks.
#[derive(Default)]
struct Judged {
    psnr_db: Option<f64>,
    ssim: Option<f64>,
}

/// Compares a sender's part of a picture with what was captured; `None` unless the marker in it
/// says that it is the frame that it should be.
fn judge(context: &Context, hop: HopKey, content: &Content, picture: &Frame) -> Option<Judged> {
    let rect = content.rect.unwrap_or(picture.rect());
    let Some(Marker { sender, frame }) = marker::read(picture, rect) else {
        log::warn!("{hop:?}: what is shown of {} has no marker", content.sender);
        return None;
    };
    if (sender, frame) != (content.sender, content.number % Marker::FRAMES) {
        log::warn!("{hop:?}: {content:?} shows as frame {frame} of {sender}");
        return None;
    }
    let pictures = context
        .observatory
        .lock()
        .pictures
        .find(sender, content.number);
    let Some(original) = pictures else {
        return Some(Judged::default());
    };
    let (original, shown) = match content.rect {
        None => (original, None),
        Some(rect) => {
            let small = resize(&original, rect.width, rect.height);
            (Arc::new(small), Some(picture.part(rect)))
        }
    };
    let shown = shown.as_ref().unwrap_or(picture);
    Some(Judged {
        psnr_db: Some(quality::psnr(&original, shown)),
        ssim: Some(quality::ssim(&original, shown)),
    })
}
