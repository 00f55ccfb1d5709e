//! One camera in several sizes: an encoder and a track for each layer that the SFU wants.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rtc::rtcp;
use scenarios::VideoPlan;
use tokio::sync::mpsc;
use webrtc::media_stream::track_local::{TrackLocal, TrackLocalEvent};

use super::Context;
use super::capture::Picture;
use super::congestion::{Estimate, Layering, Streams, shares};
use super::interceptors::{asks_for_keyframe, limit_in};
use super::outgoing::Outgoing;
use super::pace::{is_behind, price, rounded};
use super::send::{packetizer, send_picture, video_settings};
use super::source::{Encoding, VideoSource};
use crate::media::{EncodedFrame, VideoPacketizer};

/// Starts to encode and send what the camera captures as `outgoing`, the smallest layer first.
pub fn start(context: &Context, remote: u16, outgoing: Vec<Outgoing>) {
    let Some(estimate) = context.estimates.of(remote) else {
        return log::error!("layers without congestion control");
    };
    let plans = context.plan.layers();
    let layers = plans.into_iter().zip(outgoing);
    let layers: Vec<_> = layers
        .map(|(plan, outgoing)| Layer::start(context, plan, outgoing))
        .collect();
    let layering = Layering::new(layers.iter().map(|layer| layer.plan.bitrate_bps));
    let sender = LayeredSender {
        context: context.clone(),
        estimate,
        layering,
        layers,
    };
    let pictures = context.capture.pictures.subscribe(remote);
    let runtime = context.environment.runtime();
    runtime.spawn(Box::pin(sender.run(pictures)));
}

/// What the SFU asked of a layer.
#[derive(Debug)]
struct Requests {
    keyframe: AtomicBool,
    /// Bits per second at most. Until it says something, everything is wanted.
    limit_bps: Mutex<f64>,
}

impl Requests {
    fn take(&self, packets: &[Box<dyn rtcp::Packet>]) {
        if packets.iter().any(|p| asks_for_keyframe(p.as_ref())) {
            self.keyframe.store(true, Ordering::Relaxed);
        }
        if let Some(bps) = limit_in(packets) {
            *self.limit_bps.lock().expect("nobody panics with it") = bps;
        }
    }

    fn limit_bps(&self) -> f64 {
        *self.limit_bps.lock().expect("nobody panics with it")
    }
}

struct LayeredSender {
    context: Context,
    estimate: Arc<Estimate>,
    layering: Layering,
    layers: Vec<Layer>,
}

impl LayeredSender {
    /// Encodes and sends until the camera ends. The layers of a picture are encoded side by side.
    async fn run(mut self, mut pictures: mpsc::Receiver<Picture>) {
        while let Some(picture) = pictures.recv().await {
            if is_behind(&self.estimate) {
                continue;
            }
            let targets = self.targets();
            let mut encodings = Vec::new();
            for index in self.order() {
                let layer = &mut self.layers[index];
                let encoding = layer.encode(&self.context, &picture, targets[index]);
                encodings.extend(encoding.map(|encoding| (index, encoding)));
            }
            for (index, encoding) in encodings {
                match encoding.await {
                    Ok(frame) => {
                        self.layers[index]
                            .send(&self.context, &picture, &frame)
                            .await
                    }
                    Err(error) => log::error!("{error}"),
                }
            }
        }
    }

    /// Layers that begin anew go first, so that an SFU that waits for one has not passed on the same
    /// picture of another.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<_> = (0..self.layers.len()).collect();
        order.sort_by_key(|index| !self.layers[*index].begins());
        order
    }

    /// What each layer is encoded with, bits per second.
    fn targets(&mut self) -> Vec<Option<f64>> {
        let plan = &self.context.plan;
        let limits: Vec<_> = self.layers.iter().map(|l| l.requests.limit_bps()).collect();
        let ceiling_bps = self.layering.ceiling_bps(&limits);
        let streams = Streams::one_each(plan);
        let shares = shares(plan, self.estimate.bps(), streams, ceiling_bps as u32);
        let now = self.context.environment.now();
        let targets = self.layering.split(shares.video_bps, &limits, now);
        let mut observations = self.context.observatory.lock();
        for (layer, target) in self.layers.iter().zip(&targets) {
            let bps = target.unwrap_or(0.0);
            observations.rates.targeted(layer.outgoing.hop, now, bps);
        }
        targets
    }
}

/// One size of the camera's picture.
struct Layer {
    plan: VideoPlan,
    outgoing: Outgoing,
    requests: Arc<Requests>,
    packetizer: VideoPacketizer,
    /// `None` while it is not encoded.
    source: Option<VideoSource>,
    /// Its encoder has been counted.
    counted: bool,
}

impl Layer {
    fn start(context: &Context, plan: VideoPlan, outgoing: Outgoing) -> Self {
        let requests = Arc::new(Requests {
            keyframe: AtomicBool::new(false),
            limit_bps: Mutex::new(f64::INFINITY),
        });
        let (track, listening) = (Arc::clone(&outgoing.track), Arc::clone(&requests));
        context.environment.runtime().spawn(Box::pin(async move {
            while let Some(event) = track.poll().await {
                if let TrackLocalEvent::OnRtcpPacket(packets) = event {
                    listening.take(&packets);
                }
            }
        }));
        Layer {
            packetizer: packetizer(&outgoing),
            plan,
            outgoing,
            requests,
            source: None,
            counted: false,
        }
    }

    /// Whether its next frame is a keyframe.
    fn begins(&self) -> bool {
        self.source.is_none() || self.requests.keyframe.load(Ordering::Relaxed)
    }

    /// Encodes a picture at a target, if it has one.
    fn encode(
        &mut self,
        context: &Context,
        picture: &Picture,
        target_bps: Option<f64>,
    ) -> Option<Encoding> {
        let Some(bps) = target_bps else {
            self.source = None;
            return None;
        };
        let mut settings = video_settings(&self.plan);
        settings.bitrate_bps = rounded(bps);
        let keyframe = self.requests.keyframe.swap(false, Ordering::Relaxed)
            || context
                .plan
                .repair
                .keyframe_due(picture.number, self.plan.fps);
        let source = match &mut self.source {
            Some(source) => {
                if keyframe {
                    source.request_keyframe();
                }
                source
            }
            none => none.insert(VideoSource::new(context, settings)?),
        };
        if !std::mem::replace(&mut self.counted, true) {
            let observatory = &context.observatory;
            observatory.codec(context.index, |codecs| codecs.video_encoders += 1);
        }
        let camera = context.plan.video.as_ref()?;
        let price = price(&context.plan, camera, &settings);
        let encoding = source.encode(&context.environment, (settings, price), picture);
        encoding.ok() // The CPU has counted what it refused.
    }

    async fn send(&mut self, context: &Context, picture: &Picture, frame: &EncodedFrame) {
        let packets = (&mut self.packetizer, self.plan.fps);
        send_picture(context, &self.outgoing, packets, picture, frame).await;
    }
}
