//! Faults of servers, clients and the network under `turmoil`: whatever happens, every client is
//! in its room again in bounded time, or says why not.

mod signaling_support;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use rand::RngExt;
use signaling_support::*;
use topologies::infra::signaling::backoff::Backoff;
use topologies::infra::signaling::{
    Candidate, ClientConfig, Connector, Event, Listener, Participant, SendError, ServerConfig,
    Session, Signal, SignalingClient, SignalingError, SignalingSender, SignalingServer, Stream,
    Timing,
};
use turmoil::Sim;
use turmoil::net::{TcpListener, TcpStream};

const CLIENTS: [&str; 4] = ["alice", "bob", "carol", "dave"];
const SEEDS: u64 = 6;
const PORT: u16 = 80;

/// How often a client sends to everybody it sees.
const CHATTER: Duration = Duration::from_millis(200);

/// Times that fit a test: attempts of 2 s with pauses of at most 1 s, for 20 s.
const TIMING: Timing = Timing {
    ping_interval: Duration::from_secs(1),
    silence_timeout: Duration::from_secs(3),
};

/// The server is slower to notice a silence than its clients are, so that they come back while it
/// still believes in their old connections: they have to replace them.
const SERVER_TIMING: Timing = Timing {
    ping_interval: Duration::from_secs(1),
    silence_timeout: Duration::from_secs(8),
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(100),
    max: Duration::from_secs(1),
};
const GIVE_UP: Duration = Duration::from_secs(20);

/// After the last fault: the loss is noticed (3 s), an attempt that began before it fails (2 s),
/// a pause (1 s) and an attempt (less than 1 s). And the same once more: `turmoil` does not
/// retransmit, so a connection that was made in a fault and lost a packet to it stays mute after
/// the fault, until its silence is noticed.
const RECOVERY: Duration = Duration::from_secs(14);

/// No attempt begins after 20 s, and one takes 2 s; the loss is noticed after 3 s.
const FAILURE: Duration = Duration::from_secs(20 + 2 + 3);

/// What a client knows of its room, written by its task and read by the test.
#[derive(Clone, Debug, Default, PartialEq)]
struct View {
    session: u32,
    connected: bool,
    others: BTreeSet<Participant>,
    failed: Option<SignalingError>,
    reconnects: u32,
    /// The numbers of what each incarnation sent, in the order of arrival.
    heard: BTreeMap<Participant, Vec<u64>>,
    /// How many connections were lost.
    losses: u32,
}

type Views = Arc<Mutex<BTreeMap<&'static str, View>>>;

struct TurmoilConnector;

struct TurmoilListener(TcpListener);

#[async_trait]
impl Connector for TurmoilConnector {
    async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        Ok(Box::new(TcpStream::connect(("server", PORT)).await?))
    }
}

#[async_trait]
impl Listener for TurmoilListener {
    async fn accept(&mut self) -> io::Result<(Box<dyn Stream>, SocketAddr)> {
        let (stream, address) = self.0.accept().await?;
        Ok((Box::new(stream), address))
    }
}

async fn serve() -> turmoil::Result {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?;
    let config = ServerConfig {
        timing: SERVER_TIMING,
        ..ServerConfig::default()
    };
    SignalingServer::new(runtime(), config)
        .serve(TurmoilListener(listener))
        .await?;
    Ok(())
}

/// A participant: a new incarnation with every start of its host, and always the same token.
async fn participate(who: &'static str, seed: u64, views: Views) -> turmoil::Result {
    let session = {
        let mut views = views.lock().unwrap();
        let view = views.entry(who).or_default();
        *view = View {
            session: view.session + 1,
            ..View::default()
        };
        view.session
    };
    let config = ClientConfig {
        token: Some(format!("token-of-{who}").parse()?),
        timing: TIMING,
        connect_timeout: CONNECT_TIMEOUT,
        backoff: BACKOFF,
        give_up_after: GIVE_UP,
        ..ClientConfig::new(name("room"), name(who), Session(session))
    };
    let rng = seeded(seed * 1000 + u64::from(session) * 10 + who.len() as u64);
    let mut client = SignalingClient::connect(Arc::new(TurmoilConnector), runtime(), rng, config);
    let sender = client.sender();
    let mut number = 0;
    let mut chatter = tokio::time::interval(CHATTER);
    loop {
        tokio::select! {
            biased;
            event = client.next() => {
                let Some(event) = event else { return Ok(()) };
                views.lock().unwrap().get_mut(who).unwrap().see(event);
            }
            _ = chatter.tick() => {
                let others = views.lock().unwrap()[who].others.clone();
                chat(&sender, &others, number);
                number += 1;
            }
        }
    }
}

fn chat(sender: &SignalingSender, others: &BTreeSet<Participant>, number: u64) {
    for other in others {
        let candidate = Candidate {
            candidate: number.to_string(),
            sdp_mid: None,
            sdp_mline_index: None,
            username_fragment: None,
        };
        match sender.send(other, Signal::Candidate(candidate)) {
            Ok(()) | Err(SendError::Closed) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

impl View {
    fn see(&mut self, event: Event) {
        match event {
            Event::Joined { participants, .. } => self.enter(participants),
            Event::Reconnected { participants } => {
                self.reconnects += 1;
                self.enter(participants);
            }
            Event::Reconnecting { .. } => {
                self.losses += 1;
                self.connected = false;
            }
            Event::TurnCredentials(_) => panic!("this server has no credentials to issue"),
            Event::PeerJoined(participant) => {
                assert!(
                    self.others.insert(participant),
                    "joined twice without leaving"
                );
            }
            Event::PeerLeft { participant, .. } => {
                assert!(
                    self.others.remove(&participant),
                    "left without having joined"
                );
            }
            Event::Signal {
                from,
                signal: Signal::Candidate(candidate),
            } => {
                assert!(self.others.contains(&from), "{from:?} is not in the room");
                self.heard
                    .entry(from)
                    .or_default()
                    .push(candidate.candidate.parse().unwrap());
            }
            Event::Error { code, .. } => assert!(!code.is_fatal()),
            Event::Failed(error) => {
                self.connected = false;
                self.failed = Some(error);
            }
            Event::Signal { .. } => panic!("nobody sends offers or answers here"),
        }
    }

    fn enter(&mut self, participants: Vec<Participant>) {
        self.connected = true;
        self.others = participants.into_iter().collect();
    }
}

/// A world of a server and its clients, 1 to 20 ms apart.
struct World {
    sim: Sim<'static>,
    views: Views,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut sim = turmoil::Builder::new()
            .rng_seed(seed)
            .tick_duration(Duration::from_millis(5))
            .simulation_duration(Duration::from_secs(600))
            .min_message_latency(Duration::from_millis(1))
            .max_message_latency(Duration::from_millis(20))
            .build();
        let views = Views::default();
        sim.host("server", serve);
        for who in CLIENTS {
            let views = views.clone();
            sim.host(who, move || participate(who, seed, views.clone()));
        }
        let mut world = World { sim, views };
        world.run(Duration::from_secs(2));
        world.assert_together("at first");
        world
    }

    fn run(&mut self, duration: Duration) {
        let end = self.sim.elapsed() + duration;
        while self.sim.elapsed() < end {
            self.sim.step().unwrap();
        }
    }

    fn view(&self, who: &str) -> View {
        self.views.lock().unwrap()[who].clone()
    }

    /// Every client is in the room, and sees exactly the current incarnations of the others.
    fn assert_together(&self, when: &str) {
        let views = self.views.lock().unwrap().clone();
        let everybody: BTreeSet<_> = views
            .iter()
            .map(|(who, view)| participant(who, view.session))
            .collect();
        assert_eq!(everybody.len(), CLIENTS.len());
        for (who, view) in &views {
            assert_eq!(view.failed, None, "{who} {when}");
            assert!(view.connected, "{who} is not connected {when}");
            let mut others = everybody.clone();
            others.remove(&participant(who, view.session));
            assert_eq!(view.others, others, "{who} {when}");
        }
    }

    /// Everybody hears everybody else in the order of sending, and hears them now.
    fn assert_talking(&mut self) {
        let before = self.views.lock().unwrap().clone();
        self.run(CHATTER * 3);
        for who in CLIENTS {
            let view = self.view(who);
            for other in &view.others {
                let now = view.heard.get(other).map_or(0, Vec::len);
                let then = before[who].heard.get(other).map_or(0, Vec::len);
                assert!(now > then, "{who} does not hear {other:?}");
            }
            for (other, heard) in &view.heard {
                let ordered = heard.windows(2).all(|pair| pair[0] < pair[1]);
                assert!(ordered, "{who} heard {other:?} out of order: {heard:?}");
            }
        }
    }

    fn assert_recovers(&mut self, from: &str) {
        self.run(RECOVERY);
        self.assert_together(from);
        self.assert_talking();
    }
}

/// A world with a random moment and a random length for the fault, of at most `longest`.
fn worlds(longest: Duration) -> impl Iterator<Item = (World, Duration)> {
    (0..SEEDS).map(move |seed| {
        let mut world = World::new(seed);
        let mut rng = seeded(seed);
        world.run(Duration::from_millis(rng.random_range(0..1500)));
        let length = longest.mul_f64(rng.random_range(0.05..=1.0));
        (world, length)
    })
}

/// Short enough that no client gives up: one that begins its last pause of 1 s after it comes
/// back before 20 s.
const SHORT: Duration = Duration::from_secs(12);

#[test]
fn the_room_survives_a_bounce_of_the_server() {
    for (mut world, _) in worlds(SHORT) {
        world.sim.bounce("server");
        world.assert_recovers("a bounce");
        assert!(CLIENTS.iter().all(|who| world.view(who).reconnects > 0));
    }
}

#[test]
fn the_room_survives_a_crash_of_the_server() {
    for (mut world, length) in worlds(SHORT) {
        world.sim.crash("server");
        world.run(length);
        world.sim.bounce("server");
        world.assert_recovers("a crash");
        assert!(CLIENTS.iter().all(|who| world.view(who).reconnects > 0));
    }
}

#[test]
fn without_a_server_every_client_says_so() {
    for (mut world, _) in worlds(SHORT) {
        world.sim.crash("server");
        world.run(FAILURE);
        for who in CLIENTS {
            let failed = world.view(who).failed;
            assert!(
                matches!(failed, Some(SignalingError::Unreachable { .. })),
                "{who}: {failed:?}"
            );
        }
    }
}

#[test]
fn the_room_survives_a_partition_of_one_client() {
    for (mut world, length) in worlds(SHORT) {
        world.sim.partition("server", "bob");
        world.run(length);
        world.sim.repair("server", "bob");
        world.assert_recovers("a partition");
    }
}

#[test]
fn a_partitioned_client_leaves_the_view_of_the_others() {
    // The server gives bob up 8 s after it last heard of him, which is 0 to 220 ms (his chatter
    // and its way) before the partition; the others are told in another 20 ms. They stay
    // connected throughout.
    let mut world = World::new(1);
    world.sim.partition("server", "bob");
    world.run(Duration::from_millis(7760));
    assert!(world.view("alice").others.contains(&participant("bob", 1)));
    world.run(Duration::from_millis(290));
    for who in ["alice", "carol", "dave"] {
        let view = world.view(who);
        assert!(!view.others.contains(&participant("bob", 1)), "{who}");
        assert_eq!((view.others.len(), view.losses), (2, 0), "{who}");
    }
    assert_eq!(world.view("bob").losses, 1);
    world.sim.repair("server", "bob");
    world.assert_recovers("a partition");
}

#[test]
fn the_room_survives_a_one_way_partition() {
    for (mut world, length) in worlds(SHORT) {
        world.sim.partition_oneway("server", "carol");
        world.run(length);
        world.sim.repair_oneway("server", "carol");
        world.assert_recovers("a one-way partition");
    }
}

#[test]
fn the_room_survives_a_partition_of_everybody() {
    for (mut world, length) in worlds(SHORT) {
        CLIENTS
            .iter()
            .for_each(|who| world.sim.partition("server", *who));
        world.run(length);
        CLIENTS
            .iter()
            .for_each(|who| world.sim.repair("server", *who));
        world.assert_recovers("a partition of everybody");
    }
}

#[test]
fn a_short_hold_loses_nothing() {
    // Packets that are held for less than the 3 s of silence, the last of which may have been a
    // ping 1 s before, arrive late, and no connection ends.
    for (mut world, length) in worlds(Duration::from_millis(1900)) {
        world.sim.hold("server", "dave");
        world.run(length);
        world.sim.release("server", "dave");
        world.assert_recovers("a hold");
        assert!(CLIENTS.iter().all(|who| world.view(who).losses == 0));
        let heard = &world.view("alice").heard[&participant("dave", 1)];
        let without_gap = heard.windows(2).all(|pair| pair[1] == pair[0] + 1);
        assert!(without_gap, "{heard:?}");
    }
}

#[test]
fn the_room_survives_a_long_hold() {
    // What was held includes the end of the old connection; it arrives after the new one exists.
    for (mut world, length) in worlds(SHORT) {
        world.sim.hold("server", "dave");
        world.run(length + TIMING.silence_timeout);
        world.sim.release("server", "dave");
        world.assert_recovers("a long hold");
    }
}

#[test]
fn a_crashed_client_comes_back_as_a_new_incarnation() {
    for (mut world, length) in worlds(SHORT) {
        world.sim.crash("alice");
        world.run(length);
        world.sim.bounce("alice");
        world.assert_recovers("a crash of a client");
        assert!(world.view("bob").others.contains(&participant("alice", 2)));
    }
}

/// The faults of a bad day, in random order, one before the other is mended.
fn bad_day(seed: u64) -> World {
    let mut world = World::new(seed);
    let mut rng = seeded(seed);
    for _ in 0..12 {
        let who = CLIENTS[rng.random_range(0..CLIENTS.len())];
        match rng.random_range(0..6) {
            0 => world.sim.bounce("server"),
            1 => world.sim.bounce(who),
            2 => world.sim.partition("server", who),
            3 => world.sim.repair("server", who),
            4 => world.sim.hold("server", who),
            _ => world.sim.release("server", who),
        }
        world.run(Duration::from_millis(rng.random_range(0..800)));
    }
    for who in CLIENTS {
        world.sim.repair("server", who);
        world.sim.release("server", who);
    }
    world
}

#[test]
fn the_room_survives_everything_in_a_row() {
    for seed in 0..SEEDS * 2 {
        bad_day(seed).assert_recovers(&format!("a bad day with seed {seed}"));
    }
}

#[test]
fn a_seed_is_replayed() {
    // Who heard what, in which order, and every reconnect; another seed has other faults.
    let replay = |seed| {
        let mut world = bad_day(seed);
        world.run(RECOVERY);
        CLIENTS.map(|who| world.view(who))
    };
    assert_eq!(replay(1), replay(1));
    assert_ne!(replay(1), replay(2));
}
