//! `rtclab check` as CI calls it: exit codes, files and words, on results that are made up here.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output as Ended};

use reports::record::{
    CellRecord, Codecs, HostRecord, Kind, Measured, PacketsRecord, Role, StreamRecord, Traffic,
};
use reports::{Grid, Limit, Output, Provenance, Run, Source, store};
use tempfile::TempDir;

/// Two seeds of a call in which a sees b at 30 pictures a second, 100 ms late, for 10 s.
fn call() -> Run {
    let source = Source {
        name: "pair".to_owned(),
        hash: "5ce7".to_owned(),
        text: "name = \"pair\"\n".to_owned(),
    };
    let grid = Grid {
        topologies: vec!["mesh".to_owned()],
        participants: vec![2],
        seeds: vec![1, 2],
    };
    let cells = vec![cell(1), cell(2)];
    let mut run = Run::new(source, grid, "rtclab run pair".to_owned(), cells);
    run.program = Some("rtclab 0.1.0".to_owned());
    run.limits = vec![
        at_most("video_latency_ms_p95", 120.0),
        at_most("freezes", 0.0),
    ];
    run
}

fn at_most(metric: &str, max: f64) -> Limit {
    Limit {
        metric: metric.to_owned(),
        min: None,
        max: Some(max),
        topologies: None,
        participants: None,
        group: None,
    }
}

fn cell(seed: u64) -> CellRecord {
    CellRecord {
        scenario: "pair".to_owned(),
        topology: "mesh".to_owned(),
        participants: 2,
        seed,
        fidelity: "codec".to_owned(),
        cost_profile: None,
        stack: "tuned".to_owned(),
        stack_settings: BTreeMap::new(),
        window_from_ms: 0.0,
        window_to_ms: 10_000.0,
        hosts: vec![host("a"), host("b")],
        connections: Vec::new(),
        streams: vec![stream(100_000)],
        data: Vec::new(),
        timeline: Vec::new(),
        flows: Vec::new(),
        prices: None,
        packets: PacketsRecord::default(),
        signaling_bytes: 1_000,
        digest: String::new(),
        warnings: Vec::new(),
    }
}

fn host(name: &str) -> HostRecord {
    HostRecord {
        name: name.to_owned(),
        role: Role::Client,
        group: Some("home".to_owned()),
        nat: "none".to_owned(),
        link: "fiber".to_owned(),
        link_up_kbps: None,
        link_down_kbps: None,
        up: Traffic::default(),
        down: Traffic::default(),
        window_up: Traffic::default(),
        window_down: Traffic::default(),
        device: "laptop".to_owned(),
        cores: None,
        cpu_cores_mean: None,
        cpu_cores_by_work: BTreeMap::new(),
        skipped: BTreeMap::new(),
        codecs: Codecs::default(),
    }
}

fn stream(latency_us: u64) -> StreamRecord {
    StreamRecord {
        sender: "b".to_owned(),
        receiver: "a".to_owned(),
        kind: Kind::Video,
        path: Some("direct".to_owned()),
        local_candidate: None,
        transport: None,
        interruptions: Vec::new(),
        remote_candidate: None,
        frames_sent: 300,
        frames_received: 300,
        frames_rendered: 300,
        packets_sent: 300,
        packets_received: 300,
        encoded_bytes: 300_000,
        first_frame_ms: Some(500.0),
        latency_us: std::iter::repeat_n(latency_us, 300).collect(),
        latency_parts_ms: BTreeMap::new(),
        interval_us: Default::default(),
        freezes: 0,
        freeze_ms: 0.0,
        psnr_db_mean: Some(40.0),
        ssim_mean: Some(0.98),
        width_px_mean: None,
        plis: 0,
        keyframes: 1,
        repair: None,
    }
}

/// A directory in which `NAME/run.json` and so on are these runs.
fn scene(runs: &[(&str, &Run)]) -> TempDir {
    let dir = TempDir::new().unwrap();
    for (name, run) in runs {
        write(dir.path(), name, run);
    }
    dir
}

fn write(dir: &Path, name: &str, run: &Run) {
    let provenance = Provenance {
        program: "rtclab 0.1.0".to_owned(),
        profile: "release".to_owned(),
        target: "x86_64-linux".to_owned(),
        host_os: "linux".to_owned(),
        cpu_model: None,
        cpus: 2,
        started: "2026-01-02T03:04:05Z".to_owned(),
        command_line: vec!["rtclab".to_owned()],
        wall_s: 1.0,
    };
    let output = Output {
        run,
        measured: &vec![Measured::default(); run.cells.len()],
        provenance: &provenance,
        captures: &[],
    };
    store::write(&dir.join(name), &output).unwrap();
}

/// Runs the program in `dir`: exit code, standard output, standard error.
fn rtclab(dir: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rtclab"));
    let ended: Ended = command.current_dir(dir).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (ended.status.code(), text(ended.stdout), text(ended.stderr))
}

#[test]
fn limits_that_are_kept_are_good_and_one_that_is_not_is_1() {
    let mut frozen = call();
    frozen.cells[1].streams[0].freezes = 1;
    let dir = scene(&[("good", &call()), ("frozen", &frozen)]);
    let (code, out, error) = rtclab(dir.path(), &["check", "good"]);
    assert_eq!((code, error.as_str()), (Some(0), ""));
    assert!(
        out.ends_with("limits: 2 of 2 kept\n\npair: good\n"),
        "{out}"
    );
    let (code, out, error) = rtclab(dir.path(), &["check", "frozen"]);
    assert_eq!((code, error.as_str()), (Some(1), ""));
    assert!(
        out.contains("limits: 1 of 2 kept\n\npair: FAILED\n"),
        "{out}"
    );
    // The same is beside the results already, for whoever collects such files.
    let junit = fs::read_to_string(dir.path().join("frozen/junit.xml")).unwrap();
    let (_, printed, _) = rtclab(dir.path(), &["check", "frozen", "--format", "junit"]);
    assert_eq!(junit, printed);
    assert!(junit.contains("failures=\"1\""), "{junit}");
}

#[test]
fn what_is_worse_than_the_baseline_is_1_in_every_format() {
    let mut late = call();
    for cell in &mut late.cells {
        cell.streams[0] = stream(110_000);
    }
    let dir = scene(&[("old", &call()), ("new", &late)]);
    let check = ["check", "new", "--baseline", "old"];
    for (format, words) in [
        ("table", "WORSE"),
        ("markdown", "### worse"),
        ("json", "\"direction\": \"worse\""),
        ("junit", "<failure"),
    ] {
        let (code, out, error) = rtclab(dir.path(), &[&check[..], &["--format", format]].concat());
        assert_eq!((code, error.as_str()), (Some(1), ""), "{format}");
        assert!(out.contains(words), "{out}");
    }
    // The limits alone are kept: 110 of 120 ms. And what is better is good.
    assert_eq!(rtclab(dir.path(), &["check", "new"]).0, Some(0));
    let (code, out, _) = rtclab(dir.path(), &["check", "old", "--baseline", "new"]);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains(" better"), "{out}");
}

#[test]
fn a_file_gets_the_format_and_the_screen_the_table() {
    let dir = scene(&[("run", &call())]);
    let file = [
        "check",
        "run",
        "--format",
        "markdown",
        "--out",
        "comment.md",
    ];
    let (code, out, _) = rtclab(dir.path(), &file);
    assert_eq!(code, Some(0));
    assert!(out.ends_with("\npair: good\n"), "{out}");
    let text = fs::read_to_string(dir.path().join("comment.md")).unwrap();
    assert!(text.starts_with("## pair: good\n"), "{text}");
    let nowhere = ["check", "run", "--out", "no/such/file"];
    let (code, _, error) = rtclab(dir.path(), &nowhere);
    assert_eq!(code, Some(2));
    assert!(error.contains("cannot write no/such/file"), "{error}");
}

#[test]
fn wrong_input_is_2_with_the_place_and_the_repair() {
    let mut other = call();
    other.scenario.hash = "c0ffee".to_owned();
    let mut free = call();
    free.limits.clear();
    let dir = scene(&[("run", &call()), ("other", &other), ("free", &free)]);
    let json = fs::read_to_string(dir.path().join("run/run.json")).unwrap();
    for (name, text) in [
        ("short", json[..json.len() / 2].to_owned()),
        (
            "edited",
            json.replace("\"signaling_bytes\": 1000", "\"signaling_bytes\": 999"),
        ),
        ("foreign", "{\"version\": 1}".to_owned()),
    ] {
        fs::create_dir(dir.path().join(name)).unwrap();
        fs::write(dir.path().join(name).join("run.json"), text).unwrap();
    }
    for (arguments, words) in [
        (&["check", "none"][..], "none/run.json"),
        (&["check", "short"], "cut short"),
        (
            &["check", "edited"],
            "edited/run.json was changed after it was written",
        ),
        (&["check", "foreign"], "does not hold the records"),
        (&["check", "free"], "a section [limits]"),
        (
            &["check", "run", "--baseline", "edited"],
            "the baseline: edited/run.json",
        ),
        (
            &["check", "run", "--baseline", "other"],
            "make a new baseline",
        ),
        (&["check", "run", "--format", "pdf"], "markdown"),
    ] {
        let (code, out, error) = rtclab(dir.path(), arguments);
        assert_eq!(
            (code, out.as_str()),
            (Some(2), ""),
            "{arguments:?}: {error}"
        );
        assert!(error.contains(words), "{arguments:?}: {error}");
    }
}

#[test]
fn a_run_without_limits_takes_the_verdicts_of_the_one_before_away() {
    let mut free = call();
    free.limits.clear();
    let dir = scene(&[("run", &call())]);
    assert!(dir.path().join("run/junit.xml").is_file());
    write(dir.path(), "run", &free);
    assert!(!dir.path().join("run/junit.xml").exists());
}

/// What a scenario may limit is what results are judged by, and of groups what can be theirs.
#[test]
fn scenarios_limit_exactly_the_metrics_that_there_are() {
    let judged = reports::metrics::METRICS.iter();
    let judged: Vec<_> = judged
        .map(|metric| (metric.name, metric.of_groups))
        .collect();
    assert_eq!(scenarios::limited_metrics().collect::<Vec<_>>(), judged);
}
