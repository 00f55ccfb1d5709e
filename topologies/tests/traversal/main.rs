//! The traversal matrix through real peers.

use std::path::Path;

use scenarios::Scenario;
use topologies::traversal;

#[test]
fn measure() {
    let text = std::env::var("NAT").unwrap_or_default();
    let scenario =
        Scenario::parse(&format!("name = \"x\"\n[nat]\n{text}"), Path::new("x")).unwrap();
    let plan = scenario.traversal(None);
    for cell in &plan.cells {
        let started = std::time::Instant::now();
        let cell = traversal::run(&plan, cell).unwrap();
        println!(
            "{:4.0} ms {} {:?} {:?} {:?}/{:?} {:?} {:?} media {:?} {}/{} {:?}",
            started.elapsed().as_secs_f64() * 1e3,
            cell.name(),
            cell.outcome,
            cell.connect_ms,
            cell.a_candidate,
            cell.a_remote_candidate,
            cell.b_candidate,
            cell.b_remote_candidate,
            cell.media_ms,
            cell.relayed_packets,
            cell.media_packets,
            cell.deviation
        );
    }
}
