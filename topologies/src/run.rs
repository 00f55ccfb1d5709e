//! Runs one cell of a scenario's grid: builds the world of a plan, lets it live, records it.

mod devices;
mod members;
mod observers;
mod outcome;

use std::time::Duration;

use reports::record::{CellRecord, Measured};
use scenarios::Plan;
use sim::trace::Tap;
use sim::{NetworkError, Simulation, simulate};
use thiserror::Error;

use self::members::{Commands, start_peers};
use self::observers::Observers;
use self::outcome::{measured, record, screens, signaling_bytes};
use crate::events::Script;
use crate::media::{AudioEncoder, AudioError, Y4mError};
use crate::member::Command;
use crate::statics;
use crate::world::{self, WorldError};

/// Virtual time between two reports of progress.
const PROGRESS_STEP: Duration = Duration::from_millis(100);

/// What to record of a cell beyond the figures.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunOptions {
    /// Whether to capture the packets.
    pub pcap: bool,
    /// Whether to keep the last picture that each participant saw.
    pub pictures: bool,
}

/// How far a cell has come, in virtual time from the start of the call.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// How much is done.
    pub virtual_done: Duration,
    /// How much there is to do.
    pub virtual_total: Duration,
}

/// What a cell gave.
#[derive(Clone, Debug)]
pub struct CellOutput {
    /// The records: the same for equal plans.
    pub record: CellRecord,
    /// What the machine spent on it.
    pub measured: Measured,
    /// The packets as pcapng, if asked for.
    pub pcap: Option<Vec<u8>>,
    /// The last pictures that participants saw, if asked for.
    pub pictures: Vec<Screen>,
}

/// A picture that somebody saw.
#[derive(Clone, Debug)]
pub struct Screen {
    /// Who saw it.
    pub receiver: String,
    /// Whose it is: a participant's, or the MCU's.
    pub source: String,
    /// The picture as PNG.
    pub png: Vec<u8>,
}

/// What keeps a cell from being run.
#[derive(Debug, Error)]
pub enum RunError {
    /// The world of the plan cannot exist.
    #[error(transparent)]
    World(#[from] WorldError),
    /// A camera's file cannot be used.
    #[error("camera of {participant}: {source}")]
    Camera {
        /// Whose camera it is.
        participant: String,
        /// What is wrong with it.
        source: Y4mError,
    },
    /// The audio codec does not start.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// The capture does not start.
    #[error("packet capture: {0}")]
    Capture(String),
}

impl From<NetworkError> for RunError {
    fn from(error: NetworkError) -> Self {
        RunError::World(error.into())
    }
}

/// Runs the cell that `plan` describes, on a thread of its own, and waits for it.
///
/// # Errors
///
/// [`RunError`] when the call cannot be run; how well it went is a result, not an error.
pub fn run(
    plan: &Plan,
    options: &RunOptions,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<CellOutput, RunError> {
    run_with(plan, options, Vec::new(), progress)
}

/// As [`run`], with further observers of every packet, which change nothing of what is recorded.
///
/// # Errors
///
/// Those of [`run`].
pub fn run_with(
    plan: &Plan,
    options: &RunOptions,
    taps: Vec<Box<dyn Tap>>,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<CellOutput, RunError> {
    run_to(plan, options, Ending::Planned, taps, progress)
}

/// As [`run`], to the point at which every participant has heard or seen somebody for `while_`; at
/// the latest to the end of the plan.
///
/// # Errors
///
/// Those of [`run`].
pub fn run_until_media(plan: &Plan, while_: Duration) -> Result<CellOutput, RunError> {
    let ending = Ending::Media(while_);
    run_to(plan, &RunOptions::default(), ending, Vec::new(), &|_| {})
}

/// When a run ends.
#[derive(Clone, Copy, Debug)]
enum Ending {
    /// With the drain after the measured window.
    Planned,
    /// As soon as every participant has got media for so long, or with the measured window.
    Media(Duration),
}

fn run_to(
    plan: &Plan,
    options: &RunOptions,
    ending: Ending,
    taps: Vec<Box<dyn Tap>>,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<CellOutput, RunError> {
    // Wall time of the run is a measurement of this machine, kept apart from the records.
    #[allow(clippy::disallowed_methods)]
    let started = std::time::Instant::now();
    statics::make();
    let mut output = simulate(plan.seed, |world| {
        world.network(|network| taps.into_iter().for_each(|tap| network.add_tap(tap)));
        run_in(world, plan, options, ending, progress)
    })?;
    #[allow(clippy::disallowed_methods)]
    let wall = started.elapsed();
    output.measured.wall_s = wall.as_secs_f64();
    Ok(output)
}

fn run_in(
    mut world: Simulation,
    plan: &Plan,
    options: &RunOptions,
    ending: Ending,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<CellOutput, RunError> {
    let audio_delay = match &plan.audio {
        Some(audio) => AudioEncoder::new(audio.bitrate_bps)?.delay_samples(),
        None => 0,
    };
    let hosts = world::build_hosts(&mut world, plan)?;
    let observers = Observers::install(&world, plan, options)?;
    let servers = world::start_servers(&world, &hosts, plan)?;
    let peers = start_peers(&world, plan, &hosts, &servers, &observers)?;
    let script = Script::new(plan, &hosts);
    match ending {
        Ending::Planned => live(&mut world, plan, script, &peers, progress),
        Ending::Media(while_) => live_until_media(&mut world, plan, &observers, while_),
    }
    let signaling_bytes = signaling_bytes(&servers);
    drop(servers);
    let end = world.now();
    let finished = world.finish();
    Ok(CellOutput {
        record: record(plan, &observers, &finished, audio_delay, signaling_bytes),
        measured: measured(plan, &hosts, &finished, end),
        pictures: screens(plan, &observers),
        pcap: observers.capture.map(|capture| capture.bytes()),
    })
}

/// Lets the world live to the end of the call, reporting progress now and then.
fn live(
    world: &mut Simulation,
    plan: &Plan,
    mut script: Script,
    peers: &Commands,
    progress: &(dyn Fn(Progress) + Sync),
) {
    let (_, window_end) = world::window(plan);
    let end = window_end + world::DRAIN;
    let mut reported = false;
    while world.now() < end {
        if !reported && world.now() >= window_end {
            reported = true;
            for peer in peers {
                let _ = peer.send(Command::Report);
            }
        }
        let limit = if reported { end } else { window_end };
        let next = (world.now() + PROGRESS_STEP).min(limit);
        world.run_until(script.next_at().map_or(next, |step| step.min(next)));
        script.play(world);
        progress(Progress {
            virtual_done: world.now().since_start(),
            virtual_total: end.since_start(),
        });
    }
}

/// Lets the world live until every participant has got media for so long, or to the end of the
/// measured window.
fn live_until_media(world: &mut Simulation, plan: &Plan, observers: &Observers, while_: Duration) {
    let (_, mut end) = world::window(plan);
    let mut settled = false;
    while world.now() < end {
        world.run_until((world.now() + PROGRESS_STEP).min(end));
        if !settled && observers.everybody_got_media(plan) {
            settled = true;
            end = end.min(world.now() + while_);
        }
    }
}
