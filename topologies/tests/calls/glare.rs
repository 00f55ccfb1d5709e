//! Offers that cross: two real ends of one connection, with signalling that takes 100 ms each way.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::RngExt;
use sim::{Seed, Time, simulate};
use tokio::sync::mpsc;
use topologies::infra::signaling::Signal;
use topologies::peer::connection::{Connection, Input};
use topologies::peer::negotiation::DescriptionKind;

use super::support::{Lab, at, participant_media, plan};

const SIGNALING: Duration = Duration::from_millis(100);

/// Two ends with nothing between them but time.
struct Ends {
    lab: Lab,
    inputs: [mpsc::UnboundedSender<Input>; 2],
    descriptions: Arc<Mutex<Vec<DescriptionKind>>>,
}

impl Ends {
    fn start(lab: Lab) -> Self {
        let (first, first_queue) = mpsc::unbounded_channel();
        let (second, second_queue) = mpsc::unbounded_channel();
        let ends = Ends {
            lab,
            inputs: [first.clone(), second.clone()],
            descriptions: Arc::default(),
        };
        ends.start_end(0, first_queue, second);
        ends.start_end(1, second_queue, first);
        ends
    }

    fn start_end(
        &self,
        index: u16,
        mut queue: mpsc::UnboundedReceiver<Input>,
        other: mpsc::UnboundedSender<Input>,
    ) {
        let context = self.lab.context(index);
        let runtime = context.environment.runtime();
        let servers = self.lab.servers.ice.clone();
        let (signals, outgoing) = mpsc::unbounded_channel();
        let descriptions = Arc::clone(&self.descriptions);
        let carrier = Arc::clone(&runtime);
        runtime.spawn(Box::pin(async move {
            carry(carrier, outgoing, other, descriptions).await;
        }));
        runtime.spawn(Box::pin(async move {
            let media = |_| participant_media(&context, 1 - index);
            let end = Connection::start(context.clone(), 1 - index, &servers, signals, media).await;
            let end = end.expect("the stack starts");
            while let Some(input) = queue.recv().await {
                let _ = end.send(input);
            }
        }));
    }

    fn negotiate(&self, index: usize) {
        self.inputs[index].send(Input::Negotiate).expect("it lives");
    }

    /// Offers and answers since the last call.
    fn exchanged(&self) -> (usize, usize) {
        let descriptions = std::mem::take(&mut *self.descriptions.lock().unwrap());
        let offers = descriptions
            .iter()
            .filter(|kind| **kind == DescriptionKind::Offer);
        let offers = offers.count();
        (offers, descriptions.len() - offers)
    }

    /// Pictures that each end sees from the other in `from..to`.
    fn shown(&self, from: Time, to: Time) -> [usize; 2] {
        [(0, 1), (1, 0)].map(|(sender, receiver)| {
            let shown = self.lab.shown(sender, receiver);
            shown
                .iter()
                .filter(|shown| (from..to).contains(*shown))
                .count()
        })
    }

    /// Nothing is stuck: one more negotiation from either end takes one offer and one answer.
    fn assert_stable(&mut self, from: Time) -> Time {
        let mut now = from;
        self.exchanged();
        for index in [0, 1] {
            self.negotiate(index);
            now += Duration::from_secs(1);
            self.lab.world.run_until(now);
            assert_eq!(self.exchanged(), (1, 1), "asked end {index} at {now:?}");
        }
        now
    }
}

/// Brings what one end says to the other, each message `SIGNALING` later.
async fn carry(
    runtime: Arc<dyn webrtc::runtime::Runtime>,
    mut outgoing: mpsc::UnboundedReceiver<(u16, Signal)>,
    other: mpsc::UnboundedSender<Input>,
    descriptions: Arc<Mutex<Vec<DescriptionKind>>>,
) {
    while let Some((_, signal)) = outgoing.recv().await {
        match &signal {
            Signal::Offer(_) => descriptions.lock().unwrap().push(DescriptionKind::Offer),
            Signal::Answer(_) => descriptions.lock().unwrap().push(DescriptionKind::Answer),
            Signal::Candidate(_) => {}
        }
        let (clock, other) = (Arc::clone(&runtime), other.clone());
        runtime.spawn(Box::pin(async move {
            clock.sleep(SIGNALING).await;
            let _ = other.send(Input::Signal(signal));
        }));
    }
}

/// Both offer at once. The impolite end's offer is answered, the polite end's is taken back and
/// made again: three offers and two answers. Then one connection carries media both ways: in 2 s
/// at 15 frames per second 30 pictures, and one at either edge.
#[test]
fn first_offers_that_cross_make_one_connection() {
    simulate(Seed(1), |world| {
        let mut ends = Ends::start(Lab::new(world, plan(2, 6.0)));
        ends.negotiate(0);
        ends.negotiate(1);
        ends.lab.world.run_until(at(3.0));
        assert_eq!(ends.exchanged(), (3, 2));
        ends.lab.world.run_until(at(5.0));
        for shown in ends.shown(at(3.0), at(5.0)) {
            assert!((29..=31).contains(&shown), "{shown} pictures");
        }
        ends.assert_stable(at(5.0));
        let (_, warnings) = ends.lab.finish();
        assert_eq!(warnings, Vec::<String>::new());
    });
}

/// Both ends want to negotiate again and again, at random times that are often closer together
/// than a round trip of signalling. Whatever crosses, both end stable, and media never stops.
#[test]
fn negotiations_that_keep_crossing_never_get_stuck() {
    for seed in 1..=4 {
        simulate(Seed(seed), |world| {
            let mut ends = Ends::start(Lab::new(world, plan(2, 8.0)));
            ends.negotiate(0);
            ends.lab.world.run_until(at(2.0));
            let mut random = Seed(seed).stream("test/glare");
            let mut now = at(2.0);
            for _ in 0..16 {
                now += Duration::from_millis(random.random_range(0..250));
                ends.lab.world.run_until(now);
                ends.negotiate(random.random_range(0..2));
            }
            // The last need waits for at most two exchanges of 200 ms before its own.
            now += Duration::from_secs(1);
            ends.lab.world.run_until(now);
            let end = ends.assert_stable(now);
            let expected = (end.as_secs_f64() - 2.0) * 15.0;
            for shown in ends.shown(at(2.0), end) {
                let difference = (shown as f64 - expected).abs();
                assert!(difference <= 2.0, "seed {seed}: {shown} of {expected}");
            }
            let (_, warnings) = ends.lab.finish();
            assert_eq!(warnings, Vec::<String>::new(), "seed {seed}");
        });
    }
}
