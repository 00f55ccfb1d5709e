use super::*;
use crate::fixture::{cell, run};
use crate::record::{Prices, Role};
use crate::run::Limit;

/// A call in which everything is well: of the fixture, a and b alone; latency 8 and 9 ms, set-up
/// at most 420 ms, 1000 and 2000 of 10,000 kbps, 0.5 and 1.5 of 4 cores.
fn good(topology: &str, seed: u64) -> CellRecord {
    let mut cell = cell();
    (cell.topology, cell.seed, cell.participants) = (topology.to_owned(), seed, 2);
    cell.hosts.retain(|host| host.name != "c");
    cell.connections
        .retain(|end| end.local != "c" && end.remote != "c");
    cell.streams
        .retain(|stream| stream.sender != "c" && stream.receiver != "c");
    cell.prices = Some(Prices {
        currency: "EUR".into(),
        egress_per_gb: 0.0,
        relay_per_gb: 0.0,
        vcpu_hour: 1.0,
    });
    let turn = cell.hosts.last_mut().expect("the TURN server");
    turn.cpu_cores_mean = Some(0.25);
    if topology != "mesh" {
        // Its own end of two connections, of which the fixture has two between a and b.
        let mut server = turn.clone();
        server.role = if topology == "sfu" {
            Role::Sfu
        } else {
            Role::Mcu
        };
        server.cpu_cores_mean = Some(1.0);
        cell.hosts.push(server);
        for (end, peer) in cell.connections.iter_mut().zip(["a", "b"]) {
            (end.local, end.remote) = (peer.into(), topology.into());
        }
        let back = cell.connections.clone().into_iter().map(|mut end| {
            std::mem::swap(&mut end.local, &mut end.remote);
            end
        });
        cell.connections.extend(back.collect::<Vec<_>>());
    }
    cell
}

fn decided(cells: Vec<CellRecord>, limits: Vec<Limit>) -> Decision {
    let mut run = run(cells);
    run.grid.topologies = ["mesh", "sfu", "mcu"].map(String::from).into();
    run.grid.participants = vec![2];
    run.limits = limits;
    let mut decisions = all(&run);
    assert_eq!(decisions.len(), 1);
    decisions.remove(0)
}

fn order(decision: &Decision) -> Vec<&str> {
    let names = decision.candidates.iter();
    names.map(|candidate| candidate.topology.as_str()).collect()
}

fn at_most(metric: &str, max: f64) -> Limit {
    Limit {
        metric: metric.into(),
        min: None,
        max: Some(max),
        topologies: None,
        participants: None,
        group: None,
    }
}

fn best(decision: &Decision) -> Option<&str> {
    decision.recommended().map(|best| best.topology.as_str())
}

#[test]
fn the_cheapest_that_keeps_to_all_limits_wins() {
    let decision = decided(vec![good("sfu", 7), good("mesh", 7)], vec![]);
    // A quarter of a core at 1 an hour; the SFU has one more.
    let prices: Vec<_> = decision
        .candidates
        .iter()
        .map(|candidate| candidate.money_per_hour.unwrap().value)
        .collect();
    assert_eq!((best(&decision), prices), (Some("mesh"), vec![0.25, 1.25]));
    // Nearest to its bound is CPU: 1.5 of 4 cores are 0.375 of at most 0.8, 0.425 / 0.8 = 53 %.
    let tightest = decision.candidates[0].tightest().unwrap();
    assert_eq!(
        (tightest.verdict.metric.as_str(), tightest.is_stated),
        ("client_cpu_use_max", false)
    );
    let ratio = tightest.verdict.margin_ratio.unwrap();
    assert!((ratio - 0.53125).abs() < 1e-12, "{ratio}");
    assert_eq!((decision.seeds, decision.agreeing), (1, 1));
}

#[test]
fn a_limit_that_is_broken_takes_the_cheapest_out() {
    let mut mesh = good("mesh", 7);
    // 2000 kbps on a link of 2.1 Mbps are 95 %, of at most 90.
    mesh.hosts[1].link_up_kbps = Some(2_100.0);
    let decision = decided(vec![mesh.clone(), good("mcu", 7), good("sfu", 7)], vec![]);
    // SFU and MCU cost the same and have the same room: the first of the grid.
    assert_eq!(order(&decision), ["sfu", "mcu", "mesh"]);
    let out = decision.candidates[2].tightest().unwrap();
    assert_eq!(out.verdict.metric, "client_up_use_max");
    assert_eq!(decision.candidates[2].broken(), 1);

    // A scenario that states this limit is believed, instead of the usual one.
    let stated = vec![at_most("client_up_use_max", 0.99)];
    assert_eq!(
        best(&decided(vec![mesh, good("sfu", 7)], stated)),
        Some("mesh")
    );
}

#[test]
fn of_equal_prices_the_one_with_more_room_wins() {
    let mut sfu = good("sfu", 7);
    // 3 of 4 cores are 0.75 of at most 0.8: the SFU still keeps to it, with 6 % to go.
    sfu.hosts[1].cpu_cores_mean = Some(3.0);
    let decision = decided(vec![sfu, good("mcu", 7)], vec![]);
    assert_eq!(order(&decision), ["mcu", "sfu"]);
    assert!(decision.candidates[1].keeps());
}

#[test]
fn an_unknown_price_is_no_low_price() {
    let mut mesh = good("mesh", 7);
    mesh.hosts.last_mut().unwrap().cpu_cores_mean = None;
    let decision = decided(vec![mesh.clone(), good("sfu", 7)], vec![]);
    assert_eq!(order(&decision), ["sfu", "mesh"]);
    assert_eq!(decision.candidates[1].money_per_hour, None);
    // Alone it is still recommended.
    assert_eq!(best(&decided(vec![mesh], vec![])), Some("mesh"));
}

#[test]
fn where_nobody_keeps_to_the_limits_nobody_is_recommended() {
    // p95 of a frame is 9 ms: 3 ms more than 6, half of it; 5 ms are exceeded by 80 %.
    let limits = vec![
        at_most("video_latency_ms_p95", 6.0),
        at_most("money_per_hour", 1.0),
    ];
    let decision = decided(vec![good("mesh", 7), good("sfu", 7)], limits);
    assert_eq!(best(&decision), None);
    // The SFU breaks the price, too, with 1.25.
    assert_eq!(order(&decision), ["mesh", "sfu"]);
    let broken = decision.candidates.iter().map(Candidate::broken);
    assert_eq!(broken.collect::<Vec<_>>(), [1, 2]);
    let ratio = decision.candidates[0]
        .tightest()
        .unwrap()
        .verdict
        .margin_ratio;
    assert!((ratio.unwrap() + 0.5).abs() < 1e-3, "{ratio:?}");
}

#[test]
fn limits_hold_for_what_they_are_restricted_to() {
    let only = |topology: &str| Limit {
        topologies: Some(vec![topology.into()]),
        ..at_most("video_latency_ms_p95", 6.0)
    };
    let cells = vec![good("mesh", 7), good("sfu", 7)];
    assert_eq!(
        best(&decided(cells.clone(), vec![only("mesh")])),
        Some("sfu")
    );
    assert_eq!(
        best(&decided(cells.clone(), vec![only("sfu")])),
        Some("mesh")
    );
    // Nobody of the group: nothing to judge.
    let nobody = Limit {
        group: Some("away".into()),
        ..at_most("video_latency_ms_p95", 6.0)
    };
    assert_eq!(best(&decided(cells, vec![nobody])), Some("mesh"));
}

#[test]
fn a_stated_figure_that_is_missing_is_broken_and_a_usual_one_is_not() {
    let mut mesh = good("mesh", 7);
    for stream in &mut mesh.streams {
        stream.latency_us = Default::default();
    }
    let decision = decided(vec![mesh.clone(), good("sfu", 7)], vec![]);
    assert_eq!(best(&decision), Some("mesh"));
    let stated = vec![at_most("audio_latency_ms_p95", 300.0)];
    assert_eq!(
        best(&decided(vec![mesh, good("sfu", 7)], stated)),
        Some("sfu")
    );
}

#[test]
fn seeds_that_would_decide_otherwise_are_counted() {
    let mut cells = Vec::new();
    for seed in [7, 8, 9] {
        cells.extend([good("mesh", seed), good("sfu", seed)]);
    }
    let sure = decided(cells.clone(), vec![]);
    assert_eq!((sure.seeds, sure.agreeing), (3, 3));
    // In seed 9 b sends 9.5 of 10 Mbps, so that alone it would take the SFU. The mean over the
    // seeds is (0.2 + 0.2 + 0.95) / 3 = 0.45.
    cells[4].hosts[1].window_up.bytes = 11_875_000;
    let decision = decided(cells, vec![]);
    assert_eq!(best(&decision), Some("mesh"));
    assert_eq!((decision.seeds, decision.agreeing), (3, 2));
}
