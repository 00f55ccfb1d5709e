//! STUN on the wire: a server with two addresses and two ports (RFC 5780 section 6), and a prober
//! that finds out what a NAT does. It knows RFC 4787 and RFC 5780 and nothing of the emulator.

use std::net::{SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use sim::runtime::SimUdpSocket;
use sim::{SimRuntime, Time};
use stun_proto::types::attribute::{
    AttributeType, MappedSocketAddr, RawAttribute, XorMappedAddress,
};
use stun_proto::types::message::{BINDING, Message, MessageClass, MessageWriteVec};
use stun_proto::types::prelude::*;
use webrtc::runtime::{AsyncUdpSocket, Runtime, timeout};

// RFC 5780 section 7.
const CHANGE_REQUEST: AttributeType = AttributeType::new(0x0003);
const RESPONSE_PORT: AttributeType = AttributeType::new(0x0027);
const RESPONSE_ORIGIN: AttributeType = AttributeType::new(0x802b);
const OTHER_ADDRESS: AttributeType = AttributeType::new(0x802c);
const CHANGE_IP: u8 = 0x04;
const CHANGE_PORT: u8 = 0x02;

/// The default port of RFC 8489 section 18.6, and another one.
const PORTS: [u16; 2] = [3_478, 3_479];

/// How long a prober waits; longer than any round trip of these worlds.
const PATIENCE: Duration = Duration::from_secs(1);

/// The sockets of a server, by address and port. That all its tasks have all of them is the
/// channel between its two hosts, which RFC 5780 leaves to the implementation.
type Corners = [[SimUdpSocket; 2]; 2];

/// Starts a server on two hosts and returns its primary endpoint.
pub fn serve(hosts: [SimRuntime; 2]) -> SocketAddrV4 {
    let corners = hosts
        .each_ref()
        .map(|host| PORTS.map(|port| host.bind_udp(port).unwrap()));
    let primary = corners[0][0].endpoint();
    let corners = Arc::new(corners);
    for (address, host) in hosts.iter().enumerate() {
        for port in 0..PORTS.len() {
            host.spawn(Box::pin(answer(Arc::clone(&corners), address, port)));
        }
    }
    primary
}

async fn answer(corners: Arc<Corners>, address: usize, port: usize) {
    let mut buffer = [0; 1_500];
    loop {
        let (length, from) = corners[address][port].recv_from(&mut buffer).await.unwrap();
        let Ok(request) = Message::from_bytes(&buffer[..length]) else {
            continue;
        };
        if !request.has_method(BINDING) || !request.has_class(MessageClass::Request) {
            continue;
        }
        let value = |kind| request.raw_attribute(kind).map(|raw| raw.value.to_vec());
        let change = value(CHANGE_REQUEST).map_or(0, |flags| flags[3]);
        let flip = |corner: usize, flag| corner ^ usize::from(change & flag != 0);
        let origin = &corners[flip(address, CHANGE_IP)][flip(port, CHANGE_PORT)];
        let other = corners[1 - address][1 - port].endpoint();
        let to = value(RESPONSE_PORT).map_or(from, |port| {
            SocketAddr::new(from.ip(), u16::from_be_bytes([port[0], port[1]]))
        });
        let reply = success(&request, from, origin.endpoint(), other);
        origin.send_to(&reply, to).await.unwrap();
    }
}

fn success(
    request: &Message<'_>,
    mapped: SocketAddr,
    origin: SocketAddrV4,
    other: SocketAddrV4,
) -> Vec<u8> {
    let mut reply = Message::builder_success(request, MessageWriteVec::new());
    let mapped = XorMappedAddress::new(mapped, request.transaction_id());
    let origin = MappedSocketAddr::new(origin.into());
    let other = MappedSocketAddr::new(other.into());
    reply.add_attribute(&mapped).unwrap();
    reply
        .add_attribute(&origin.to_raw(RESPONSE_ORIGIN))
        .unwrap();
    reply.add_attribute(&other.to_raw(OTHER_ADDRESS)).unwrap();
    reply.finish()
}

/// What a behaviour was found to depend on (RFC 4787 sections 4.1 and 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependence {
    Nothing,
    Address,
    AddressAndPort,
}

/// What a server answered.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// The source of the request, as the server saw it.
    pub mapped: SocketAddrV4,
    /// The server's other address and port.
    pub other: SocketAddrV4,
    /// Where the answer came from, as seen here.
    pub from: SocketAddrV4,
}

/// A socket that speaks STUN.
pub struct Client {
    runtime: SimRuntime,
    pub socket: SimUdpSocket,
}

impl Client {
    /// A client on a port that was not used before.
    pub fn new(runtime: &SimRuntime) -> Self {
        Client {
            runtime: runtime.clone(),
            socket: runtime.bind_udp(0).unwrap(),
        }
    }

    /// Asks and waits for the answer; `None` if there is none.
    pub async fn ask(&self, server: SocketAddrV4) -> Option<Answer> {
        self.ask_with(server, &[]).await
    }

    /// Asks to be answered from another address or port, as the flags of CHANGE-REQUEST say.
    async fn ask_change(&self, server: SocketAddrV4, flags: u8) -> Option<Answer> {
        let change = RawAttribute::new(CHANGE_REQUEST, &[0, 0, 0, flags]).into_owned();
        self.ask_with(server, &[change]).await
    }

    async fn ask_with(&self, server: SocketAddrV4, with: &[RawAttribute<'_>]) -> Option<Answer> {
        let request = self.request(server, with).await;
        let request = Message::from_bytes(&request).unwrap();
        timeout(&self.runtime, PATIENCE, self.answer(&request))
            .await
            .ok()
    }

    /// Asks for an answer to another port of this client's external address.
    pub async fn ask_for_port(&self, server: SocketAddrV4, port: u16) {
        let [high, low] = port.to_be_bytes();
        let port = RawAttribute::new(RESPONSE_PORT, &[high, low, 0, 0]).into_owned();
        self.request(server, &[port]).await;
    }

    async fn request(&self, server: SocketAddrV4, with: &[RawAttribute<'_>]) -> Vec<u8> {
        let mut request = Message::builder_request(BINDING, MessageWriteVec::new());
        for attribute in with {
            request.add_attribute(attribute).unwrap();
        }
        let request = request.finish();
        self.socket.send_to(&request, server.into()).await.unwrap();
        request
    }

    async fn answer(&self, request: &Message<'_>) -> Answer {
        let mut buffer = [0; 1_500];
        loop {
            let (length, from) = self.socket.recv_from(&mut buffer).await.unwrap();
            let reply = Message::from_bytes(&buffer[..length]).unwrap();
            if reply.transaction_id() != request.transaction_id() || !reply.is_response() {
                continue;
            }
            let mapped: XorMappedAddress = reply.attribute().unwrap();
            let other = reply.raw_attribute(OTHER_ADDRESS).unwrap();
            let other = MappedSocketAddr::from_raw(&other).unwrap();
            return Answer {
                mapped: v4(mapped.addr(reply.transaction_id())),
                other: v4(other.addr()),
                from: v4(from),
            };
        }
    }

    /// Who sends the next STUN message to this socket; `None` if nobody does.
    pub async fn hear(&self) -> Option<SocketAddrV4> {
        let mut buffer = [0; 1_500];
        let heard = timeout(&self.runtime, PATIENCE, self.socket.recv_from(&mut buffer)).await;
        let (length, from) = heard.ok()?.unwrap();
        Message::from_bytes(&buffer[..length]).unwrap();
        Some(v4(from))
    }
}

fn v4(endpoint: SocketAddr) -> SocketAddrV4 {
    match endpoint {
        SocketAddr::V4(endpoint) => endpoint,
        SocketAddr::V6(endpoint) => panic!("{endpoint} in a world of IPv4"),
    }
}

/// Finds out what is between its host and a server.
#[derive(Clone)]
pub struct Prober {
    pub runtime: SimRuntime,
    pub server: SocketAddrV4,
}

impl Prober {
    pub fn client(&self) -> Client {
        Client::new(&self.runtime)
    }

    /// RFC 5780 section 4.3: whether one socket has one mapping for the server's primary endpoint,
    /// its other address, and the other port there. `None` without an answer.
    pub async fn mapping(&self) -> Option<Dependence> {
        let client = self.client();
        let first = client.ask(self.server).await?;
        let other_address = SocketAddrV4::new(*first.other.ip(), self.server.port());
        let second = client.ask(other_address).await?;
        if first.mapped == second.mapped {
            return Some(Dependence::Nothing);
        }
        let third = client.ask(first.other).await?;
        Some(match second.mapped == third.mapped {
            true => Dependence::Address,
            false => Dependence::AddressAndPort,
        })
    }

    /// RFC 5780 section 4.4: whether a socket that has sent to the server's primary endpoint alone
    /// is answered from another address, or from another port.
    pub async fn filtering(&self) -> Option<Dependence> {
        let client = self.client();
        let first = client.ask(self.server).await?;
        let stranger = client
            .ask_change(self.server, CHANGE_IP | CHANGE_PORT)
            .await;
        if let Some(answer) = stranger {
            assert_eq!(answer.from, first.other, "from the other address and port");
            return Some(Dependence::Nothing);
        }
        let neighbour = client.ask_change(self.server, CHANGE_PORT).await;
        Some(match neighbour {
            Some(answer) => {
                let port = first.other.port();
                assert_eq!(answer.from, SocketAddrV4::new(*self.server.ip(), port));
                Dependence::Address
            }
            None => Dependence::AddressAndPort,
        })
    }

    /// RFC 5780 section 4.6: whether a mapping lets the server's answer in when that reaches the
    /// NAT `idle` after the packet that made it. Exact if nothing delays packets between the
    /// prober and the NAT.
    pub async fn lives(&self, idle: Duration) -> bool {
        let (subject, helper) = (self.client(), self.client());
        let made = self.runtime.time();
        let port = subject.ask(self.server).await.unwrap().mapped.port();
        let round_trip = self.runtime.time() - made;
        self.sleep_until(made + (idle - round_trip)).await;
        helper.ask_for_port(self.server, port).await;
        subject.hear().await.is_some()
    }

    /// The shortest idle time in whole milliseconds that ends a mapping, between `low`, which is
    /// known not to, and `high`, which is known to.
    pub async fn lifetime(&self, mut low: u64, mut high: u64) -> Duration {
        assert!(self.lives(Duration::from_millis(low)).await);
        assert!(!self.lives(Duration::from_millis(high)).await);
        while high - low > 1 {
            let middle = low.midpoint(high);
            match self.lives(Duration::from_millis(middle)).await {
                true => low = middle,
                false => high = middle,
            }
        }
        Duration::from_millis(high)
    }

    /// RFC 5780 section 4.5: whether a socket hears what another one of this host sends to its
    /// external endpoint; then the source that it saw, and the sender's external endpoint.
    pub async fn hairpin(&self) -> Option<(SocketAddrV4, SocketAddrV4)> {
        let (subject, sender) = (self.client(), self.client());
        let target = subject.ask(self.server).await?.mapped;
        let external = sender.ask(self.server).await?.mapped;
        sender.request(target, &[]).await;
        Some((subject.hear().await?, external))
    }

    /// As [`Prober::hairpin`], through filters: both sockets have sent to each other's external
    /// endpoint before.
    pub async fn hairpin_punched(&self) -> Option<(SocketAddrV4, SocketAddrV4)> {
        let (subject, sender) = (self.client(), self.client());
        let target = subject.ask(self.server).await?.mapped;
        let external = sender.ask(self.server).await?.mapped;
        subject.request(external, &[]).await;
        sender.request(target, &[]).await;
        Some((subject.hear().await?, external))
    }

    /// Whether what a socket has sent to the server's other address lets that in to where the
    /// socket was seen from the primary one. Only a question where the two differ.
    pub async fn filter_knows_the_endpoint(&self) -> bool {
        let client = self.client();
        let first = client.ask(self.server).await.unwrap();
        let second = client.ask(first.other).await.unwrap();
        assert_ne!(first.mapped, second.mapped);
        let change = CHANGE_IP | CHANGE_PORT;
        client.ask_change(self.server, change).await.is_some()
    }

    pub async fn sleep_until(&self, at: Time) {
        self.runtime.sleep(at - self.runtime.time()).await;
    }
}
