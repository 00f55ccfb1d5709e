//! What a participant's encoders would make of its camera and its microphone, where recordings are
//! replayed: made once and shared by all of its connections.

use std::sync::{Arc, LazyLock};

use super::environment::Environment;
use crate::media::{AudioError, AudioRecording, EncodeError, VideoRecording};

/// A participant's recordings; none of what it does not send.
#[derive(Debug, Default)]
pub struct Recordings {
    /// Of the camera.
    pub video: Option<Recording<Result<Arc<VideoRecording>, EncodeError>>>,
    /// Of the microphone.
    pub audio: Option<Recording<Result<Arc<AudioRecording>, AudioError>>>,
}

/// Something that takes long to make, and costs no host anything.
#[derive(Debug)]
pub struct Recording<T>(Arc<LazyLock<T, Make<T>>>);

type Make<T> = Box<dyn FnOnce() -> T + Send>;

impl<T: Send + Sync + 'static> Recording<T> {
    /// Starts to make it on some thread.
    pub fn start(environment: &dyn Environment, make: impl FnOnce() -> T + Send + 'static) -> Self {
        let make: Make<T> = Box::new(make);
        let recording = Arc::new(LazyLock::new(make));
        let shared = Arc::clone(&recording);
        environment.aside_later(Box::new(move || {
            LazyLock::force(&shared);
        }));
        Recording(recording)
    }

    /// The recording, when it is made: by that thread, or here and now if that has not begun.
    pub fn get(&self, environment: &dyn Environment) -> &T {
        environment.aside(&mut || {
            LazyLock::force(&self.0);
        });
        &self.0
    }
}
