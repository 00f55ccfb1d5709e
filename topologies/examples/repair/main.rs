//! Quality against loss, with each repair alone and all together, as a table for `docs/repair.md`
//! and as a chart.
//!
//! `cargo run --release -p rtclab-topologies --example repair -- docs/repair.svg`

mod chart;
mod row;

use std::collections::VecDeque;
use std::error::Error;
use std::path::PathBuf;
use std::sync::Mutex;

use row::Row;
use scenarios::{Overrides, Plan, Scenario};
use topologies::RunOptions;

/// Loss on the way to each participant, percent.
const LOSSES: [u32; 5] = [0, 1, 2, 5, 10];

/// What is on, as a section of a scenario. Keyframes come every 2 s in all of them, so that pictures
/// without any repair are not broken for ever.
const REPAIRS: [(&str, &str); 7] = [
    ("none", "nack = false\npli = false"),
    ("PLI", "nack = false"),
    ("NACK", "pli = false"),
    ("NACK and PLI", ""),
    ("RTX and PLI", "rtx = true"),
    ("FlexFEC", "nack = false\npli = false\nfec = \"flexfec\""),
    (
        "all",
        "rtx = true\nfec = \"flexfec\"\nopus_fec = true\nplayout = \"adaptive\"",
    ),
];

fn main() -> Result<(), Box<dyn Error>> {
    let chart = std::env::args_os().nth(1).map(PathBuf::from);
    let cases = REPAIRS
        .iter()
        .flat_map(|repair| LOSSES.map(|loss| (repair, loss)));
    let cases: Vec<_> = cases.collect();
    let rows = in_parallel(&cases, |((name, lines), loss)| {
        let plan = plan(*loss, lines);
        let output = topologies::run(&plan, &RunOptions::default(), &|_| {});
        let row = Row::of(name, *loss, &output.expect("the plan can be run").record);
        // Calls take a while; the table comes in order, in the end.
        eprintln!("{row}");
        row
    });
    println!("{}", Row::HEAD);
    rows.iter().for_each(|row| println!("{row}"));
    chart.map_or(Ok(()), |path| chart::draw(&rows, &path))
}

/// A call of two in a mesh, 25 ms apart, that is measured for 10 s.
fn plan(loss: u32, repair: &str) -> Plan {
    let source = format!(
        "name = \"repair\"\nparticipants = 2\ncpu = \"free\"\nwarmup = \"4 s\"\nduration = \"10 s\"\n\
         [video]\nsize = \"160x90\"\nbitrate = \"300 kbps\"\nplayout_delay = \"150 ms\"\n\
         [repair]\nkeyframe_interval = \"2 s\"\n{repair}\n\
         [[group]]\nname = \"peer\"\nnat = \"none\"\n[group.link]\n\
         up = {{ rate = \"20 Mbps\", delay = \"12500 us\" }}\n\
         down = {{ rate = \"20 Mbps\", delay = \"12500 us\", loss = \"{loss} %\" }}\n"
    );
    let scenario = Scenario::parse(&source, "repair.toml".as_ref()).expect("it is valid");
    let plans = scenario
        .resolve(&Overrides::default())
        .expect("it resolves");
    plans.into_iter().next().expect("it has a cell")
}

/// The results of `job`, in order, on as many threads as there are cores.
fn in_parallel<C: Sync, R: Send>(cases: &[C], job: impl Fn(&C) -> R + Sync) -> Vec<R> {
    let waiting: Mutex<VecDeque<usize>> = Mutex::new((0..cases.len()).collect());
    let done = Mutex::new(Vec::new());
    let work = || {
        loop {
            let next = waiting.lock().expect("nobody panics").pop_front();
            let Some(index) = next else { return };
            let result = job(&cases[index]);
            done.lock().expect("nobody panics").push((index, result));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, Into::into);
    std::thread::scope(|scope| (0..threads).for_each(|_| _ = scope.spawn(work)));
    let mut done = done.into_inner().expect("nobody panicked");
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}
