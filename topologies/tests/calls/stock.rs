//! The stack as a first integration ships it.

use std::sync::{Arc, Mutex};

use scenarios::StackPlan;
use sim::{Seed, simulate};
use tokio::sync::mpsc;
use topologies::infra::signaling::Signal;
use topologies::peer::connection::{Connection, Input};

use super::support::{Lab, at, call, participant_media, plan, video};

#[test]
fn a_stock_call_works_and_says_that_it_is_stock() {
    let mut plan = plan(2, 6.0);
    plan.stack = StackPlan::stock();
    let record = call(&plan);
    assert!(record.connections.iter().all(|end| end.connected));
    for (sender, receiver) in [(0, 1), (1, 0)] {
        let stream = video(&record, sender, receiver);
        // 4 s at 15 frames per second, within the 10 s after which the stack's buffer forgets.
        assert_eq!((stream.frames_sent, stream.frames_rendered), (60, 60));
    }
    assert_eq!(record.stack, "stock");
    let setting = |name: &str| record.stack_settings[name].as_str();
    assert_eq!(
        (setting("trickle"), setting("flush-relay")),
        ("true", "false")
    );
    assert_eq!(setting("check-interval"), "default");
    assert_eq!(setting("max-nacks-per-packet"), "default");
    assert_eq!(setting("steady-playout"), "false");
}

/// Candidates that an end sends by themselves, and those in its offer, in the first second.
fn candidates(stack: StackPlan) -> (usize, usize) {
    simulate(Seed(1), |world| {
        let mut plan = plan(2, 3.0);
        plan.stack = stack;
        let mut lab = Lab::new(world, plan);
        let (context, servers) = (lab.context(0), lab.servers.ice.clone());
        let (signals, mut outgoing) = mpsc::unbounded_channel();
        let said = Arc::new(Mutex::new((0, 0)));
        let count = Arc::clone(&said);
        context.environment.runtime().spawn(Box::pin(async move {
            let media = |_| participant_media(&context, 1);
            let end = Connection::start(context.clone(), 1, &servers, signals, media)
                .await
                .unwrap();
            let _ = end.send(Input::Negotiate);
            while let Some((_, signal)) = outgoing.recv().await {
                let mut count = count.lock().unwrap();
                match signal {
                    Signal::Candidate(_) => count.0 += 1,
                    Signal::Offer(sdp) | Signal::Answer(sdp) => {
                        let lines = sdp.lines();
                        count.1 += lines
                            .filter(|line| line.starts_with("a=candidate:"))
                            .count();
                    }
                }
            }
        }));
        lab.world.run_until(at(1.0));
        lab.finish();
        *said.lock().unwrap()
    })
}

/// A host on the internet gathers its own address, perhaps the same as seen by STUN (which may be
/// dropped as redundant, RFC 8445 section 5.1.3), and an address at the relay: two or three. With
/// trickle they follow the offer one by one; without, the offer has them all.
#[test]
fn only_stock_trickles_candidates() {
    let (trickled, offered) = candidates(StackPlan::stock());
    assert!((2..=3).contains(&trickled), "{trickled} trickled");
    assert!(offered < trickled, "{offered} in the offer");
    let (trickled, offered) = candidates(StackPlan::tuned());
    assert_eq!(trickled, 0);
    // Bundled sections may repeat them.
    assert!(offered >= 2, "{offered} in the offer");
}
