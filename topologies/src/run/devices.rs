//! The cameras and microphones of a run.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use scenarios::Participant;
use sim::Time;

use super::RunError;
use crate::media::{
    AudioRecording, Camera, ProbeSource, Scene, Stamped, VideoRecording, Y4mCamera,
};
use crate::peer::Context;
use crate::peer::capture;
use crate::peer::pauses::Pauses;
use crate::peer::recordings::{Recording, Recordings};
use crate::peer::send::video_settings;

/// Starts camera and microphone, which begin when their participant joins, out of step with all
/// others.
pub fn start_devices(context: &Context, participant: &Participant) -> Result<(), RunError> {
    let environment = &context.environment;
    let replays = context.replays();
    let mut recordings = Recordings::default();
    let mut random = environment.random(&format!("devices/{}", participant.name));
    let join = Time::ZERO + participant.join;
    let mut phase = |period: Duration| join + period.mul_f64(random.random::<f64>());
    if let Some(video) = &context.plan.video {
        let start = phase(Duration::from_secs(1) / video.fps);
        let mut camera = Some(camera(context, participant)?);
        if let Some(mut camera) = camera.take_if(|_| replays) {
            let settings = video_settings(video);
            let make = move || VideoRecording::make(camera.as_mut(), settings).map(Arc::new);
            recordings.video = Some(Recording::start(environment.as_ref(), make));
        }
        environment.runtime().spawn(Box::pin(capture::run_camera(
            Arc::clone(environment),
            Arc::clone(&context.observatory),
            Arc::clone(&context.capture),
            (participant.index, video.fps, start),
            camera,
        )));
    }
    if let Some(audio) = &context.plan.audio {
        let start = phase(capture::SOUND);
        let mut noise = environment.random(&format!("microphone/{}", participant.name));
        let source = ProbeSource::new(participant.index, &mut noise);
        if replays {
            let (source, bitrate_bps) = (source.clone(), audio.bitrate_bps);
            let fec = context.plan.repair.opus_fec;
            let make = move || AudioRecording::make(&source, bitrate_bps, fec).map(Arc::new);
            recordings.audio = Some(Recording::start(environment.as_ref(), make));
        }
        let mut observations = context.observatory.lock();
        observations.microphones.insert(participant.index, start);
        drop(observations);
        environment
            .runtime()
            .spawn(Box::pin(capture::run_microphone(
                Arc::clone(environment),
                Arc::clone(&context.capture),
                start,
                source,
            )));
    }
    let pauses = Pauses::of(&context.plan, participant.index);
    let _ = context.capture.pauses.set(pauses);
    // Nobody has set them before, and nobody captures before the world begins to live.
    let _ = context.capture.recordings.set(recordings);
    Ok(())
}

/// The participant's Y4M file or its built-in scene, with the pixel marker.
fn camera(context: &Context, participant: &Participant) -> Result<Box<dyn Camera>, RunError> {
    let video = context.plan.video.as_ref().expect("asked for with video");
    let (width, height) = (video.width as usize, video.height as usize);
    let camera: Box<dyn Camera> = match &participant.camera {
        Some(path) => {
            let file = Y4mCamera::open(path, width, height, video.fps);
            Box::new(file.map_err(|source| RunError::Camera {
                participant: participant.name.clone(),
                source,
            })?)
        }
        None => {
            let name = format!("camera/{}", participant.name);
            let mut random = context.environment.random(&name);
            Box::new(Scene::new(&mut random, width, height))
        }
    };
    Ok(Box::new(Stamped::new(camera, participant.index)))
}
