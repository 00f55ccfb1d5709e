//! The TURN server on real loopback sockets: the same code as in the simulator, another runtime.

mod turn_support;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use topologies::infra::turn::{Direction, RelayPorts, RuntimeSockets, TurnServeError, TurnServer};
use turn_support::*;
use webrtc::runtime::{Runtime, TokioRuntime};

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Bounds a test that would otherwise hang; nothing waits for it when all is well.
const HANG: Duration = Duration::from_secs(20);

fn serve_on(ip: IpAddr) -> Result<TurnServer, TurnServeError> {
    let runtime: Arc<dyn Runtime> = Arc::new(TokioRuntime);
    let control = runtime
        .wrap_udp_socket(UdpSocket::bind((ip, 0)).unwrap())
        .unwrap();
    let relays = Arc::new(RuntimeSockets::new(runtime.clone(), LOCALHOST));
    TurnServer::serve(runtime, control, relays, &config(), RelayPorts::default())
}

struct Endpoint(tokio::net::UdpSocket);

impl Endpoint {
    async fn new() -> Self {
        Endpoint(tokio::net::UdpSocket::bind((LOCALHOST, 0)).await.unwrap())
    }

    fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    async fn send(&self, to: SocketAddr, data: &[u8]) {
        self.0.send_to(data, to).await.unwrap();
    }

    async fn receive(&self) -> (SocketAddr, Vec<u8>) {
        let mut buffer = [0; 2048];
        let received = tokio::time::timeout(HANG, self.0.recv_from(&mut buffer));
        let (length, from) = received.await.expect("nothing was received").unwrap();
        (from, buffer[..length].to_vec())
    }

    async fn request(&self, server: SocketAddr, request: &[u8]) -> Reply {
        self.send(server, request).await;
        let (from, response) = self.receive().await;
        assert_eq!(from, server);
        Reply(response)
    }
}

#[tokio::test]
async fn relays_between_sockets() {
    let turn = serve_on(LOCALHOST).unwrap();
    let (client, peer) = (Endpoint::new().await, Endpoint::new().await);
    let challenge = client.request(turn.address(), &allocate(None)).await;
    let credentials = Credentials::from_challenge(&challenge);
    let relayed = client
        .request(turn.address(), &allocate(Some(&credentials)))
        .await
        .relayed();
    assert_eq!(relayed.ip(), LOCALHOST);
    let bind = channel_bind(&credentials, CHANNEL, peer.address());
    assert_eq!(client.request(turn.address(), &bind).await.error(), None);

    // All at once, and more than the driver reads from one socket in one turn, which is 64.
    for number in 0..100_u8 {
        client
            .send(turn.address(), &channel_data(CHANNEL, &[number]))
            .await;
    }
    for number in 0..100_u8 {
        assert_eq!(peer.receive().await, (relayed, vec![number]));
    }
    peer.send(relayed, b"back").await;
    assert_eq!(
        client.receive().await,
        (turn.address(), channel_data(CHANNEL, b"back"))
    );

    // 100 payloads of 1 byte and one of 4; headers 28, ChannelData 4.
    let relayed_bytes = turn.counters().relayed;
    let to_peers = Direction {
        packets: 100,
        payload_bytes: 100,
        wire_bytes_in: 100 * 33,
        wire_bytes_out: 100 * 29,
    };
    assert_eq!(relayed_bytes.to_peers, to_peers);
    let to_clients = Direction {
        packets: 1,
        payload_bytes: 4,
        wire_bytes_in: 32,
        wire_bytes_out: 36,
    };
    assert_eq!(relayed_bytes.to_clients, to_clients);

    // Deleting the allocation closes its socket: the port can be bound again.
    let deleted = client
        .request(turn.address(), &refresh(&credentials, Some(0)))
        .await;
    assert_eq!(deleted.lifetime(), 0);
    UdpSocket::bind(relayed).unwrap();
}

#[tokio::test]
async fn two_relays_of_one_server_reach_each_other() {
    // What ICE does when both peers have only relay candidates.
    let turn = serve_on(LOCALHOST).unwrap();
    let ends = [Endpoint::new().await, Endpoint::new().await];
    let mut sessions = Vec::new();
    for end in &ends {
        let challenge = end.request(turn.address(), &allocate(None)).await;
        let credentials = Credentials::from_challenge(&challenge);
        let reply = end
            .request(turn.address(), &allocate(Some(&credentials)))
            .await;
        sessions.push((credentials, reply.relayed()));
    }
    for (end, own, other) in [(&ends[0], 0, 1), (&ends[1], 1, 0)] {
        let bind = channel_bind(&sessions[own].0, CHANNEL, sessions[other].1);
        assert_eq!(end.request(turn.address(), &bind).await.error(), None);
    }
    ends[0]
        .send(turn.address(), &channel_data(CHANNEL, b"across"))
        .await;
    assert_eq!(ends[1].receive().await.1, channel_data(CHANNEL, b"across"));
}

#[tokio::test]
async fn relays_need_a_real_address() {
    let unspecified = serve_on(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    assert!(matches!(unspecified, Err(TurnServeError::Unspecified(_))));
}
