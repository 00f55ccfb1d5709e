//! Everything that watches a run.

use std::sync::{Arc, Mutex};

use scenarios::Plan;
use sim::trace::digest::Digest;
use sim::trace::pcapng::{Capture, CaptureHandle};
use sim::{Simulation, entropy};

use super::{RunError, RunOptions};
use crate::observe::Observatory;
use crate::observe::traffic::{SharedTraffic, TrafficTap};
use crate::observe::wire::WireTap;
use crate::world;

/// What sees every packet and every frame.
pub struct Observers {
    /// What members saw.
    pub observatory: Arc<Observatory>,
    /// Every host's traffic.
    pub traffic: SharedTraffic,
    /// Of every packet event.
    pub digest: Arc<Mutex<Digest>>,
    /// The packets, if asked for.
    pub capture: Option<CaptureHandle>,
}

impl Observers {
    /// Watches a world that has its hosts.
    pub fn install(
        world: &Simulation,
        plan: &Plan,
        options: &RunOptions,
    ) -> Result<Self, RunError> {
        let observatory = Arc::new(Observatory::default());
        observatory.lock().screens = options.pictures.then(Default::default);
        observatory.lock().flows = plan.congestion.adapts().then(Default::default);
        let traffic = SharedTraffic::default();
        let digest = Arc::new(Mutex::new(Digest::default()));
        let capture = world.network(|network| {
            network.add_tap(Box::new(TrafficTap::new(
                traffic.clone(),
                world::window(plan),
            )));
            network.add_tap(Box::new(WireTap::new(Arc::clone(&observatory))));
            network.add_tap(Box::new(Arc::clone(&digest)));
            if !options.pcap {
                return Ok(None);
            }
            let (tap, handle) = Capture::new(entropy::EPOCH, network.hosts())
                .map_err(|error| RunError::Capture(error.to_string()))?;
            network.add_tap(Box::new(tap));
            Ok::<_, RunError>(Some(handle))
        })?;
        Ok(Observers {
            observatory,
            traffic,
            digest,
            capture,
        })
    }

    /// Whether every participant has seen or heard somebody.
    pub fn everybody_got_media(&self, plan: &Plan) -> bool {
        let observations = self.observatory.lock();
        let got = |index: u16| {
            let mut streams = observations.streams.iter();
            streams.any(|(key, log)| key.receiver == index && !log.shown.is_empty())
        };
        plan.participants.iter().all(|peer| got(peer.index))
    }
}
