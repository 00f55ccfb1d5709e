use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use reports::record::{CellRecord, Measured, PacketsRecord};
use tempfile::TempDir;

use super::*;
use crate::engine::{Progress, RunOptions};

/// Makes up a result instead of running a call.
#[derive(Default)]
struct Fake {
    /// The seeds whose cells fail, and those whose cells panic.
    fails: Vec<u64>,
    panics: Vec<u64>,
    /// Makes cells end in the reverse of the grid's order.
    backwards: Option<Backwards>,
}

impl Engine for Fake {
    fn run(
        &self,
        plan: &Plan,
        options: &RunOptions,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> anyhow::Result<CellOutput> {
        let (virtual_done, virtual_total) = (Duration::from_secs(1), Duration::from_secs(2));
        progress(Progress {
            virtual_done,
            virtual_total,
        });
        if let Some(backwards) = &self.backwards {
            backwards.wait(plan);
        }
        assert!(!self.panics.contains(&plan.seed.0), "a broken invariant");
        anyhow::ensure!(!self.fails.contains(&plan.seed.0), "no port is free");
        Ok(CellOutput {
            record: record(plan),
            measured: Measured::default(),
            pcap: options.pcap.then(|| plan.seed.0.to_le_bytes().to_vec()),
            pictures: Vec::new(),
        })
    }
}

/// Holds every cell until those after it have ended, which takes a thread for each of them.
struct Backwards {
    /// Participants and seed of the cells that have not ended, in the order of the grid.
    left: Mutex<Vec<(usize, u64)>>,
    changed: Condvar,
}

impl Backwards {
    fn new(cells: impl Into<Vec<(usize, u64)>>) -> Self {
        Backwards {
            left: Mutex::new(cells.into()),
            changed: Condvar::new(),
        }
    }

    fn wait(&self, plan: &Plan) {
        let cell = (plan.participants.len(), plan.seed.0);
        let left = self.left.lock().unwrap();
        let is_early = |left: &mut Vec<_>| left.last() != Some(&cell);
        self.changed.wait_while(left, is_early).unwrap().pop();
        self.changed.notify_all();
    }
}

fn record(plan: &Plan) -> CellRecord {
    CellRecord {
        scenario: plan.scenario.clone(),
        topology: plan.label(),
        participants: plan.participants.len() as u32,
        seed: plan.seed.0,
        fidelity: "codec".to_owned(),
        cost_profile: None,
        stack: "tuned".to_owned(),
        stack_settings: BTreeMap::new(),
        window_from_ms: 0.0,
        window_to_ms: 1_000.0,
        hosts: Vec::new(),
        connections: Vec::new(),
        streams: Vec::new(),
        data: Vec::new(),
        timeline: Vec::new(),
        flows: Vec::new(),
        prices: None,
        packets: PacketsRecord::default(),
        signaling_bytes: 0,
        digest: String::new(),
        warnings: Vec::new(),
    }
}

/// Participants and seeds of [`GRID`].
const ORDER: [(usize, u64); 6] = [(2, 5), (2, 6), (2, 7), (3, 5), (3, 6), (3, 7)];

/// Two sizes x three seeds.
const GRID: &str = r#"
name = "grid"
topologies = ["mesh"]
participants = [2, 3]
seed = 5
seeds = 3
duration = "1 s"

[audio]
bitrate = "32 kbps"

[[group]]
name = "home"
share = 1.0
nat = "none"
link = "fiber"
"#;

/// A directory with the scenario `grid.toml`, and the arguments to run it from there to `out`.
fn scene() -> (TempDir, RunArgs) {
    let dir = TempDir::new().unwrap();
    let scenario = dir.path().join("grid.toml");
    fs::write(&scenario, GRID).unwrap();
    let args = RunArgs {
        scenario: scenario.to_str().unwrap().to_owned(),
        out: Some(dir.path().join("out")),
        seed: None,
        topology: None,
        participants: None,
        jobs: None,
        pictures: false,
        pcap: false,
        quiet: false,
    };
    (dir, args)
}

fn summary(dir: &TempDir) -> Vec<String> {
    let text = fs::read_to_string(dir.path().join("out/summary.csv")).unwrap();
    let key = |line: &str| line.splitn(5, ',').take(4).collect::<Vec<_>>().join(" ");
    text.lines().skip(1).map(key).collect()
}

#[test]
fn cells_that_end_backwards_are_written_in_the_order_of_the_grid() {
    let (dir, mut args) = scene();
    args.jobs = NonZeroUsize::new(6);
    let engine = Fake {
        backwards: Some(Backwards::new(ORDER)),
        ..Fake::default()
    };
    run(&args, &engine, &mut Vec::new()).unwrap();
    assert_eq!(
        summary(&dir),
        ORDER.map(|(n, seed)| format!("grid mesh {n} {seed}"))
    );
}

#[test]
fn the_number_of_jobs_changes_no_file_but_those_that_may_differ() {
    let files = |jobs| {
        let (dir, mut args) = scene();
        args.jobs = NonZeroUsize::new(jobs);
        args.pcap = true;
        run(&args, &Fake::default(), &mut Vec::new()).unwrap();
        let entries = fs::read_dir(dir.path().join("out")).unwrap();
        let files = entries.map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(&path).unwrap())
        });
        let mut files: BTreeMap<_, _> = files.collect();
        assert!(files.remove("provenance.json").is_some());
        assert!(files.remove("measured.csv").is_some());
        files
    };
    let alone = files(1);
    // The records, 8 tables and the page, and the captures of 6 cells.
    assert_eq!(alone.len(), 10 + 6);
    assert_eq!(alone["capture-mesh-3-6.pcapng"], 6_u64.to_le_bytes());
    assert_eq!(alone, files(4));
}

#[test]
fn a_failing_cell_is_named_and_nothing_is_written() {
    for (engine, reason) in [
        (
            Fake {
                fails: vec![6],
                ..Fake::default()
            },
            "no port is free",
        ),
        (
            Fake {
                panics: vec![6],
                ..Fake::default()
            },
            "a defect of rtclab: a broken invariant",
        ),
    ] {
        let (dir, mut args) = scene();
        args.jobs = NonZeroUsize::new(1);
        let mut printed = Vec::new();
        let Err(Failure::Run(error)) = run(&args, &engine, &mut printed) else {
            panic!("the cells with seed 6 fail");
        };
        let expected = format!("nothing was written: mesh of 2, seed 6 failed: {reason}");
        assert_eq!(format!("{error:#}"), expected);
        assert_eq!(printed, b"");
        assert!(!dir.path().join("out").exists());
    }
}

#[test]
fn of_several_failing_cells_the_first_of_the_grid_is_named() {
    let (_dir, mut args) = scene();
    args.jobs = NonZeroUsize::new(6);
    let backwards = Some(Backwards::new(ORDER));
    let engine = Fake {
        fails: vec![6, 7],
        backwards,
        ..Fake::default()
    };
    let Err(Failure::Run(error)) = run(&args, &engine, &mut Vec::new()) else {
        panic!("four cells fail");
    };
    assert!(
        format!("{error:#}").contains("mesh of 2, seed 6 failed"),
        "{error:#}"
    );
}

#[test]
fn what_is_printed_ends_with_the_replay_command_and_the_directory() {
    let (dir, mut args) = scene();
    args.seed = Some(vec![9]);
    let mut printed = Vec::new();
    run(&args, &Fake::default(), &mut printed).unwrap();
    let printed = String::from_utf8(printed).unwrap();
    let (path, out) = (&args.scenario, dir.path().join("out"));
    let end = format!(
        "\nreplay: rtclab run {path} --seed 9\nresults: {}\n",
        out.display()
    );
    assert!(
        printed.starts_with("grid: seed 9, 1 s measured,"),
        "{printed}"
    );
    assert!(printed.ends_with(&end), "{printed}");

    // The file does not say where the scenario was.
    let run = store::read(&out).unwrap();
    assert_eq!(run.replay, "rtclab run grid.toml --seed 9");
    assert_eq!(run.scenario.text, GRID);
    assert_eq!(
        (run.grid.participants, run.grid.seeds),
        (vec![2, 3], vec![9])
    );
}

#[test]
fn quiet_prints_nothing_and_writes_everything() {
    let (dir, mut args) = scene();
    args.quiet = true;
    let mut printed = Vec::new();
    run(&args, &Fake::default(), &mut printed).unwrap();
    assert_eq!((printed, summary(&dir).len()), (vec![], 6));
}

#[test]
fn the_default_directory_is_named_after_the_scenario() {
    let (_dir, mut args) = scene();
    args.out = None;
    let Ok(job) = Job::resolve(&args) else {
        panic!("the scenario is valid")
    };
    assert_eq!(job.dir, Path::new("out/grid"));
}

#[test]
fn a_directory_that_cannot_be_written_is_found_before_anything_is_run() {
    let (_dir, mut args) = scene();
    args.out = Some(Path::new(&args.scenario).join("out"));
    let engine = Fake {
        panics: vec![5, 6, 7],
        ..Fake::default()
    };
    let Err(Failure::Usage(error)) = run(&args, &engine, &mut Vec::new()) else {
        panic!("the scenario's file is not a directory");
    };
    assert!(
        format!("{error:#}").ends_with("grid.toml is a file, not a directory"),
        "{error}"
    );
}
