//! Runs one cell of a scenario's grid: builds the world of a plan, lets it live, records it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::RngExt;
use reports::record::{CellRecord, Measured};
use scenarios::{Participant, Plan, StackProfile};
use sim::trace::Tap;
use sim::trace::digest::Digest;
use sim::trace::pcapng::{Capture, CaptureHandle};
use sim::{Finished, NetworkError, SimRuntime, Simulation, Time, entropy, simulate};
use thiserror::Error;
use tokio::sync::mpsc;

use crate::client;
use crate::events::Script;
use crate::media::png;
use crate::media::{
    AudioEncoder, AudioError, AudioRecording, Camera, Frame, ProbeSource, Scene, Stamped,
    VideoRecording, Y4mCamera, Y4mError,
};
use crate::member::{Access, Command};
use crate::observe::Observatory;
use crate::observe::frames::HopKey;
use crate::observe::record::{Recorder, packets};
use crate::observe::traffic::{SharedTraffic, TrafficTap};
use crate::observe::warnings::worth_a_look;
use crate::observe::wire::WireTap;
use crate::peer::capture::{self, Capture as Devices};
use crate::peer::recordings::{Recording, Recordings};
use crate::peer::send::video_settings;
use crate::peer::{Context, Environment, stack};
use crate::server;
use crate::world::{self, Hosts, Servers, SimConnector, SimEnvironment, WorldError};

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

/// Everything that watches a run.
struct Observers {
    observatory: Arc<Observatory>,
    traffic: SharedTraffic,
    digest: Arc<Mutex<Digest>>,
    capture: Option<CaptureHandle>,
}

impl Observers {
    fn install(world: &Simulation, plan: &Plan, options: &RunOptions) -> Result<Self, RunError> {
        let observatory = Arc::new(Observatory::default());
        observatory.lock().screens = options.pictures.then(Default::default);
        let traffic = SharedTraffic::default();
        let digest = Arc::new(Mutex::new(Digest::default()));
        let capture = world.network(|network| {
            network.add_tap(Box::new(TrafficTap::new(
                traffic.clone(),
                world::window(plan),
            )));
            network.add_tap(Box::new(WireTap::new(Arc::clone(&observatory))));
            network.add_tap(Box::new(Arc::clone(&digest)));
            if !options.pcap {
                return Ok(None);
            }
            let (tap, handle) = Capture::new(entropy::EPOCH, network.hosts())
                .map_err(|error| RunError::Capture(error.to_string()))?;
            network.add_tap(Box::new(tap));
            Ok::<_, RunError>(Some(handle))
        })?;
        Ok(Observers {
            observatory,
            traffic,
            digest,
            capture,
        })
    }
}

impl Observers {
    /// Whether every participant has seen or heard somebody.
    fn everybody_got_media(&self, plan: &Plan) -> bool {
        let observations = self.observatory.lock();
        let got = |index: u16| {
            let mut streams = observations.streams.iter();
            streams.any(|(key, log)| key.receiver == index && !log.shown.is_empty())
        };
        plan.participants.iter().all(|peer| got(peer.index))
    }
}

/// How each participant is told to report.
type Commands = Vec<mpsc::UnboundedSender<Command>>;

fn start_peers(
    world: &Simulation,
    plan: &Plan,
    hosts: &Hosts,
    servers: &Servers,
    observers: &Observers,
) -> Result<Commands, RunError> {
    let shared_plan = Arc::new(plan.clone());
    let mut commands = Vec::new();
    for (participant, host) in plan.participants.iter().zip(&hosts.participants) {
        let runtime = world.runtime(*host);
        let environment: Arc<dyn Environment> =
            Arc::new(SimEnvironment::new(runtime.clone(), plan));
        let context = Context {
            environment: Arc::clone(&environment),
            plan: Arc::clone(&shared_plan),
            index: participant.index,
            observatory: Arc::clone(&observers.observatory),
            capture: Arc::new(Devices::default()),
        };
        if participant.sends {
            start_devices(&context, participant)?;
        }
        let (sender, receiver) = mpsc::unbounded_channel();
        let leave = sender.downgrade();
        commands.push(sender);
        let life = client::follow_schedule(context, access(servers, runtime), receiver, leave);
        environment.runtime().spawn(Box::pin(life));
    }
    if let Some(host) = hosts.media {
        let runtime = world.runtime(host);
        let environment: Arc<dyn Environment> =
            Arc::new(SimEnvironment::new(runtime.clone(), plan));
        let context = Context {
            environment: Arc::clone(&environment),
            plan: shared_plan,
            index: world::media_server(plan),
            observatory: Arc::clone(&observers.observatory),
            capture: Arc::new(Devices::default()),
        };
        let (sender, receiver) = mpsc::unbounded_channel();
        commands.push(sender);
        let life = server::serve(context, access(servers, runtime), receiver);
        environment.runtime().spawn(Box::pin(life));
    }
    Ok(commands)
}

fn access(servers: &Servers, runtime: SimRuntime) -> Access {
    Access {
        ice: servers.ice.clone(),
        signaling: Arc::new(SimConnector(runtime)),
    }
}

/// Starts camera and microphone, which begin when their participant joins, out of step with all
/// others.
fn start_devices(context: &Context, participant: &Participant) -> Result<(), RunError> {
    let environment = &context.environment;
    let replays = context.replays();
    let mut recordings = Recordings::default();
    let mut random = environment.random(&format!("devices/{}", participant.name));
    let join = Time::ZERO + participant.join;
    let mut phase = |period: Duration| join + period.mul_f64(random.random::<f64>());
    if let Some(video) = &context.plan.video {
        let start = phase(Duration::from_secs(1) / video.fps);
        let mut camera = Some(camera(context, participant)?);
        if let Some(mut camera) = camera.take_if(|_| replays) {
            let settings = video_settings(video);
            let make = move || VideoRecording::make(camera.as_mut(), settings).map(Arc::new);
            recordings.video = Some(Recording::start(environment.as_ref(), make));
        }
        environment.runtime().spawn(Box::pin(capture::run_camera(
            Arc::clone(environment),
            Arc::clone(&context.observatory),
            Arc::clone(&context.capture),
            (participant.index, video.fps, start),
            camera,
        )));
    }
    if let Some(audio) = &context.plan.audio {
        let start = phase(capture::SOUND);
        let mut noise = environment.random(&format!("microphone/{}", participant.name));
        let source = ProbeSource::new(participant.index, &mut noise);
        if replays {
            let (source, bitrate_bps) = (source.clone(), audio.bitrate_bps);
            let make = move || AudioRecording::make(&source, bitrate_bps).map(Arc::new);
            recordings.audio = Some(Recording::start(environment.as_ref(), make));
        }
        let mut observations = context.observatory.lock();
        observations.microphones.insert(participant.index, start);
        drop(observations);
        environment
            .runtime()
            .spawn(Box::pin(capture::run_microphone(
                Arc::clone(environment),
                Arc::clone(&context.capture),
                start,
                source,
            )));
    }
    // Nobody has set them before, and nobody captures before the world begins to live.
    let _ = context.capture.recordings.set(recordings);
    Ok(())
}

/// The participant's Y4M file or its built-in scene, with the pixel marker.
fn camera(context: &Context, participant: &Participant) -> Result<Box<dyn Camera>, RunError> {
    let video = context.plan.video.as_ref().expect("asked for with video");
    let (width, height) = (video.width as usize, video.height as usize);
    let camera: Box<dyn Camera> = match &participant.camera {
        Some(path) => {
            let file = Y4mCamera::open(path, width, height, video.fps);
            Box::new(file.map_err(|source| RunError::Camera {
                participant: participant.name.clone(),
                source,
            })?)
        }
        None => {
            let name = format!("camera/{}", participant.name);
            let mut random = context.environment.random(&name);
            Box::new(Scene::new(&mut random, width, height))
        }
    };
    Ok(Box::new(Stamped::new(camera, participant.index)))
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

/// The pictures that were kept.
fn screens(plan: &Plan, observers: &Observers) -> Vec<Screen> {
    let hosts = world::host_infos(plan);
    let name = |host: u16| hosts[usize::from(host)].name.clone();
    let observations = observers.observatory.lock();
    let screens = observations.screens.iter().flatten();
    let screen = |(hop, picture): (&HopKey, &Arc<Frame>)| Screen {
        receiver: name(hop.to),
        source: name(hop.source),
        png: png::encode(picture),
    };
    screens.map(screen).collect()
}

/// Bytes of signalling messages both ways.
fn signaling_bytes(servers: &Servers) -> u64 {
    let traffic = servers.signaling.traffic();
    traffic.bytes_in + traffic.bytes_out
}

fn record(
    plan: &Plan,
    observers: &Observers,
    finished: &Finished,
    audio_delay: u32,
    signaling_bytes: u64,
) -> CellRecord {
    let (from, to) = world::window(plan);
    let hosts = world::host_infos(plan);
    let observations = observers.observatory.lock();
    let traffic = observers.traffic.lock();
    let recorder = Recorder {
        plan,
        hosts: &hosts,
        observations: &observations,
        traffic: &traffic,
        window: (from, to),
        cpus: &finished.cpus,
        audio_delay,
    };
    CellRecord {
        scenario: plan.scenario.clone(),
        topology: plan.topology.name().to_owned(),
        participants: plan.participants.len() as u32,
        seed: plan.seed.0,
        fidelity: plan.fidelity.name().to_owned(),
        cost_profile: plan.costs.as_ref().map(|costs| costs.name.clone()),
        stack: match plan.stack.profile {
            StackProfile::Tuned => "tuned".to_owned(),
            StackProfile::Stock => "stock".to_owned(),
        },
        stack_settings: stack::describe(&plan.stack),
        window_from_ms: from.as_millis_f64(),
        window_to_ms: to.as_millis_f64(),
        hosts: recorder.hosts(),
        connections: recorder.connections(),
        streams: recorder.streams(),
        timeline: recorder.timeline(),
        packets: packets(finished),
        signaling_bytes,
        digest: observers.digest.lock().expect("taps do not panic").hex(),
        warnings: worth_a_look(&finished.warnings),
    }
}

fn measured(plan: &Plan, hosts: &Hosts, finished: &Finished, end: Time) -> Measured {
    let named = || world::host_infos(plan).into_iter().zip(hosts.all());
    let host_cpu_s = named()
        .map(|(info, id)| (info.name, finished.meter.host(id).as_secs_f64()))
        .collect();
    let works = |id| {
        let works = finished.meter.works(id);
        works.map(|(work, spent)| (work.name().to_owned(), spent.as_secs_f64()))
    };
    let host_work_cpu_s = named()
        .map(|(info, id)| (info.name, works(id).collect()))
        .collect();
    Measured {
        wall_s: 0.0,
        virtual_s: end.as_secs_f64(),
        host_cpu_s,
        host_work_cpu_s,
        workaround_cpu_s: finished.meter.workaround().as_secs_f64(),
        observer_cpu_s: finished.meter.observer().as_secs_f64(),
        kernel_cpu_s: finished.meter.kernel().as_secs_f64(),
        peak_rss_bytes: peak_rss_bytes(),
    }
}

/// `VmHWM` of `/proc/self/status` (proc_pid_status(5)); `None` where there is none.
fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}
