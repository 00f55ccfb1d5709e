//! A seed repeats a run: again, beside another run, and in another process.

use std::collections::HashMap;
use std::fmt::Write;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::Rng;
use sim::host::tcp::{TcpListener, TcpStream};
use sim::trace::digest::Digest;
use sim::{
    Behavior, JitterConfig, LinkConfig, LossConfig, NatConfig, PipeConfig, PortAssignment, Reorder,
    Seed, SimRuntime, Simulation, Time, simulate,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use webrtc::runtime::{AsyncUdpSocket, Runtime};

use crate::fixture::{delay, endpoint, host, host_on, nat, spawn};

/// Set for a child process: the seed that it is to run.
const CHILD: &str = "RTCLAB_TEST_SEED";
/// Stands before the result of a child, on a line of its own.
const MARK: &str = "result of the child: ";

const ECHO: [u8; 4] = [203, 0, 113, 1];
const PORT: u16 = 4_000;
const CLIENTS: u8 = 4;

/// What happened in a run that uses everything that could differ from run to run.
fn run(seed: u64) -> String {
    simulate(Seed(seed), |mut world| {
        let digest = Arc::new(Mutex::new(Digest::default()));
        world.network(|network| network.add_tap(Box::new(Arc::clone(&digest))));
        let log = Arc::new(Mutex::new(String::new()));
        let server = world.add_host(host_on("echo", ECHO, rough())).unwrap();
        let server = world.runtime(server);
        spawn(&server.clone(), echo(server.clone()));
        spawn(&server.clone(), read_all(server.clone()));
        for (number, client) in clients(&mut world).into_iter().enumerate() {
            spawn(
                &client.clone(),
                chat(client.clone(), number, Arc::clone(&log)),
            );
            spawn(&client.clone(), stream(client));
        }
        world.run_until(Time::from_millis(20_000));
        let digest = digest.lock().unwrap().hex();
        let counters = world.finish().counters;
        let log = log.lock().unwrap();
        format!("{digest} {counters:?} {log}")
    })
}

/// Loss, jitter and reordering.
fn rough() -> LinkConfig {
    LinkConfig::symmetric(PipeConfig {
        rate_bps: Some(5_000_000),
        jitter: JitterConfig {
            std: Duration::from_millis(5),
            reorder: Reorder::Allow,
        },
        loss: LossConfig::Bernoulli { probability: 0.05 },
        ..delay(Duration::from_millis(10))
    })
}

fn clients(world: &mut Simulation) -> Vec<SimRuntime> {
    let symmetric = NatConfig {
        ports: PortAssignment::Random,
        ..nat(
            Behavior::AddressAndPortDependent,
            Behavior::AddressAndPortDependent,
        )
    };
    let external = [203, 0, 113, 2].into();
    let gateway = world.add_gateway(symmetric, external, None).unwrap();
    let client = |number| {
        let mut config = host(
            &format!("client {number}"),
            [10, 0, 0, number],
            Some(gateway),
        );
        config.link = rough();
        let id = world.add_host(config).unwrap();
        world.runtime(id)
    };
    (1..=CLIENTS).map(client).collect()
}

async fn echo(runtime: SimRuntime) {
    let socket = runtime.bind_udp(PORT).unwrap();
    let mut buffer = [0; 1_500];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
        socket.send_to(&buffer[..length], from).await.unwrap();
    }
}

async fn read_all(runtime: SimRuntime) {
    let listener = TcpListener::bind(&runtime, PORT).await.unwrap();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        spawn(&runtime, async move {
            stream.read_to_end(&mut Vec::new()).await.map(drop)
        });
    }
}

async fn stream(runtime: SimRuntime) {
    let target = endpoint(ECHO, PORT);
    let Ok(mut stream) = TcpStream::connect(&runtime, target).await else {
        return;
    };
    let mut data = vec![0; 10_000];
    ambient_random(&mut data);
    // The link may be too bad for it, in the same way every time.
    let _ = stream.write_all(&data).await;
}

/// Sends what only chance decides, at moments that only chance decides, and writes down what
/// comes back and when.
async fn chat(runtime: SimRuntime, number: usize, log: Arc<Mutex<String>>) {
    let socket = runtime.bind_udp(0).unwrap();
    let mut buffer = [0; 1_500];
    for round in 0..50_u64 {
        let mut draw = [0; 8];
        ambient_random(&mut draw);
        let message = format!("{round} {draw:?} {:?} {:?}", hash_order(), time_of_day());
        let target = endpoint(ECHO, PORT).into();
        socket.send_to(message.as_bytes(), target).await.unwrap();
        let pause = Duration::from_nanos(u64::from_le_bytes(draw) % 50_000_000);
        let answer = socket.recv_from(&mut buffer);
        let heard = webrtc::runtime::timeout(&runtime, pause, answer).await;
        let heard =
            heard.map(|result| String::from_utf8_lossy(&buffer[..result.unwrap().0]).into_owned());
        writeln!(log.lock().unwrap(), "{} {number} {heard:?}", runtime.time()).unwrap();
    }
}

/// What a library gets that asks for randomness without being given any.
#[allow(clippy::disallowed_methods)]
fn ambient_random(buffer: &mut [u8]) {
    rand::rng().fill_bytes(buffer);
}

/// The order in which a map with the standard library's random keys iterates.
fn hash_order() -> Vec<u32> {
    let map: HashMap<u32, ()> = (0..20).map(|key| (key, ())).collect();
    map.into_keys().collect()
}

#[allow(clippy::disallowed_methods)]
fn time_of_day() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

#[test]
fn a_seed_repeats_and_another_one_differs() {
    let first = run(1);
    assert_eq!(run(1), first);
    assert_ne!(run(2), first);
}

#[test]
fn what_else_the_process_runs_makes_no_difference() {
    // Three runs of the seed beside each other and beside three of other seeds.
    let alone = run(1);
    let runs = [1, 5, 1, 6, 7, 1].map(|seed| (seed, thread::spawn(move || run(seed))));
    for (seed, handle) in runs {
        let beside = handle.join().unwrap();
        assert_eq!(beside == alone, seed == 1, "seed {seed}");
    }
}

#[test]
fn another_process_repeats_it() {
    if let Ok(seed) = std::env::var(CHILD) {
        let result = run(seed.parse().unwrap());
        println!("\n{MARK}{result:?}");
        return;
    }
    assert_eq!(in_a_child(1), format!("{:?}", run(1)));
    assert_ne!(in_a_child(2), format!("{:?}", run(1)));
}

fn in_a_child(seed: u64) -> String {
    let name = format!("{}::another_process_repeats_it", module_path!());
    let (_, name) = name.split_once("::").unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, seed.to_string())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let result = text.lines().find_map(|line| line.strip_prefix(MARK));
    result
        .unwrap_or_else(|| panic!("no result in {text}"))
        .into()
}

#[test]
fn every_source_of_chance_is_in_the_run() {
    // Were one of them left out, the tests above would prove less than they say: all messages of
    // a run are distinct, and each of chance, hash order and time of day changes with the seed or
    // with time.
    let draw = |seed| {
        simulate(Seed(seed), |mut world| {
            let host = world.add_host(host("alone", ECHO, None)).unwrap();
            let runtime = world.runtime(host);
            let drawn = spawn(&runtime.clone(), async move {
                runtime.sleep(Duration::from_millis(1_500)).await;
                let mut bytes = [0; 32];
                ambient_random(&mut bytes);
                (bytes, hash_order(), time_of_day())
            });
            world.run_until(Time::from_millis(2_000));
            drawn.try_recv().unwrap()
        })
    };
    let (one, two) = (draw(1), draw(2));
    assert_eq!(one, draw(1));
    assert_ne!(one.0, two.0);
    assert_ne!(one.1, two.1);
    // 2026-01-01 00:00:00 UTC is 56 years of 365 days and 14 leap days after 1970.
    let epoch = Duration::from_secs((56 * 365 + 14) * 24 * 3_600);
    assert_eq!(sim::entropy::EPOCH, epoch);
    assert_eq!(one.2, epoch + Duration::from_millis(1_500));
}
