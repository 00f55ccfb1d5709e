//! Camera and microphone: captured media, handed to every connection that sends it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use sim::time::nanos;
use sim::{Time, Work};
use tokio::sync::mpsc;

use super::environment::{Environment, sleep_until};
use super::pauses::Pauses;
use super::recordings::Recordings;
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
    /// What was captured; `None` where recordings are replayed.
    pub frame: Option<Arc<Frame>>,
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

    /// Hands `item` to every sink that has room for it and is not `held`, and returns how many
    /// have none.
    fn publish(&self, item: &T, held: impl Fn(u16) -> bool) -> u64 {
        let mut full = 0;
        self.lock().retain(|remote, sink| {
            if held(*remote) {
                return true;
            }
            match sink.try_send(item.clone()) {
                Ok(()) => true,
                Err(mpsc::error::TrySendError::Full(_)) => {
                    full += 1;
                    true
                }
                Err(mpsc::error::TrySendError::Closed(_)) => false,
            }
        });
        full
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
    /// What encoders made of both, where that is replayed; set before anybody captures.
    pub recordings: OnceLock<Recordings>,
    /// When whom is sent nothing of both; set likewise, and never if that does not happen.
    pub pauses: OnceLock<Pauses>,
    over: AtomicBool,
}

impl Capture {
    /// Ends the capture for good: nothing is captured from now on.
    pub fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Whether what is captured at `at` is kept from host `remote`.
    fn holds(&self, at: Time, remote: u16) -> bool {
        let pauses = self.pauses.get();
        pauses.is_some_and(|pauses| pauses.hold(at, remote))
    }
}

/// Captures `fps` pictures a second from `start` to the end of the capture. Without a camera they
/// have no pixels.
pub async fn run_camera(
    environment: Arc<dyn Environment>,
    observatory: Arc<Observatory>,
    capture: Arc<Capture>,
    (sender, fps, start): (u16, u32, Time),
    mut camera: Option<Box<dyn Camera>>,
) {
    for number in 0.. {
        // Exact instants, without the drift of a rounded period.
        let at = start + Duration::from_nanos(u64::from(number) * 1_000_000_000 / u64::from(fps));
        sleep_until(environment.as_ref(), at).await;
        if capture.is_over() {
            return;
        }
        let mut frame = None;
        if let Some(camera) = &mut camera {
            environment.aside(&mut || frame = Some(camera.frame(number)));
        }
        if let Some(frame) = &frame {
            let mut observations = observatory.lock();
            observations
                .pictures
                .keep(sender, number, Arc::clone(frame));
        }
        let picture = Picture { number, at, frame };
        let held = |remote| capture.holds(at, remote);
        let skipped = capture.pictures.publish(&picture, held);
        observatory.skipped(sender, Work::Encode, skipped);
    }
}

/// Captures sound from `start` to the end of the capture.
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
        if capture.is_over() {
            return;
        }
        let mut samples = None;
        environment.aside(&mut || samples = Some(Arc::new(source.frame(number))));
        let samples = samples.expect("the work was done");
        // Every sink has room: encoders take sound at once, and it waits behind them for a CPU.
        let sound = Sound {
            number,
            from,
            samples,
        };
        capture
            .sounds
            .publish(&sound, |remote| capture.holds(from, remote));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a sink has received and not read.
    fn read(source: &mut mpsc::Receiver<u32>) -> Vec<u32> {
        std::iter::from_fn(|| source.try_recv().ok()).collect()
    }

    #[test]
    fn a_slow_sink_skips_what_it_has_no_room_for_and_others_do_not() {
        let fan_out = FanOut::default();
        let (mut slow, mut quick) = (fan_out.subscribe(1), fan_out.subscribe(2));
        let mut seen = Vec::new();
        for number in 0..5 {
            // From the third one on, the slow one has no room.
            assert_eq!(fan_out.publish(&number, |_| false), u64::from(number >= 2));
            seen.extend(read(&mut quick));
        }
        assert_eq!(seen, [0, 1, 2, 3, 4]);
        // Two wait (WAITING); the three after them found no room.
        assert_eq!(read(&mut slow), [0, 1]);
        // Having read, it gets what is captured next.
        fan_out.publish(&5, |_| false);
        assert_eq!(read(&mut slow), [5]);
    }

    #[test]
    fn sinks_end_when_they_are_replaced_or_unsubscribed() {
        let fan_out = FanOut::default();
        let mut first = fan_out.subscribe(1);
        let mut second = fan_out.subscribe(1);
        fan_out.publish(&7, |_| false);
        let ended = Err(mpsc::error::TryRecvError::Disconnected);
        assert_eq!(first.try_recv(), ended);
        assert_eq!(read(&mut second), [7]);
        fan_out.unsubscribe(1);
        assert_eq!(second.try_recv(), ended);
    }

    #[test]
    fn a_sink_that_nobody_reads_any_more_is_forgotten() {
        let fan_out = FanOut::default();
        drop(fan_out.subscribe(1));
        fan_out.publish(&0, |_| false);
        assert!(fan_out.lock().is_empty());
    }
}
