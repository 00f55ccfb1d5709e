use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::fixture::{cell, flow, run};
use crate::record::{CellRecord, Role};
use crate::render::{csv, html, json, markdown};

/// Two topologies at three sizes and two seeds; the second seed and the SFU have other figures.
fn grid() -> Run {
    let mut cells = Vec::new();
    for (topology, factor) in [("mesh", 3), ("sfu", 1)] {
        for participants in [2, 3, 5] {
            for seed in [7, 8] {
                let mut cell = cell();
                cell.topology = topology.into();
                (cell.participants, cell.seed) = (participants, seed);
                cell.hosts[2].group = Some("mobile".into());
                for host in &mut cell.hosts {
                    host.window_up.bytes *= factor * u64::from(participants) + seed;
                }
                cells.push(cell);
            }
        }
    }
    let mut run = run(cells);
    run.grid.topologies = vec!["mesh".into(), "sfu".into()];
    run.grid.participants = vec![2, 3, 5];
    run.grid.seeds = vec![7, 8];
    run
}

/// Every number of the CSV files that lie beside the page.
fn figures(run: &Run, charts: &[Chart]) -> Vec<f64> {
    let files = [csv::summary(&run.cells), csv::charts(charts)];
    let fields = files.iter().flat_map(|file| file.split(['\n', ',']));
    fields.filter_map(|field| field.parse().ok()).collect()
}

/// The numbers of a sentence, each with its decimals.
fn numbers(sentence: &str) -> Vec<(&str, usize)> {
    let words = sentence.split(|c: char| c.is_whitespace() || "(),:;=".contains(c));
    let words = words.map(|word| word.trim_end_matches('.'));
    words
        .filter(|word| word.parse::<f64>().is_ok())
        .map(|word| {
            (
                word,
                word.split_once('.')
                    .map_or(0, |(_, decimals)| decimals.len()),
            )
        })
        .collect()
}

#[test]
fn variants_have_colours_of_their_own_and_the_shapes_of_their_topologies() {
    let mut run = grid();
    let names = ["mesh", "sfu", "sfu one", "sfu two", "mesh one"];
    let mut cells = Vec::new();
    for name in names {
        let of_kind = |cell: &&CellRecord| cell.topology == crate::record::kind_of(name);
        let copies = run.cells.iter().filter(of_kind).cloned();
        cells.extend(copies.map(|cell| CellRecord {
            topology: name.into(),
            ..cell
        }));
    }
    (run.cells, run.grid.topologies) = (cells, names.map(String::from).to_vec());
    let groups = Groups::of(&run);
    let looks = names.map(|name| groups.entry(name));
    let colors: BTreeSet<_> = looks
        .iter()
        .map(|look| (look.color.0, look.color.1, look.color.2))
        .collect();
    assert_eq!(colors.len(), names.len());
    let alone = grid();
    assert_eq!(looks[1], Groups::of(&alone).entry("sfu"));
    assert_eq!(looks[1].shape, looks[2].shape);
    assert_eq!(looks[0].shape, looks[4].shape);
    let traffic = all(&run)
        .into_iter()
        .find(|chart| chart.name == "client-traffic");
    let series: BTreeSet<_> = traffic
        .unwrap()
        .data
        .into_iter()
        .map(|row| row.series)
        .collect();
    assert!(
        names.iter().all(|name| series.contains(*name)),
        "{series:?}"
    );
}

#[test]
fn every_number_of_a_sentence_is_in_a_csv_file() {
    let run = grid();
    let charts = all(&run);
    let known = figures(&run, &charts);
    let mut seen = 0;
    for chart in &charts {
        for (number, decimals) in numbers(&chart.sentence) {
            let is_it = |figure: &f64| format!("{figure:.decimals$}") == number;
            assert!(known.iter().any(is_it), "{number} of: {}", chart.sentence);
            seen += 1;
        }
    }
    // Each sentence has at least a size and a figure.
    assert!(seen >= 2 * charts.len(), "{seen} numbers");
}

#[test]
fn sentences_say_what_the_records_say() {
    let charts = all(&grid());
    let sentence = |name| {
        &charts
            .iter()
            .find(|chart| chart.name == name)
            .unwrap()
            .sentence
    };
    // Of seeds 7 and 8 the median by nearest rank is the first, 7. Uplinks of the fixture are 1000,
    // 2000 and 0 kbps, times 3 N + 7 in the mesh and N + 7 in the SFU: at N = 5, 22 and 12 times.
    let expected = "Uplink of a participant at N = 5: least in sfu (12000 kbps), most in mesh \
                    (22000 kbps).";
    assert!(
        sentence("client-traffic").starts_with(expected),
        "{charts:#?}"
    );
    // One of the two connected pairs is relayed, everywhere.
    let expected = "Share of relayed pairs at N = 5: 50.0 % in every topology.";
    assert_eq!(sentence("relayed-pairs"), expected);
}

/// A link of 5,000 kbps over which 1,000 go is above the axis, and one of 2,500 is on it; a panel
/// without a delay is not drawn.
#[test]
fn a_link_that_is_hardly_used_leaves_the_axis_to_what_goes_over_it() {
    let flows = |capacity: f64| {
        let mut cell = cell();
        let row = cell.timeline[0].clone();
        let row = |second| crate::record::TimelineRecord {
            second,
            up_capacity_kbps: Some(capacity),
            down_capacity_kbps: None,
            ..row.clone()
        };
        cell.timeline = (0..12).map(row).collect();
        cell.flows = vec![flow(("a", "b"), 0..12, (1_000.0, 10, 0), 20)];
        for second in &mut cell.flows[0].seconds {
            second.queue_ms = Default::default();
        }
        let mut charts = all(&run(vec![cell])).into_iter();
        charts
            .find(|chart| chart.name == "flows")
            .expect("somebody adapts")
    };
    let (far, near) = (flows(5_000.0), flows(2_500.0));
    // 5,000 kbps as text beside the axis, whose last tick is 1,000.
    let says = |chart: &Chart, text: &str| chart.svg.contains(&format!(">\n{text}\n<"));
    assert!(says(&far, "5000 kbps") && says(&far, "1000") && !says(&far, "2000"));
    assert!(
        !says(&near, "2500 kbps") && says(&near, "2000"),
        "{}",
        near.svg
    );
    for chart in [far, near] {
        assert!(!chart.svg.contains("queueing delay"), "{}", chart.svg);
        assert!(
            chart.sentence.ends_with("and not drawn."),
            "{}",
            chart.sentence
        );
        // The capacity and the flow in 12 seconds.
        assert_eq!(chart.data.len(), 24);
    }
}

#[test]
fn what_receivers_see_is_told_by_group() {
    let mut run = grid();
    let large = |cell: &&mut CellRecord| cell.topology == "sfu" && cell.participants == 5;
    for cell in run.cells.iter_mut().filter(large) {
        cell.streams[2].psnr_db_mean = Some(33.0 + cell.seed as f64);
    }
    let receivers = |run: &Run| all(run).into_iter().find(|chart| chart.name == "receivers");
    let chart = receivers(&run).expect("two groups");
    // At home 600 pictures of 40 dB and 150 of 30 dB in every topology: 38 dB. To the mobile one 36
    // dB, and in the SFU 40 and 41 with seeds 7 and 8, of which the first is the median.
    let psnr = "PSNR at N = 5: to home 38.0 dB in every topology; to mobile best in sfu (40.0 dB), \
                worst in mesh (36.0 dB).";
    assert!(chart.sentence.ends_with(psnr), "{}", chart.sentence);
    let rows = chart.data.iter();
    let mut mobile = rows.filter(|row| row.panel == "PSNR, dB" && row.series == "mobile: sfu");
    let row = mobile.next().expect("a row");
    assert_eq!((row.x, row.value, row.n), (5.0, 40.0, 2));
    assert_eq!((row.low, row.high), (Some(40.0), Some(41.0)));
    // Nothing is known of widths here, and one group alone is what `quality` shows.
    assert!(!chart.svg.contains("width of pictures"));
    for host in run.cells.iter_mut().flat_map(|cell| &mut cell.hosts) {
        host.group = host.group.as_ref().map(|_| "home".into());
    }
    assert_eq!(receivers(&run), None);
}

#[test]
fn the_same_run_gives_the_same_bytes_and_names_are_the_documented_ones() {
    let (run, again) = (grid(), grid());
    let charts = all(&run);
    assert_eq!(charts, all(&again));
    let page = html::render(&run, &charts);
    assert_eq!(page, html::render(&again, &charts));
    let order = |chart: &Chart| NAMES.iter().position(|name| *name == chart.name);
    let places: Vec<_> = charts.iter().map(order).collect();
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{places:?}"
    );
    // A reader needs nothing else: no scripts, nothing that is fetched.
    for foreign in [
        "<script", "<link", "<img", "@import", "url(", "src=", "href=",
    ] {
        assert!(!page.contains(foreign), "{foreign}");
    }
}

#[test]
fn a_missing_figure_is_a_gap_and_never_zero() {
    let mut run = grid();
    let without = |cell: &&mut CellRecord| cell.topology == "mesh" && cell.participants == 3;
    for cell in run.cells.iter_mut().filter(without) {
        cell.hosts.retain(|host| host.role != Role::Turn);
    }
    let charts = all(&run);
    let turn = charts
        .iter()
        .find(|chart| chart.name == "turn-traffic")
        .unwrap();
    let sizes = |topology: &str| -> Vec<f64> {
        let own = |row: &&DataRow| row.series == topology && row.panel == "into TURN, kbps";
        turn.data.iter().filter(own).map(|row| row.x).collect()
    };
    assert_eq!(sizes("mesh"), [2.0, 5.0]);
    assert_eq!(sizes("sfu"), [2.0, 3.0, 5.0]);
}

/// That every tag is closed in the order of XML, and every ampersand begins an entity.
fn assert_well_formed(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    for piece in page.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("every tag ends");
        assert!(!text.contains('>'), "a stray > after <{tag}>: {text}");
        let name = tag
            .trim_start_matches('/')
            .split([' ', '/', '\n'])
            .next()
            .unwrap();
        match tag {
            _ if tag.starts_with(['!', '?']) || tag.ends_with('/') => {}
            _ if tag.starts_with('/') => assert_eq!(open.pop(), Some(name), "</{name}>"),
            _ => open.push(name),
        }
    }
    assert_eq!(open, Vec::<&str>::new());
    for entity in page.split('&').skip(1) {
        let (name, _) = entity.split_once(';').expect("an entity ends");
        assert!(
            ["amp", "lt", "gt", "quot", "apos"].contains(&name),
            "&{name};"
        );
    }
}

#[test]
fn what_scenarios_and_hosts_are_called_is_text_and_no_markup() {
    let mut run = grid();
    run.scenario.name = "<b>&\"\u{1}".into();
    run.scenario.text = "a = \"<script>\"".into();
    for cell in &mut run.cells {
        cell.warnings = vec!["</pre><script>".into()];
        cell.topology = format!("<i>{}&", cell.topology);
    }
    let charts = all(&run);
    let page = html::render(&run, &charts);
    assert_well_formed(&page);
    assert!(!page.contains("<script") && !page.contains("<i>") && !page.contains("<b>"));
    charts
        .iter()
        .for_each(|chart| assert_well_formed(&chart.svg));
}

/// Takes away whatever the bits say, from the records of one cell.
fn with_gaps(mut cell: CellRecord, gaps: &[bool]) -> CellRecord {
    let mut gaps = gaps.iter().copied().cycle();
    let mut gap = || gaps.next().unwrap_or(true);
    cell.hosts.retain(|_| !gap());
    cell.connections.retain(|_| !gap());
    cell.streams.retain(|_| !gap());
    cell.timeline.retain(|_| !gap());
    if gap() {
        cell.window_to_ms = cell.window_from_ms;
    }
    for host in &mut cell.hosts {
        if gap() {
            host.cpu_cores_mean = None;
        }
        if gap() {
            host.cpu_cores_by_work.clear();
        }
    }
    for end in &mut cell.connections {
        let phases = &mut end.phases;
        for phase in [
            &mut phases.signaling_ms,
            &mut phases.ice_ms,
            &mut phases.setup_ms,
        ] {
            *phase = phase.filter(|_| !gap());
        }
    }
    for stream in &mut cell.streams {
        stream.first_frame_ms = stream.first_frame_ms.filter(|_| !gap());
        stream.psnr_db_mean = stream.psnr_db_mean.filter(|_| !gap());
        if gap() {
            stream.latency_us = Default::default();
        }
    }
    cell
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_is_missing_nothing_panics_and_pages_are_well_formed(
        kept in 0..=12_usize,
        gaps in prop::collection::vec(any::<bool>(), 1..60),
        scale in prop::sample::select(vec![0.0, 1e-300, 1.0, 1e12, 1e308]),
    ) {
        let mut run = grid();
        run.cells.truncate(kept);
        run.cells = run.cells.into_iter().map(|cell| with_gaps(cell, &gaps)).collect();
        for host in run.cells.iter_mut().flat_map(|cell| &mut cell.hosts) {
            host.cpu_cores_mean = host.cpu_cores_mean.map(|cores| cores * scale);
        }
        let charts = all(&run);
        assert_well_formed(&html::render(&run, &charts));
        for chart in &charts {
            prop_assert!(!chart.svg.contains("NaN") && !chart.svg.contains("inf"));
            prop_assert!(!chart.sentence.is_empty() && !chart.data.is_empty(), "{}", chart.name);
        }
        let names: BTreeSet<&str> = charts.iter().map(|chart| chart.name).collect();
        prop_assert_eq!(names.len(), charts.len());
        let document = json::render(&run, &charts);
        prop_assert!(serde_json::from_str::<serde_json::Value>(&document).is_ok(), "{}", document);
        prop_assert!(markdown::render(&run, &charts).contains("Replay"));
    }
}
