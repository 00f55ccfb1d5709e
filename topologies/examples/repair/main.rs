//! Quality against loss, with each repair on and off, alone and all together, as tables for
//! `docs/repair.md` and as a chart.
//!
//! `cargo run --release -p rtclab-topologies --example repair -- docs/repair.svg`

mod chart;
mod row;
mod sound;

use std::collections::VecDeque;
use std::error::Error;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use chart::{Panel, Section};
use row::{Row, SoundRow};
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

/// For sound: what is on, and whether that is in-band FEC and concealment.
const SOUND: [(&str, bool, bool); 4] = [
    ("neither", false, false),
    ("concealment", false, true),
    ("Opus FEC", true, false),
    ("Opus FEC, concealment", true, true),
];

/// How long pictures wait, with NACK, RTX and PLI: the delay at the beginning, ms, and the rest.
const PLAYOUT: [(&str, u32, &str); 3] = [
    ("fixed, 60 ms", 60, "rtx = true"),
    ("fixed, 150 ms", 150, "rtx = true"),
    ("adaptive", 150, "rtx = true\nplayout = \"adaptive\""),
];

fn main() -> Result<(), Box<dyn Error>> {
    let chart = std::env::args_os().nth(1).map(PathBuf::from);
    let pictures = in_parallel(&with_losses(&REPAIRS), |((name, lines), loss)| {
        measured(name, *loss, &plan(*loss, 150, lines))
    });
    println!("{}", Row::HEAD);
    pictures.iter().for_each(|row| println!("{row}"));
    let sound = in_parallel(&with_losses(&SOUND), |(case, loss)| sound_row(*case, *loss));
    println!("\n{}", SoundRow::HEAD);
    sound.iter().for_each(|row| println!("{row}"));
    let playout = in_parallel(&with_losses(&PLAYOUT), |((name, delay_ms, lines), loss)| {
        measured(name, *loss, &plan(*loss, *delay_ms, lines))
    });
    println!("\n{}", Row::PLAYOUT_HEAD);
    playout
        .iter()
        .for_each(|row| println!("{}", row.of_playout()));
    let sections = [
        of_pictures(&pictures),
        of_sound(&sound),
        of_playout(&playout),
    ];
    chart.map_or(Ok(()), |path| chart::draw(&sections, &path))
}

fn with_losses<C: Copy>(cases: &[C]) -> Vec<(C, u32)> {
    let cases = cases.iter();
    let cases = cases.flat_map(|case| LOSSES.map(|loss| (*case, loss)));
    cases.collect()
}

fn measured(name: &'static str, loss: u32, plan: &Plan) -> Row {
    let output = topologies::run(plan, &RunOptions::default(), &|_| {});
    let row = Row::of(name, loss, &output.expect("the plan can be run").record);
    // Calls take a while; the tables come in order, in the end.
    eprintln!("{row}");
    row
}

/// A call with sound alone, for 20 s: 1,000 packets each way.
fn sound_row((name, fec, conceal): (&'static str, bool, bool), loss: u32) -> SoundRow {
    let lines = format!("opus_fec = {fec}\nconcealment = {conceal}");
    let mut plan = plan(loss, 150, &lines);
    plan.video = None;
    plan.duration = Duration::from_secs(20);
    let output = topologies::run(&plan, &RunOptions::default(), &|_| {});
    let record = output.expect("the plan can be run").record;
    let damage = sound::damage(loss, fec, conceal).expect("Opus works");
    SoundRow::of(name, loss, &record, damage)
}

fn of_pictures(rows: &[Row]) -> Section {
    let panel = |title, range, figure: fn(&Row) -> f64| {
        let point = |row: &Row| (f64::from(row.loss_pct), figure(row));
        Panel::of(title, range, rows, |row| row.repair, point)
    };
    Section {
        title: "Pictures",
        under: "two in a mesh, 25 ms apart, 10 s of 30 pictures a second both ways, n = 1 seed",
        panels: vec![
            panel("shown, % of those sent", [0.0, 100.0], |r| r.shown_pct),
            panel("time frozen, %", [0.0, 100.0], |r| r.frozen_pct),
            panel("PSNR of those shown, dB", [36.0, 44.0], |r| r.psnr_db),
            panel("SSIM of those shown", [0.95, 1.0], |r| r.ssim),
        ],
    }
}

fn of_sound(rows: &[SoundRow]) -> Section {
    let panel = |title, range, figure: fn(&SoundRow) -> f64| {
        let point = |row: &SoundRow| (f64::from(row.loss_pct), figure(row));
        Panel::of(title, range, rows, |row| row.repair, point)
    };
    Section {
        title: "Sound",
        under: "the same call without pictures, 20 s; SNR and distance: the codec alone, 60 s; n = 1 seed",
        panels: vec![
            panel("guessed or silent, %", [0.0, 12.0], |r| r.missing_pct),
            panel("segmental SNR, dB", [20.0, 36.0], |r| r.damage.snr_db),
            panel("spectral distance, dB", [0.0, 4.0], |r| {
                r.damage.distance_db
            }),
        ],
    }
}

fn of_playout(rows: &[Row]) -> Section {
    let panel = |title, range, figure: fn(&Row) -> f64| {
        let point = |row: &Row| (f64::from(row.loss_pct), figure(row));
        Panel::of(title, range, rows, |row| row.repair, point)
    };
    Section {
        title: "Playout",
        under: "of pictures, with NACK, RTX and PLI; the same call",
        panels: vec![
            panel("time frozen, %", [0.0, 100.0], |r| r.frozen_pct),
            panel("latency, mean, ms", [0.0, 300.0], |r| r.latency_ms),
        ],
    }
}

/// A call of two in a mesh, 25 ms apart, that is measured for 10 s.
fn plan(loss: u32, playout_delay_ms: u32, repair: &str) -> Plan {
    let source = format!(
        "name = \"repair\"\nparticipants = 2\ncpu = \"free\"\nwarmup = \"4 s\"\nduration = \"10 s\"\n\
         [video]\nsize = \"160x90\"\nbitrate = \"300 kbps\"\nplayout_delay = \"{playout_delay_ms} ms\"\n\
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
