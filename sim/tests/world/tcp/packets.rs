//! Streams that carry packets, as the WebRTC stack uses them for ICE-TCP.

use std::net::SocketAddr;
use std::time::Duration;

use sim::packet::ICE_TCP_PORT;
use sim::runtime::{SimTcpListener, SimTcpStream};
use sim::{CpuConfig, HostConfig, LinkConfig, Seed, SimRuntime, Simulation, Time, Work, simulate};
use webrtc::runtime::{AsyncTcpListener, AsyncTcpStream, Runtime};

use super::{LONG, SERVER};
use crate::fixture::{delay, endpoint, host_on, spawn};

const CLIENT: [u8; 4] = [198, 51, 100, 2];
const MS: Duration = Duration::from_millis(1);

/// The views of a server and of a client with a CPU whose packets take 1 ms out and 100 ms in.
fn world(world: &mut Simulation) -> [SimRuntime; 2] {
    let link = LinkConfig::symmetric(delay(10 * MS));
    let server = world.add_host(host_on("server", SERVER, link)).unwrap();
    let cpu = CpuConfig {
        cores: 1,
        speed: 1.0,
        backlog: 10_000 * MS,
        packet_send: MS,
        packet_receive: 100 * MS,
    };
    let client = HostConfig {
        cpu: Some(cpu),
        ..host_on("client", CLIENT, link)
    };
    let client = world.add_host(client).unwrap();
    [server, client].map(|host| world.runtime(host))
}

#[test]
fn a_packet_that_finds_no_room_is_left_out_whole() {
    // All at once, before anything can leave: 65 packets of 1,000 bytes fit into the 65,536 bytes
    // that a stack keeps, and of the 66th one 536 bytes, so that its rest is waited for. The other
    // 34 are left out, and a later one comes after them.
    let read = simulate(Seed(1), |mut sim| {
        let [server, client] = world(&mut sim);
        let view = server.clone();
        let read = spawn(&server, async move {
            let listener = SimTcpListener::bind(&view, ICE_TCP_PORT).unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            let (mut all, mut buffer) = (Vec::new(), [0; 4_096]);
            while all.len() < 67_000 {
                let length = stream.read(&mut buffer).await.unwrap();
                all.extend_from_slice(&buffer[..length]);
            }
            all
        });
        let view = client.clone();
        spawn(&client, async move {
            let server = endpoint(SERVER, ICE_TCP_PORT);
            let stream = SimTcpStream::connect(&view, server).await.unwrap();
            for number in 0..100 {
                stream.write_all(&[number; 1_000]).await.unwrap();
            }
            // Whoever reads sees to the rest of the packet.
            let reading = view.sleep(5_000 * MS);
            let mut byte = [0];
            tokio::select! {
                biased;
                _ = stream.read(&mut byte) => unreachable!("the server says nothing"),
                () = reading => {}
            }
            stream.write_all(&[200; 1_000]).await.unwrap();
            view.sleep(5_000 * MS).await;
        });
        sim.run_until(LONG);
        read.try_recv().unwrap()
    });
    let numbers: Vec<u8> = read.chunks(1_000).map(|packet| packet[0]).collect();
    assert!(
        read.chunks(1_000)
            .all(|packet| packet == [packet[0]; 1_000])
    );
    assert_eq!(numbers, (0..66).chain([200]).collect::<Vec<_>>());
}

#[test]
fn a_listener_of_the_stack_is_one_of_the_world() {
    // The stack binds a listener of the machine and hands it over (`Runtime::wrap_tcp_listener`).
    // 198.51.100.1 (TEST-NET-2, RFC 5737) is no address of this machine.
    simulate(Seed(1), |mut sim| {
        let [server, client] = world(&mut sim);
        let target = SocketAddr::V4(endpoint(SERVER, ICE_TCP_PORT));
        let view = server.clone();
        let met = spawn(&server, async move {
            let real = std::net::TcpListener::bind(target).unwrap();
            let listener = view.wrap_tcp_listener(real).unwrap();
            assert_eq!(listener.local_addr().unwrap(), target);
            let (stream, peer) = listener.accept().await.unwrap();
            assert_eq!(stream.local_addr().unwrap(), target);
            assert_eq!(stream.peer_addr().unwrap(), peer);
            peer
        });
        let view = client.clone();
        let own = spawn(&client, async move {
            let stream = view.connect_tcp(target).await.unwrap();
            assert_eq!(stream.peer_addr().unwrap(), target);
            stream.local_addr().unwrap()
        });
        sim.run_until(Time::from_millis(1_000));
        assert_eq!(met.try_recv().unwrap(), own.try_recv().unwrap());
    });
}

#[test]
fn data_at_the_port_of_ice_tcp_takes_cpu_and_other_tcp_does_not() {
    // One segment with data out and one in: 1 + 100 ms. What has no data is free.
    for (port, busy) in [(ICE_TCP_PORT, Some(101 * MS)), (8_080, None)] {
        let usage = simulate(Seed(1), |mut sim| {
            let [server, client] = world(&mut sim);
            let view = server.clone();
            spawn(&server, async move {
                let listener = SimTcpListener::bind(&view, port).unwrap();
                let (stream, _) = listener.accept().await.unwrap();
                stream.read(&mut [0; 10]).await.unwrap();
                stream.write_all(b"answer").await.unwrap();
                view.sleep(500 * MS).await;
            });
            let view = client.clone();
            let host = client.host();
            spawn(&client, async move {
                let server = endpoint(SERVER, port);
                let stream = SimTcpStream::connect(&view, server).await.unwrap();
                stream.write_all(b"question").await.unwrap();
                stream.read(&mut [0; 10]).await.unwrap();
            });
            sim.run_until(Time::from_millis(400));
            sim.network(|network| network.cpu_usage(host).unwrap().clone())
        });
        assert_eq!(usage.busy().get(&Work::Transport).copied(), busy);
    }
}
