//! What receivers' legs carry, and what that means for senders: without layers to choose from, all
//! who get a stream get it at the rate of the one with the least room.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use rtc::rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use scenarios::Plan;
use sim::Time;

use super::room::Room;
use crate::peer::congestion::share::left_for_pictures;
use crate::peer::environment::sleep_until;

/// How often rates are looked at: feedback, which changes them, comes every 100 ms.
const INTERVAL: Duration = Duration::from_millis(100);

/// How often a sender is told the same again: what tells it may be lost.
const REPEAT: Duration = Duration::from_secs(1);

/// Of which changes a sender is told at once, relative to what it was told.
const CHANGE: f64 = 0.03;

/// A picture comes back when there is this much more room than it needs, so that it stays.
const MARGIN: f64 = 1.2;

/// How many pictures go over a leg, and the rate of each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allotment {
    /// How many.
    pub pictures: usize,
    /// Bits per second.
    pub each_bps: f64,
}

/// What goes over a leg that carries `estimate_bps`, of `sounds`, which all do, and of `most`
/// pictures; so far `before` of them went over it.
pub fn allot(
    plan: &Plan,
    estimate_bps: f64,
    sounds: usize,
    (most, before): (usize, usize),
) -> Allotment {
    let (floor, ceiling) = (
        f64::from(plan.congestion.video_floor_bps),
        plan.video
            .as_ref()
            .map_or(0.0, |video| f64::from(video.bitrate_bps)),
    );
    let left = left_for_pictures(plan, estimate_bps, sounds);
    let fit = |bps: f64| ((bps / floor) as usize).min(most);
    let pictures = fit(left).min(before.max(fit(left / MARGIN)));
    Allotment {
        pictures,
        each_bps: (left / pictures.max(1) as f64).clamp(floor, ceiling),
    }
}

/// What a sender was told, and when.
#[derive(Clone, Copy, Debug)]
struct Told {
    bps: f64,
    at: Time,
}

impl Told {
    fn is_news(self, bps: f64, now: Time) -> bool {
        let change = (bps - self.bps).abs();
        change > CHANGE * self.bps || now.saturating_since(self.at) >= REPEAT
    }
}

/// Tells senders what receivers have room for, as long as there is a room.
pub async fn run(room: Weak<Room>) {
    let Some(environment) = room
        .upgrade()
        .map(|room| Arc::clone(&room.context().environment))
    else {
        return;
    };
    let mut told: BTreeMap<u32, Told> = BTreeMap::new();
    loop {
        let now = environment.now();
        sleep_until(environment.as_ref(), now + INTERVAL).await;
        let Some(room) = room.upgrade() else { return };
        let at = environment.now();
        for (ssrc, track, bps) in room.allot() {
            if told.get(&ssrc).is_some_and(|told| !told.is_news(bps, at)) {
                continue;
            }
            told.insert(ssrc, Told { bps, at });
            let limit = ReceiverEstimatedMaximumBitrate {
                sender_ssrc: 0,
                bitrate: bps as f32,
                ssrcs: vec![ssrc],
            };
            if let Err(error) = track.write_rtcp(vec![Box::new(limit)]).await {
                log::debug!("limit of {ssrc}: {error}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let source = "name = \"x\"\nparticipants = 4\n[congestion]\ncontrol = \"gcc\"\n\
                      video_floor = \"93 kbps\"\n";
        let scenario = scenarios::Scenario::parse(source, "x".as_ref()).unwrap();
        let plans = scenario.resolve(&scenarios::Overrides::default()).unwrap();
        plans.into_iter().next().unwrap()
    }

    /// Three sounds of 32 kbps are 120 kbps on the wire; 93 % of the rest is for pictures.
    #[test]
    fn pictures_that_do_not_fit_at_their_floor_are_left_out() {
        for (estimate, before, pictures, each) in [
            (1_020e3, 3, 3, 279e3),
            (420e3, 3, 3, 93e3),
            (419e3, 3, 2, 139e3),
            (20e3, 3, 0, 93e3),
            // To come back, three need 360 kbps beside sound, not 300.
            (470e3, 2, 2, 163e3),
            (480e3, 2, 3, 112e3),
            (9_999e3, 3, 3, 800e3),
        ] {
            let allotment = allot(&plan(), estimate, 3, (3, before));
            assert_eq!(allotment.pictures, pictures, "{estimate}");
            assert!(
                (allotment.each_bps - each).abs() < 1e3,
                "{estimate}: {allotment:?}"
            );
        }
    }

    #[test]
    fn a_sender_is_told_of_changes_at_once_and_of_the_same_once_a_second() {
        let told = Told {
            bps: 1e5,
            at: Time::from_millis(500),
        };
        assert!(!told.is_news(1.02e5, Time::from_millis(1_499)));
        assert!(told.is_news(1.04e5, Time::from_millis(501)));
        assert!(told.is_news(0.96e5, Time::from_millis(501)));
        assert!(told.is_news(1e5, Time::from_millis(1_500)));
    }
}
