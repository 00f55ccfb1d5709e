//! Camera and microphone: captured media, handed to every connection that sends it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sim::Time;
use sim::time::nanos;
use tokio::sync::mpsc;

use super::environment::{Environment, sleep_until};
use crate::media::audio::FRAME_SAMPLES;
use crate::media::{Camera, Frame, ProbeSource};
use crate::observe::Observatory;

/// Captured frames that wait for an encoder before the next one is skipped, as capture pipelines
/// do.
const WAITING: usize = 2;

/// How long the sound of one packet lasts.
pub const SOUND: Duration = Duration::from_millis(20);

/// A captured picture.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Counts from 0 at the start of the capture.
    pub number: u32,
    /// When it was captured.
    pub at: Time,
    /// What was captured.
    pub frame: Arc<Frame>,
}

/// Captured sound, 20 ms of it.
#[derive(Clone, Debug)]
pub struct Sound {
    /// Counts from 0 at the start of the capture.
    pub number: u32,
    /// When its first sample was captured.
    pub from: Time,
    /// The samples, at 48 kHz.
    pub samples: Arc<[i16; FRAME_SAMPLES]>,
}

/// Copies of what is captured, to every sink.
#[derive(Debug)]
pub struct FanOut<T> {
    sinks: Mutex<BTreeMap<u16, mpsc::Sender<T>>>,
}

impl<T> Default for FanOut<T> {
    fn default() -> Self {
        FanOut {
            sinks: Mutex::default(),
        }
    }
}

impl<T: Clone> FanOut<T> {
    /// A sink named after the participant that it sends to; replaces an earlier one.
    pub fn subscribe(&self, remote: u16) -> mpsc::Receiver<T> {
        let (sink, source) = mpsc::channel(WAITING);
        self.lock().insert(remote, sink);
        source
    }

    /// Ends a sink.
    pub fn unsubscribe(&self, remote: u16) {
        self.lock().remove(&remote);
    }

    /// Hands `item` to every sink that has room for it.
    fn publish(&self, item: &T) {
        self.lock()
            .retain(|_, sink| match sink.try_send(item.clone()) {
                Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => true,
                Err(mpsc::error::TrySendError::Closed(_)) => false,
            });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<u16, mpsc::Sender<T>>> {
        self.sinks.lock().expect("no panic while sinks are locked")
    }
}

/// A participant's camera and microphone.
#[derive(Debug, Default)]
pub struct Capture {
    /// Pictures.
    pub pictures: FanOut<Picture>,
    /// Sound.
    pub sounds: FanOut<Sound>,
}

/// Captures `fps` pictures a second from `start` on, for as long as the task lives.
pub async fn run_camera(
    environment: Arc<dyn Environment>,
    observatory: Arc<Observatory>,
    capture: Arc<Capture>,
    (sender, fps, start): (u16, u32, Time),
    mut camera: Box<dyn Camera>,
) {
    for number in 0.. {
        // Exact instants, without the drift of a rounded period.
        let at = start + Duration::from_nanos(u64::from(number) * 1_000_000_000 / u64::from(fps));
        sleep_until(environment.as_ref(), at).await;
        let mut frame = None;
        environment.aside(&mut || frame = Some(camera.frame(number)));
        let frame = frame.expect("the work was done");
        observatory
            .lock()
            .pictures
            .keep(sender, number, Arc::clone(&frame));
        capture.pictures.publish(&Picture { number, at, frame });
    }
}

/// Captures sound from `start` on, for as long as the task lives.
pub async fn run_microphone(
    environment: Arc<dyn Environment>,
    capture: Arc<Capture>,
    start: Time,
    source: ProbeSource,
) {
    for number in 0.. {
        let from = start + Duration::from_nanos(u64::from(number) * nanos(SOUND));
        // The last sample is captured when the 20 ms are over.
        sleep_until(environment.as_ref(), from + SOUND).await;
        let mut samples = None;
        environment.aside(&mut || samples = Some(Arc::new(source.frame(number))));
        let samples = samples.expect("the work was done");
        capture.sounds.publish(&Sound {
            number,
            from,
            samples,
        });
    }
}
