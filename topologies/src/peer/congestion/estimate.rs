//! What connections are estimated to carry, where whoever sends over them can read it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rtc::interceptor::{BandwidthEstimator, EstimatorStats, PacketReport};

use super::coupled::{Flow, FlowStateExchange};
use super::gcc::{Bounds, PACING};
use super::queue::PacerQueue;
use super::share;
use crate::observe::Observatory;
use crate::peer::Context;
use crate::peer::environment::Environment;

/// What one connection carries, bits per second of RTP packets with their headers.
#[derive(Debug)]
pub struct Estimate {
    state: Mutex<State>,
    pacer: Arc<PacerQueue>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    own_bps: f64,
    /// What the other end said that it can pass on, of video.
    video_cap_bps: Option<f64>,
}

impl Estimate {
    fn new(start_bps: f64) -> Self {
        Estimate {
            state: Mutex::new(State {
                own_bps: start_bps,
                video_cap_bps: None,
            }),
            pacer: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no panic while an estimate is locked")
    }

    /// What was found about the path.
    pub fn bps(&self) -> f64 {
        self.lock().own_bps
    }

    /// How long what waits in the pacer will take to leave it, if the estimate stays.
    pub fn backlog(&self) -> Duration {
        let pace_bps = PACING * self.bps();
        Duration::from_secs_f64(self.pacer.bits() as f64 / pace_bps.max(1.0))
    }

    /// What the other end wants of video at most, if it said so.
    pub fn video_cap_bps(&self) -> Option<f64> {
        self.lock().video_cap_bps
    }

    /// The other end said how much video it wants at most.
    pub fn cap_video(&self, bps: f64) {
        self.lock().video_cap_bps = Some(bps);
    }
}

/// The estimates of one host's connections, by the other end.
#[derive(Debug, Default)]
pub struct Estimates {
    each: Mutex<BTreeMap<u16, Arc<Estimate>>>,
    /// Where connections share, what they tell each other.
    exchange: Arc<FlowStateExchange>,
}

impl Estimates {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u16, Arc<Estimate>>> {
        self.each
            .lock()
            .expect("no panic while estimates are locked")
    }

    /// A connection to `remote` begins; it takes the place of one before it.
    pub fn begin(&self, remote: u16, start_bps: f64) -> Arc<Estimate> {
        let estimate = Arc::new(Estimate::new(start_bps));
        self.lock().insert(remote, Arc::clone(&estimate));
        estimate
    }

    /// That of the connection to `remote`, if senders adapt.
    pub fn of(&self, remote: u16) -> Option<Arc<Estimate>> {
        self.lock().get(&remote).cloned()
    }
}

/// Whom the estimator of a connection tells what it finds.
pub struct Watching {
    /// Between what it may be.
    pub bounds: Bounds,
    estimate: Arc<Estimate>,
    environment: Arc<dyn Environment>,
    observatory: Arc<Observatory>,
    ends: (u16, u16),
    /// Where it shares with others, and what it counts for there.
    shares: Option<(Arc<FlowStateExchange>, f64)>,
}

impl Watching {
    /// For the connection to `remote` that begins; `None` where senders do not adapt.
    pub fn begin(context: &Context, remote: u16) -> Option<Self> {
        let plan = &context.plan;
        if !plan.congestion.adapts() {
            return None;
        }
        let start_bps = f64::from(plan.congestion.start_bps);
        Some(Watching {
            bounds: share::bounds(plan, context.index, remote),
            estimate: context.estimates.begin(remote, start_bps),
            environment: Arc::clone(&context.environment),
            observatory: Arc::clone(&context.observatory),
            ends: (context.index, remote),
            shares: shares(context, remote),
        })
    }

    /// The connection's place among the others of its participant, if they share.
    pub fn flow(&self) -> Option<Flow> {
        let (start_bps, desired_bps) = (self.estimate.bps(), self.bounds.desired_bps);
        let (exchange, priority) = self.shares.as_ref()?;
        Some(Flow::begin(exchange, *priority, start_bps, desired_bps))
    }

    /// What waits in the connection's pacer.
    pub fn pacer(&self) -> Arc<PacerQueue> {
        Arc::clone(&self.estimate.pacer)
    }

    /// `inner`, whose target is `pacing` times what it estimates.
    pub fn watch<E: BandwidthEstimator>(self, inner: E, pacing: f64) -> Watched<E> {
        let watched = Watched {
            inner,
            pacing,
            watching: self,
        };
        watched.publish();
        watched
    }
}

/// The connections over which a participant sends to others share its uplink. To a server it has one
/// alone, and what a server sends goes to links of others, which have nothing in common.
fn shares(context: &Context, remote: u16) -> Option<(Arc<FlowStateExchange>, f64)> {
    let plan = &context.plan;
    let participant = |index: u16| plan.participants.get(usize::from(index));
    let (_, to) = participant(context.index).zip(participant(remote))?;
    let shares = plan.congestion.coupled && plan.sends_to(context.index, remote);
    let exchange = || Arc::clone(&context.estimates.exchange);
    shares.then(|| (exchange(), plan.congestion.priority(&to.group)))
}

/// An estimator that says what it finds.
pub struct Watched<E> {
    inner: E,
    /// What the pacer is told, as a multiple of what is estimated.
    pacing: f64,
    watching: Watching,
}

impl<E: BandwidthEstimator> Watched<E> {
    fn publish(&self) {
        let bps = self.inner.target_bitrate() / self.pacing;
        let watching = &self.watching;
        watching.estimate.lock().own_bps = bps;
        let now = watching.environment.now();
        let mut observations = watching.observatory.lock();
        observations.rates.estimated(watching.ends, now, bps);
    }
}

impl<E: BandwidthEstimator> BandwidthEstimator for Watched<E> {
    fn on_reports(&mut self, now: Instant, reports: &[PacketReport]) {
        self.inner.on_reports(now, reports);
        self.publish();
    }

    fn target_bitrate(&self) -> f64 {
        self.inner.target_bitrate()
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.inner.handle_timeout(now);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.inner.poll_timeout()
    }

    fn stats(&self) -> EstimatorStats {
        self.inner.stats()
    }
}
