//! Calls that an MCU mixes.

mod changes;
mod steady;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reports::record::Kind;
use scenarios::{McuEncoders, McuPlan, Plan, Topology};
use sim::{Seed, Time, simulate};
use topologies::observe::Observations;
use topologies::observe::frames::{Frame, HopKey};
use topologies::world;

use super::support::{Lab, at, plan};

/// Between two pictures of a camera, and of the MCU: 15 per second.
pub const PERIOD_MS: f64 = 1e3 / 15.0;
/// Between two refreshes of a display: 60 per second.
pub const REFRESH_MS: f64 = 1e3 / 60.0;
/// How long the MCU waits for late pictures.
pub const WAIT_MS: f64 = 10.0;

/// Tiles are 160x96, as the cameras' pictures, for two, three and four participants.
pub fn mixed(number: u16, end: f64, encoders: McuEncoders) -> Plan {
    let mut plan = plan(number, end);
    plan.topology = Topology::Mcu;
    plan.mcu = McuPlan {
        width: 320,
        height: 192,
        fps: 15,
        bitrate_bps: 400_000,
        encoders,
        wait: Duration::from_millis(10),
    };
    plan
}

/// The frames that the MCU sent to participant `to` since `since`, by number.
pub fn sent(
    observations: &Observations,
    plan: &Plan,
    (to, kind): (u16, Kind),
    since: Time,
) -> BTreeMap<u32, Frame> {
    let hop = HopKey::first(world::media_server(plan), to, kind);
    let frames = observations.hops[&hop].frames.values();
    frames
        .filter(|frame| frame.captured >= since)
        .map(|frame| (frame.number, frame.clone()))
        .collect()
}

/// Who is in a frame.
pub fn who(frame: &Frame) -> BTreeSet<u16> {
    let mix = frame.mix.as_ref().expect("the MCU mixed it");
    mix.parts.keys().copied().collect()
}

/// Lets everybody of the plan live until `end` and then looks at what was observed. `meanwhile` is
/// told the time 10 times a second. Returns what the stack warned of.
pub fn observe(
    plan: Plan,
    end: f64,
    meanwhile: impl Fn(&Lab, f64) + Send + 'static,
    look: impl FnOnce(&Lab) + Send + 'static,
) -> Vec<String> {
    simulate(Seed(1), move |world| {
        let number = plan.participants.len() as u16;
        let mut lab = Lab::new(world, plan);
        let _server = lab.serve();
        let _handles: Vec<_> = (0..number).map(|index| lab.participate(index)).collect();
        for step in 0..(end * 10.0) as u32 {
            let now = f64::from(step) / 10.0;
            lab.world.run_until(at(now));
            meanwhile(&lab, now);
        }
        lab.world.run_until(at(end));
        look(&lab);
        lab.finish().1
    })
}

/// The same, where nothing happens meanwhile and nothing is to be warned of.
pub fn watch(plan: Plan, end: f64, look: impl FnOnce(&Lab) + Send + 'static) {
    assert_eq!(observe(plan, end, |_, _| {}, look), NOTHING);
}

/// No warnings.
pub const NOTHING: [String; 0] = [];
