//! What receivers' legs carry, and what that means for senders: without layers to choose from, all
//! who get a stream get it at the rate of the one with the least room.

use std::collections::{BTreeMap, BTreeSet};
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

/// What a leg has room for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allotment {
    /// How many pictures go over it.
    pub pictures: usize,
    /// What they have together, bits per second.
    pub left_bps: f64,
}

/// What goes over a leg that carries `estimate_bps`, of `sounds`, which all do, and of `most`
/// pictures; so far `before` of them went over it.
pub fn allot(
    plan: &Plan,
    estimate_bps: f64,
    sounds: usize,
    (most, before): (usize, usize),
) -> Allotment {
    let floor = f64::from(plan.congestion.video_floor_bps);
    let left_bps = left_for_pictures(plan, estimate_bps, sounds);
    let fit = |bps: f64| ((bps / floor) as usize).min(most);
    let pictures = fit(left_bps).min(before.max(fit(left_bps / MARGIN)));
    Allotment { pictures, left_bps }
}

/// A leg that is shared: what it has for pictures, bits per second, and whose go over it.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedLeg {
    /// For all of them together.
    pub left_bps: f64,
    /// The senders.
    pub senders: BTreeSet<u16>,
}

/// What each sender may send, up to `ceiling_bps`, so that the sum fits every leg: max-min fair, by
/// progressive filling. All grow together until a leg is full; those who go over it stay there, and
/// what they leave of other legs is for the others.
pub fn share_out(mut legs: Vec<SharedLeg>, ceiling_bps: f64) -> BTreeMap<u16, f64> {
    let mut rates = BTreeMap::new();
    loop {
        legs.retain(|leg| !leg.senders.is_empty());
        let share = |leg: &SharedLeg| leg.left_bps / leg.senders.len() as f64;
        let fullest = legs.iter().min_by(|a, b| share(a).total_cmp(&share(b)));
        let Some(fullest) = fullest else { return rates };
        let bps = share(fullest).clamp(0.0, ceiling_bps);
        let settled = fullest.senders.clone();
        for leg in &mut legs {
            let here = leg.senders.len();
            leg.senders.retain(|sender| !settled.contains(sender));
            leg.left_bps -= (here - leg.senders.len()) as f64 * bps;
        }
        rates.extend(settled.into_iter().map(|sender| (sender, bps)));
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
        for (estimate, before, pictures, left) in [
            (1_020e3, 3, 3, 837e3),
            (421e3, 3, 3, 280e3),
            (419e3, 3, 2, 278e3),
            (20e3, 3, 0, 0.0),
            // To come back, three need 360 kbps beside sound, not 300.
            (470e3, 2, 2, 326e3),
            (481e3, 2, 3, 336e3),
        ] {
            let allotment = allot(&plan(), estimate, 3, (3, before));
            assert_eq!(allotment.pictures, pictures, "{estimate}");
            assert!((allotment.left_bps - left).abs() < 1e3, "{allotment:?}");
        }
    }

    /// 0 has 600 kbps for pictures of 1 and 2; 1 and 2 have 2 Mbps each, for those of 0 and of each
    /// other. 1 and 2 stop at 300 when the leg to 0 is full, and leave 1.7 Mbps of theirs to 0.
    #[test]
    fn what_one_leg_keeps_a_sender_from_is_for_the_others_on_other_legs() {
        let leg = |left_bps, senders: [u16; 2]| SharedLeg {
            left_bps,
            senders: senders.into(),
        };
        let legs = || vec![leg(6e5, [1, 2]), leg(2e6, [0, 2]), leg(2e6, [0, 1])];
        let expected = [(0, 1.7e6), (1, 3e5), (2, 3e5)];
        assert_eq!(share_out(legs(), 5e6), expected.into());
        // Nobody gets more than there is to send.
        let expected = [(0, 1e6), (1, 3e5), (2, 3e5)];
        assert_eq!(share_out(legs(), 1e6), expected.into());
        assert_eq!(share_out(Vec::new(), 1e6), BTreeMap::new());
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
