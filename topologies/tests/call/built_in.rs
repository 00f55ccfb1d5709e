//! Built-in scenarios of changing networks, for some seconds: everybody connects, and everything
//! arrives.

use std::time::Duration;

use reports::record::CellRecord;
use scenarios::{Overrides, Plan, Topology};

use crate::support::record;

/// The first cell of a built-in with this topology, up to a second of it.
fn shortened(name: &str, topology: Topology, until_s: u64) -> Plan {
    let scenario = scenarios::load(name).expect("it is built in");
    let plans = scenario
        .resolve(&Overrides::default())
        .expect("it resolves");
    let mut plans = plans.into_iter();
    let plan = plans.find(|plan| plan.topology == topology);
    let plan = plan.expect("it has the topology");
    let duration = Duration::from_secs(until_s) - plan.warmup;
    Plan { duration, ..plan }
}

/// All are connected, something of every stream was shown or played, and of every workload received.
fn assert_works(name: &str, record: &CellRecord) {
    assert!(record.connections.iter().all(|end| end.connected), "{name}");
    for stream in &record.streams {
        assert!(stream.frames_rendered > 0, "{name}: {stream:#?}");
    }
    for data in &record.data {
        assert!(data.messages_received > 0, "{name}: {data:#?}");
    }
    assert!(record.streams.len() + record.data.len() > 0, "{name}");
}

/// The office is interrupted, the phone for longer, and both come back.
#[test]
fn the_built_in_handover_says_how_long_it_took() {
    let record = record(&shortened("handover", Topology::Sfu, 14));
    assert_works("handover", &record);
    let longest = |what: &str| {
        let all = record
            .streams
            .iter()
            .flat_map(|stream| &stream.interruptions);
        let gaps = all.filter(|one| one.what == what).map(|one| one.gap_ms);
        gaps.fold(0.0, f64::max)
    };
    // A packet of sound or a picture at least; ICE notices within 5 s and restarts within 2.5 s, a
    // server 1 s later.
    let (handover, roam) = (longest("handover"), longest("roam"));
    assert!((20.0..=1_000.0).contains(&handover), "{handover}");
    assert!((3_000.0..=8_500.0).contains(&roam), "{roam}");
    assert!(record.streams.iter().all(|stream| {
        let mut all = stream.interruptions.iter();
        all.len() == 2 && all.all(|one| one.recovered)
    }));
}
