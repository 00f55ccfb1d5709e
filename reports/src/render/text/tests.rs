use super::*;
use crate::fixture::{cell, connection, run};
use crate::record::{Role, Traffic};

fn shown(cells: Vec<CellRecord>) -> String {
    render(&run(cells), "rtclab run trio --seed 7")
}

#[test]
fn a_small_run_reads_like_this() {
    // The figures are those that the tests of `metrics` derive: 1020 frames of 38220 dB in all
    // are 37.5 dB; 5 % frozen.
    let text = shown(vec![cell()]);
    let expected = "\
trio: seed 7, 10 s measured, fidelity codec, CPU modelled (reference), tuned stack

N  topology      pairs    set-up  first     video  audio   fps  frozen  PSNR    client     client  TURN
             (relayed)   p50/p95  frame   p50/p95    p50             %    dB   up/down      cores  kbps
                              ms     ms        ms     ms                          kbps   mean/max
--------------------------------------------------------------------------------------------------------
3  mesh        2/3 (1)  420/1000    520  9.0/15.0    5.0  17.0     5.0  37.5  1000/200  1.00/1.50   500

N  topology  data    kind   intact  completion  goodput         latency   lost   age
                                            ms     kbps     p50/p95/p99      %    ms
                                                                     ms
-------------------------------------------------------------------------------------
3  mesh      slides  file      1/2        4000     2400  12.0/16.0/16.0  25.00     -
3  mesh      moves   state       -           -        6     8.0/8.0/8.0  10.00  10.5

N  topology  pair   outcome
----------------------------------
3  mesh      a - c  via TURN
3  mesh      b - c  not connected

warnings (1): these results need a look
  mesh 3 seed 7: 3.2 s: b: ICE failed

replay: rtclab run trio --seed 7
";
    assert_eq!(text, expected, "\n{text}");
}

/// One topology at one size without limits is no choice; with another size, another topology or a
/// limit there is something to tell.
#[test]
fn nothing_is_recommended_where_nothing_is_to_be_chosen() {
    let told = |change: &dyn Fn(&mut Run)| {
        let mut run = run(vec![cell()]);
        change(&mut run);
        let text = render(&run, "rtclab run trio");
        let charts = crate::render::chart::all(&run);
        let page = crate::render::html::render(&run, &charts);
        let document = crate::render::markdown::render(&run, &charts);
        let told = text.contains("verdict");
        assert_eq!(page.contains("Which topology to build"), told);
        assert_eq!(document.contains("Which topology to build"), told);
        told
    };
    assert!(!told(&|_| {}));
    assert!(told(&|run| run.grid.topologies.push("sfu".to_owned())));
    assert!(told(&|run| run.grid.participants.push(4)));
    assert!(told(&|run| run.limits.push(crate::Limit {
        metric: "freezes".to_owned(),
        min: None,
        max: Some(5.0),
        topologies: None,
        participants: None,
        group: None,
    })));
}

/// A cell of this topology, with a server unless it is a mesh, in a window of 10 s.
fn of(topology: &str, participants: u32) -> CellRecord {
    let mut cell = CellRecord {
        topology: topology.to_owned(),
        participants,
        ..cell()
    };
    let role = match topology {
        "sfu" => Role::Sfu,
        "mcu" => Role::Mcu,
        _ => return cell,
    };
    let mut server = cell.hosts[4].clone();
    server.role = role;
    server.cpu_cores_mean = Some(15.25);
    // 2,000,000,000 B in 10 s are 1,600,000 kbps.
    server.window_up = Traffic {
        bytes: 2_000_000_000,
        ..Traffic::default()
    };
    cell.hosts.push(server);
    cell
}

/// The words that each row of the first table begins with.
fn rows(text: &str) -> Vec<String> {
    let table = text.lines().skip_while(|line| !line.starts_with("---"));
    let rows = table.skip(1).take_while(|line| !line.is_empty());
    let start = |line: &str| {
        line.split_whitespace()
            .take(2)
            .collect::<Vec<_>>()
            .join(" ")
    };
    rows.map(start).collect()
}

fn widest(text: &str) -> usize {
    text.lines()
        .map(|line| line.chars().count())
        .max()
        .unwrap_or_default()
}

#[test]
fn topologies_stand_beside_each_other_for_every_size() {
    let topologies = ["mesh", "sfu", "mcu"];
    let cells = topologies
        .iter()
        .flat_map(|name| [of(name, 8), of(name, 4)]);
    let mut run = run(cells.collect());
    run.grid.topologies = topologies.map(str::to_owned).to_vec();
    run.grid.participants = vec![8, 4];
    let text = render(&run, "rtclab run trio");
    let expected = ["8 mesh", "8 sfu", "8 mcu", "4 mesh", "4 sfu", "4 mcu"];
    assert_eq!(rows(&text), expected, "{text}");
    // The mesh has no server: no figure, which is not 0.
    let server: Vec<_> = text
        .lines()
        .filter(|line| line.contains(" 500/1600000 "))
        .collect();
    assert_eq!(server.len(), 4, "{text}");
    assert!(server.iter().all(|line| line.contains(" 15.25 ")), "{text}");
    let mesh = text
        .lines()
        .find(|line| line.starts_with("8  mesh") || line.starts_with("8 mesh"));
    assert!(mesh.is_some_and(|line| line.contains(" - ")), "{text}");
}

#[test]
fn columns_without_any_figure_are_left_out() {
    let mut free = cell();
    free.cost_profile = None;
    free.hosts
        .iter_mut()
        .for_each(|host| host.cpu_cores_mean = None);
    let text = shown(vec![free]);
    assert!(text.contains(", CPU free, "), "{text}");
    assert!(
        !text.contains("cores") && !text.contains("server"),
        "{text}"
    );
    let text = shown(vec![of("sfu", 3)]);
    assert!(text.contains("cores") && text.contains("server"), "{text}");
}

#[test]
fn large_calls_fit_120_columns_in_every_topology_seed_and_fidelity() {
    let mut cells = Vec::new();
    for (topology, fidelity) in [("mesh", "codec"), ("sfu", "trace"), ("mcu", "trace")] {
        for seed in [1, 12] {
            let mut large = of(topology, 100);
            (large.seed, large.fidelity) = (seed, fidelity.to_owned());
            // Latencies and set-ups of four digits.
            large.connections.push(connection(
                "b",
                "c",
                Some(("relay", "relay", "relay")),
                2_500.0,
            ));
            large.streams[0].latency_us = std::iter::repeat_n(1_250_000, 60).collect();
            cells.push(large);
        }
    }
    let text = shown(cells);
    assert!(widest(&text) <= 120, "{}\n{text}", widest(&text));
    assert!(text.contains("sfu trace"), "{text}");
    // What is narrow has two spaces between its columns.
    assert!(shown(vec![cell()]).contains("N  topology  "));
}

#[test]
fn a_call_that_is_relayed_as_a_whole_is_one_line() {
    let mut relayed = cell();
    relayed.connections = Vec::new();
    for (local, remote) in [("a", "b"), ("b", "a"), ("a", "c"), ("c", "a")] {
        let end = connection(local, remote, Some(("relay", "relay", "relay")), 1.0);
        relayed.connections.push(end);
    }
    let text = shown(vec![relayed.clone()]);
    assert!(
        text.contains("3  mesh      all 2 pairs  via TURN\n"),
        "{text}"
    );
    relayed.connections.truncate(2);
    let text = shown(vec![relayed]);
    assert!(text.contains("3  mesh      a - b  via TURN\n"), "{text}");
}

#[test]
fn hosts_that_fall_behind_are_named() {
    let mut busy = cell();
    busy.hosts[1].skipped = [("decode".to_owned(), 0), ("encode".to_owned(), 312)].into();
    busy.hosts[1].device = "phone".to_owned();
    let text = shown(vec![busy]);
    let row = "3  mesh      b           phone   312 x encode\n";
    assert!(text.contains(row), "{text}");
    assert!(!text.contains("x decode"), "{text}");
    assert!(!shown(vec![cell()]).contains("overloaded"));
}

#[test]
fn several_groups_of_receivers_stand_beside_each_other_by_topology() {
    // What the test of `metrics` derives, without widths: 38 dB and 18.75 fps at home, 36 and 13.5
    // at c. In the SFU nothing froze.
    let two = |topology| {
        let mut cell = of(topology, 3);
        cell.hosts[2].group = Some("mobile".to_owned());
        cell
    };
    let mut sfu = two("sfu");
    sfu.streams[3].freeze_ms = 0.0;
    let mut run = run(vec![two("mesh"), sfu]);
    run.grid.topologies = vec!["mesh".to_owned(), "sfu".to_owned()];
    let text = render(&run, "rtclab run trio");
    let expected = "\
N  receivers  n  topology   fps  frozen  PSNR   SSIM  down
                                      %    dB         kbps
-----------------------------------------------------------
3  home       2  mesh      18.8     7.5  38.0  0.964   150
3  home       2  sfu       18.8     0.0  38.0  0.964   150
3  mobile     1  mesh      13.5     0.0  36.0  0.950   300
3  mobile     1  sfu       13.5     0.0  36.0  0.950   300
";
    assert!(text.contains(expected), "{text}");
    // One group sees what the first table says.
    assert!(!shown(vec![cell()]).contains("receivers"));
}

#[test]
fn what_was_lost_and_repaired_is_a_row_of_its_own() {
    let text = shown(vec![crate::metrics::repaired()]);
    let expected = "\
N  topology  video   came  rebuilt    still  overhead  audio  repeated  filled
              lost  again    (FEC)  missing             lost     (FEC)      in
                 %      %        %        %         %      %         %       %
-------------------------------------------------------------------------------
3  mesh       10.0    5.5      2.5      2.0      41.5    6.0       4.5     2.0
";
    assert!(text.contains(expected), "{text}");
    assert!(!shown(vec![cell()]).contains("missing"));
}

#[test]
fn seeds_get_a_column_only_if_they_differ() {
    let other = CellRecord { seed: 8, ..cell() };
    assert!(!shown(vec![cell(), cell()]).contains("seed  "));
    assert!(shown(vec![cell(), other]).contains("  seed  "));
}

#[test]
fn a_run_without_exceptions_has_no_tables_of_them() {
    let mut good = cell();
    good.connections.truncate(2);
    good.warnings.clear();
    let text = shown(vec![good]);
    assert!(
        !text.contains("outcome") && !text.contains("warnings"),
        "{text}"
    );
}

#[test]
fn long_lists_are_cut_and_say_so() {
    // 30 warnings and 25 cells with 2 exceptional pairs each, of which 20 are shown.
    let mut noisy = cell();
    noisy.warnings = (0..30).map(|n| format!("warning {n}")).collect();
    let text = shown(vec![noisy]);
    assert!(
        text.contains("warning 19\n  ... and 10 more, in run.json\n"),
        "{text}"
    );
    let mut loud = cell();
    loud.warnings = (1..=30).map(|n| format!("{n}.5s WARN no")).collect();
    loud.warnings.insert(1, "1.7s WARN other".to_owned());
    let text = shown(vec![loud]);
    let lines = "seed 7: 1.5s WARN no (30 times, up to 30.5s)\n  mesh 3 seed 7: 1.7s WARN other\n";
    assert!(text.contains("warnings (31)"), "{text}");
    assert!(text.contains(lines) && !text.contains("more, in"), "{text}");
    let text = shown(vec![cell(); 25]);
    assert!(
        text.contains("... and 30 more pairs, in run.json\n"),
        "{text}"
    );
}

#[test]
fn what_happened_is_told_with_the_longest_gap_of_either_kind() {
    let gap = |gap_ms, recovered| crate::record::Interruption {
        what: "nat-rebind".to_owned(),
        host: "a".to_owned(),
        at_ms: 5_000.0,
        gap_ms,
        recovered,
    };
    let mut cell = cell();
    // Two videos and one sound; the second video does not come back.
    cell.streams[0].interruptions = vec![gap(4_100.4, true)];
    cell.streams[1].interruptions = vec![gap(7_000.0, false)];
    cell.streams[6].interruptions = vec![gap(40.0, true)];
    let text = shown(vec![cell]);
    let row = "3  mesh      5.0  nat-rebind  a         7000/40      1/3";
    assert!(text.contains(row), "{text}");
    // Where nothing happens the table is not there.
    assert!(!shown(vec![self::cell()]).contains("happened"));
}
