//! A NAT that forgets its mappings in mid-call.

use sim::{Behavior, NatConfig, PortAssignment, Seed, Time, nat::presets, simulate};

use super::support::{Lab, at, participant, plan};

/// Like a port-restricted router, with ports that differ after each reboot.
const FORGETFUL: NatConfig = NatConfig {
    mapping: Behavior::EndpointIndependent,
    ports: PortAssignment::Random,
    ..presets::PORT_RESTRICTED
};

/// When the NAT forgets, both ends are cut off: its new port is a stranger to the other NAT's
/// filter, and the old port leads nowhere.
///
/// The last STUN packet is at most 2 s older than the reboot at 5 s, and ICE is disconnected 5 s
/// after it: at 8 to 10 s. The ICE restart takes an offer and an answer of 80 ms each, both gathered
/// for in 80 ms, and connects anew in less than 2.5 s: media is back by 12.8 s. Signalling has lost
/// its mapping too and must have found back by then.
#[test]
fn media_comes_back_after_a_nat_reboots() {
    simulate(Seed(1), |world| {
        let mut plan = plan(2, 17.0);
        plan.participants[0] = participant(0, vec![FORGETFUL]);
        plan.participants[1] = participant(1, vec![presets::PORT_RESTRICTED]);
        let mut lab = Lab::new(world, plan);
        let _handles = [lab.participate(0), lab.participate(1)];
        lab.world.run_until(at(5.0));
        let host = lab.hosts.participants[0];
        lab.world.network(|network| {
            let nat = network.gateway(host).expect("it is behind a NAT");
            network.reboot_gateway(nat);
        });
        lab.world.run_until(at(17.0));
        for (sender, receiver) in [(0, 1), (1, 0)] {
            let shown = lab.shown(sender, receiver);
            let back = back(&shown);
            assert!(
                (at(8.0)..at(12.8)).contains(&back),
                "{sender} to {receiver}: {back:?}"
            );
            // 4 s at 15 frames per second, and one at either edge.
            let after = count(&shown, at(13.0), at(17.0));
            assert!((59..=61).contains(&after), "{after} pictures");
            // Without the restart there is next to nothing: what was on its way, and what a check
            // by way of the relay lets through.
            let between = count(&shown, at(5.2), at(8.0));
            assert!(between <= 5, "{between} pictures");
        }
        let (_, warnings) = lab.finish();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(
            warnings[0].contains("signalling: reconnecting"),
            "{warnings:?}"
        );
    });
}

/// When the last interruption of a second or more ended.
fn back(shown: &[Time]) -> Time {
    let mut pairs = shown.windows(2).rev();
    let long = |pair: &&[Time]| (pair[1] - pair[0]).as_secs_f64() >= 1.0;
    pairs.find(long).expect("media was interrupted")[1]
}

fn count(shown: &[Time], from: Time, to: Time) -> usize {
    shown
        .iter()
        .filter(|shown| (from..to).contains(*shown))
        .count()
}
