//! The test cases of RFC 8867, from the scenarios that are shipped, to their first changes only:
//! whole they take minutes. `docs/congestion.md` has the figures of the whole ones.

use std::path::Path;
use std::time::Duration;

use reports::metrics::FlowRow;
use scenarios::{Overrides, Plan};

use crate::support::record;

/// A case up to a second of it.
fn case(name: &str, until_s: u64) -> Plan {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/rfc8867");
    let file = directory.join(format!("{name}.toml"));
    let scenario = scenarios::load(file.to_str().expect("a path in UTF-8")).expect("it is valid");
    let mut plans = scenario.resolve(&Overrides::default()).expect("it resolves");
    Plan {
        duration: Duration::from_secs(until_s),
        ..plans.remove(0)
    }
}

fn phases(name: &str, until_s: u64) -> Vec<FlowRow> {
    FlowRow::all(&record(&case(name, until_s)))
}
