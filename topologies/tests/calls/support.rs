//! Calls that are short and small, and a world in which to drive parts of one by hand.

use std::sync::Arc;
use std::time::Duration;

use reports::record::{CellRecord, Kind, StreamRecord};
use scenarios::{
    AudioPlan, CongestionPlan, Device, Fidelity, IcePlan, McuPlan, Participant, Plan, ServersPlan,
    SfuPlan, StackPlan, Topology, VideoPlan,
};
use sim::{Finished, LinkConfig, NatConfig, PipeConfig, Seed, SimRuntime, Simulation, Time};
use tokio::sync::mpsc;
use topologies::client;
use topologies::media::{ProbeSource, Scene, Stamped};
use topologies::member::{Access, Command};
use topologies::observe::Observatory;
use topologies::observe::shown::StreamKey;
use topologies::observe::warnings::worth_a_look;
use topologies::peer::capture::{self, Capture};
use topologies::peer::media::Media;
use topologies::peer::participant::ParticipantMedia;
use topologies::peer::{Context, Environment};
use topologies::server;
use topologies::world::{self, Hosts, Servers, SimConnector, SimEnvironment};
use topologies::{RunOptions, run};

/// How long every receiver's buffers hold what arrives.
pub const PLAYOUT: Duration = Duration::from_millis(60);
/// From any host to any other: 10 ms up and 10 ms down, always.
pub const ONE_WAY: Duration = Duration::from_millis(20);

pub fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

pub fn at(seconds: f64) -> Time {
    Time::ZERO + Duration::from_secs_f64(seconds)
}

fn link() -> LinkConfig {
    let pipe = PipeConfig {
        delay: ONE_WAY / 2,
        ..PipeConfig::default()
    };
    LinkConfig {
        up: pipe,
        down: pipe,
    }
}

/// A participant from start to end, with these NATs in front of it.
pub fn participant(index: u16, nats: Vec<NatConfig>) -> Participant {
    Participant {
        index,
        name: format!("peer-{index}"),
        group: "peer".to_owned(),
        nat_label: "custom".to_owned(),
        behind_same: None,
        nats,
        link: link(),
        link_label: "custom".to_owned(),
        network: Default::default(),
        device: Device::default(),
        sends: true,
        watches: None,
        camera: None,
        join: Duration::ZERO,
        leave: None,
    }
}

/// A call of `number` participants with public addresses, measured to second `end`.
pub fn plan(number: u16, end: f64) -> Plan {
    Plan {
        scenario: "mesh".to_owned(),
        topology: Topology::Mesh,
        variant: None,
        seed: Seed(1),
        participants: (0..number)
            .map(|index| participant(index, vec![]))
            .collect(),
        video: Some(VideoPlan {
            width: 160,
            height: 96,
            fps: 15,
            bitrate_bps: 100_000,
            playout_delay: PLAYOUT,
        }),
        audio: Some(AudioPlan {
            bitrate_bps: 24_000,
            playout_delay: PLAYOUT,
        }),
        congestion: CongestionPlan::default(),
        repair: scenarios::RepairPlan::default(),
        warmup: seconds(2.0),
        duration: seconds(end - 2.0),
        fidelity: Fidelity::Codec,
        costs: None,
        stack: StackPlan::tuned(),
        sfu: SfuPlan::default(),
        mcu: McuPlan::default(),
        data: Vec::new(),
        prices: scenarios::Prices::default(),
        events: Vec::new(),
        servers: ServersPlan {
            link: link(),
            link_label: "custom".to_owned(),
            signaling_link: None,
            signaling_delay: Duration::ZERO,
            ice: IcePlan::default(),
            nonce_lifetime: seconds(600.0),
            turn_credentials: Default::default(),
            ice_tcp: true,
            signaling: Device::server(),
            turn: Device::server(),
            media: Device::server(),
        },
    }
}

/// Runs a call.
pub fn call(plan: &Plan) -> CellRecord {
    run(plan, &RunOptions::default(), &|_| {})
        .expect("the plan can be run")
        .record
}

/// The video that participant `receiver` got from participant `sender`.
pub fn video(record: &CellRecord, sender: u16, receiver: u16) -> &StreamRecord {
    let name = |index| format!("peer-{index}");
    let is = |stream: &&StreamRecord| {
        stream.kind == Kind::Video
            && (&stream.sender, &stream.receiver) == (&name(sender), &name(receiver))
    };
    record.streams.iter().find(is).expect("they meet")
}

/// A world with its servers, whose participants are started one by one.
pub struct Lab {
    pub world: Simulation,
    pub hosts: Hosts,
    pub servers: Servers,
    pub plan: Arc<Plan>,
    pub observatory: Arc<Observatory>,
}

impl Lab {
    pub fn new(mut world: Simulation, plan: Plan) -> Self {
        let hosts = world::build_hosts(&mut world, &plan).expect("the plan fits");
        let servers = world::start_servers(&world, &hosts, &plan).expect("servers start");
        Lab {
            world,
            hosts,
            servers,
            plan: Arc::new(plan),
            observatory: Arc::new(Observatory::default()),
        }
    }

    /// A participant with a running camera and microphone, that does nothing yet.
    pub fn context(&self, index: u16) -> Context {
        let runtime = self
            .world
            .runtime(self.hosts.participants[usize::from(index)]);
        let environment: Arc<dyn Environment> = Arc::new(SimEnvironment::new(runtime, &self.plan));
        let devices = Arc::new(Capture::default());
        let context = Context {
            environment: Arc::clone(&environment),
            plan: Arc::clone(&self.plan),
            index,
            observatory: Arc::clone(&self.observatory),
            capture: Arc::clone(&devices),
            estimates: Arc::default(),
        };
        let start = Time::ZERO + self.plan.participants[usize::from(index)].join;
        let mut random = environment.random(&format!("devices/{index}"));
        if let Some(video) = &self.plan.video {
            let scene = Scene::new(&mut random, video.width as usize, video.height as usize);
            environment.runtime().spawn(Box::pin(capture::run_camera(
                Arc::clone(&environment),
                Arc::clone(&self.observatory),
                Arc::clone(&devices),
                (index, video.fps, start),
                Some(Box::new(Stamped::new(Box::new(scene), index))),
            )));
        }
        if self.plan.audio.is_some() {
            let source = ProbeSource::new(index, &mut random);
            let sound = capture::run_microphone(Arc::clone(&environment), devices, start, source);
            environment.runtime().spawn(Box::pin(sound));
        }
        context
    }

    /// Lets a participant live its part of the plan. It leaves early if the handle is dropped.
    pub fn participate(&self, index: u16) -> mpsc::UnboundedSender<Command> {
        let context = self.context(index);
        let runtime = self
            .world
            .runtime(self.hosts.participants[usize::from(index)]);
        let (sender, receiver) = mpsc::unbounded_channel();
        let leave = sender.downgrade();
        let access = self.access(runtime);
        let host = context.environment.runtime();
        let life = client::follow_schedule(context, access, receiver, leave);
        host.spawn(Box::pin(life));
        sender
    }

    /// Lets the SFU or the MCU live. It goes if the handle is dropped.
    pub fn serve(&self) -> mpsc::UnboundedSender<Command> {
        let host = self.hosts.media.expect("the call has a server");
        let runtime = self.world.runtime(host);
        let environment: Arc<dyn Environment> =
            Arc::new(SimEnvironment::new(runtime.clone(), &self.plan));
        let context = Context {
            environment: Arc::clone(&environment),
            plan: Arc::clone(&self.plan),
            index: world::media_server(&self.plan),
            observatory: Arc::clone(&self.observatory),
            capture: Arc::default(),
            estimates: Arc::default(),
        };
        let (sender, receiver) = mpsc::unbounded_channel();
        let life = server::serve(context, self.access(runtime), receiver);
        environment.runtime().spawn(Box::pin(life));
        sender
    }

    /// When the pictures of `sender` were shown to `receiver`, in order.
    pub fn shown(&self, sender: u16, receiver: u16) -> Vec<Time> {
        let key = StreamKey {
            sender,
            receiver,
            kind: Kind::Video,
        };
        let observations = self.observatory.lock();
        let log = observations.streams.get(&key);
        let shown = log.map(|log| log.shown.iter().map(|shown| shown.at));
        shown.into_iter().flatten().collect()
    }

    fn access(&self, runtime: SimRuntime) -> Access {
        Access {
            ice: self.servers.ice.clone(),
            signaling: Arc::new(SimConnector(runtime)),
        }
    }

    /// Ends the world; what the stack warned of that needs a look.
    pub fn finish(self) -> (Finished, Vec<String>) {
        drop(self.servers);
        let finished = self.world.finish();
        let warnings = worth_a_look(&finished.warnings);
        (finished, warnings)
    }
}

/// What a participant's connection with another one carries.
pub fn participant_media(context: &Context, remote: u16) -> Box<dyn Media> {
    Box::new(ParticipantMedia::new(context.clone(), remote))
}
