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
use crate::observe::Observatory;
use crate::observe::frames::HopKey;
use crate::observe::shown::{Content, Shown};

/// Between two refreshes of a display: 60 Hz.
pub const REFRESH: Duration = Duration::from_nanos(1_000_000_000 / 60);

/// A decoded picture on its way to the display.
#[derive(Debug)]
pub struct Decoded {
    /// Of the frame that it was decoded from.
    pub rtp_timestamp: u32,
    /// Its pixels; `None` where recorded frames are replayed and nothing is decoded.
    pub frame: Option<Frame>,
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
        let environment = &context.environment;
        environment.aside(&mut || show(&context, hop, tick, &picture));
        let Decoded {
            rtp_timestamp,
            frame,
        } = picture;
        if let Some(frame) = frame {
            let frame = Arc::new(frame);
            keep(&context, hop, &frame);
            let observatory = Arc::clone(&context.observatory);
            let judge = move || judge(&observatory, hop, rtp_timestamp, &frame);
            environment.aside_later(Box::new(judge));
        }
    }
}

/// Remembers what is on the screen, if anybody wants to know in the end.
fn keep(context: &Context, hop: HopKey, frame: &Arc<Frame>) {
    if let Some(screens) = &mut context.observatory.lock().screens {
        screens.insert(hop, Arc::clone(frame));
    }
}

/// Reads the markers out of the pixels: what counts as rendered is what a person would see. Without
/// pixels, the RTP timestamp tells.
fn show(context: &Context, hop: HopKey, at: Time, picture: &Decoded) {
    let timestamp = picture.rtp_timestamp;
    let contents = context.observatory.lock().contents(hop, timestamp);
    for content in contents {
        let pixels = picture.frame.as_ref();
        if pixels.is_some_and(|pixels| !is_there(&content, pixels)) {
            continue;
        }
        let shown = Shown {
            number: content.number,
            at,
            hop,
            timestamp,
            psnr_db: None,
            ssim: None,
            width: pixels.map(|pixels| content.rect.unwrap_or(pixels.rect()).width),
        };
        context.observatory.lock().show(content.sender, shown);
    }
}

/// Whether the marker in a sender's part of a picture says that it is the frame that it should be.
fn is_there(content: &Content, picture: &Frame) -> bool {
    let rect = content.rect.unwrap_or(picture.rect());
    let Some(Marker { sender, frame }) = marker::read(picture, rect) else {
        log::warn!("{content:?} is shown without a marker that can be read");
        return false;
    };
    let right = (sender, frame) == (content.sender, content.number % Marker::FRAMES);
    if !right {
        log::warn!("{content:?} shows as frame {frame} of {sender}");
    }
    right
}

/// Compares what a picture shows with what was captured. Nobody needs to know before the end of the
/// run.
fn judge(observatory: &Observatory, hop: HopKey, rtp_timestamp: u32, picture: &Frame) {
    let contents = observatory.lock().contents(hop, rtp_timestamp);
    for Content {
        sender,
        number,
        rect,
    } in contents
    {
        let original = observatory.lock().pictures.find(sender, number);
        let Some(original) = original else { continue };
        let (psnr_db, ssim) = match rect {
            // A smaller picture is shown as large as it was captured.
            None if picture.rect() != original.rect() => {
                let enlarged = resize(picture, original.width(), original.height());
                compare(&original, &enlarged)
            }
            None => compare(&original, picture),
            Some(rect) => {
                let small = resize(&original, rect.width, rect.height);
                compare(&small, &picture.part(rect))
            }
        };
        observatory.lock().judge(hop, sender, number, psnr_db, ssim);
    }
}

/// Luma PSNR in dB and SSIM.
fn compare(original: &Frame, shown: &Frame) -> (f64, f64) {
    (
        quality::psnr(original, shown),
        quality::ssim(original, shown),
    )
}
