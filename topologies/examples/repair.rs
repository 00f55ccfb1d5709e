//! Quality against loss, with each repair alone and all together, as a table for `docs/repair.md`.
//!
//! `cargo run --release -p rtclab-topologies --example repair`

use std::collections::VecDeque;
use std::sync::Mutex;

use reports::record::{CellRecord, Kind, RepairRecord, StreamRecord};
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

fn main() {
    let cases = REPAIRS
        .iter()
        .flat_map(|repair| LOSSES.map(|loss| (repair, loss)));
    let cases: Vec<_> = cases.collect();
    let rows = in_parallel(&cases, |((name, lines), loss)| {
        let plan = plan(*loss, lines);
        let output = topologies::run(&plan, &RunOptions::default(), &|_| {});
        let row = row(name, *loss, &output.expect("the plan can be run").record);
        // Calls take a while; the table comes in order, in the end.
        eprintln!("{row}");
        row
    });
    println!(
        "| repair | loss | PSNR, dB | SSIM | shown | freezes | frozen | overhead | latency, ms | sound \
         filled in |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    rows.iter().for_each(|row| println!("{row}"));
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

/// Both directions together.
fn row(name: &str, loss: u32, record: &CellRecord) -> String {
    let of = |kind| {
        record
            .streams
            .iter()
            .filter(move |stream| stream.kind == kind)
    };
    let sum = |kind, value: &dyn Fn(&StreamRecord) -> f64| of(kind).map(value).sum::<f64>();
    let video = |value: &dyn Fn(&StreamRecord) -> f64| sum(Kind::Video, value);
    let streams = of(Kind::Video).count() as f64;
    let repair = |stream: &StreamRecord| stream.repair.unwrap_or_default();
    let bytes = |repair: RepairRecord| (repair.retransmitted_bytes + repair.fec_bytes) as f64;
    let shown = video(&|s| s.frames_rendered as f64) / video(&|s| s.frames_sent as f64);
    let frozen =
        (0.0 + video(&|s| s.freeze_ms)) / streams / (record.window_to_ms - record.window_from_ms);
    let overhead = video(&|s| bytes(repair(s))) / video(&|s| s.encoded_bytes as f64);
    let filled_in = sum(Kind::Audio, &|s| repair(s).concealed_frames as f64)
        / sum(Kind::Audio, &|s| s.frames_sent as f64);
    let latency = video(&|s| s.latency_us.mean().unwrap_or(f64::NAN)) / streams / 1_000.0;
    format!(
        "| {name} | {loss} % | {:.1} | {:.3} | {:.1} % | {} | {:.1} % | {:.1} % | {latency:.0} | {:.1} % |",
        video(&|s| s.psnr_db_mean.unwrap_or(f64::NAN)) / streams,
        video(&|s| s.ssim_mean.unwrap_or(f64::NAN)) / streams,
        100.0 * shown,
        of(Kind::Video).map(|s| s.freezes).sum::<u64>(),
        100.0 * frozen,
        100.0 * overhead,
        100.0 * filled_in,
    )
}
