//! A TURN client that builds its messages by hand, and a world that records what a core does.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use topologies::infra::turn::{Datagram, RelayPorts, TurnConfig, TurnCore, TurnIo};
use turn_types::attribute::{
    ChannelNumber, Data, Lifetime, RequestedTransport, XorPeerAddress, XorRelayedAddress,
};
use turn_types::message::{ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, REFRESH, SEND};
use turn_types::stun::attribute::{ErrorCode, Nonce, Realm, Username};
use turn_types::stun::message::{
    IntegrityAlgorithm, LongTermKeyCredentials, Message, MessageWriteVec, Method,
};
use turn_types::stun::prelude::{AttributeWrite, MessageWrite, MessageWriteExt};

pub const REALM: &str = "rtclab";
pub const USER: &str = "alice";
pub const PASSWORD: &str = "secret";
pub const CHANNEL: u16 = 0x4001;

pub fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub fn server() -> SocketAddr {
    addr("203.0.113.1:3478")
}

pub fn client() -> SocketAddr {
    addr("198.51.100.7:40000")
}

pub fn peer() -> SocketAddr {
    addr("192.0.2.9:50000")
}

/// The first relayed address of a sequential allocator on the server's address.
pub fn relay() -> SocketAddr {
    addr("203.0.113.1:49152")
}

pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn config() -> TurnConfig {
    TurnConfig::new(REALM).with_user(USER, PASSWORD)
}

/// A datagram that a core sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub data: Vec<u8>,
}

#[derive(Default)]
pub struct World {
    pub sent: Vec<Sent>,
    pub open: BTreeSet<SocketAddr>,
    /// Ports that do not open, as if another process had them.
    pub occupied: BTreeSet<u16>,
}

impl TurnIo for World {
    fn open(&mut self, relayed: SocketAddr) -> io::Result<()> {
        if self.occupied.contains(&relayed.port()) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        assert!(self.open.insert(relayed), "{relayed} is opened twice");
        Ok(())
    }

    fn close(&mut self, relayed: SocketAddr) {
        assert!(self.open.remove(&relayed), "{relayed} is not open");
    }

    fn send(&mut self, from: SocketAddr, to: SocketAddr, data: &[u8]) -> io::Result<()> {
        assert!(
            from == server() || self.open.contains(&from),
            "{from} is not open"
        );
        self.sent.push(Sent {
            from,
            to,
            data: data.to_vec(),
        });
        Ok(())
    }
}

/// A core, its world, and the time.
pub struct Bench {
    pub core: TurnCore,
    pub world: World,
    pub now: Duration,
}

impl Bench {
    pub fn new(config: &TurnConfig) -> Self {
        let core = TurnCore::new(server(), config, RelayPorts::default()).unwrap();
        Bench {
            core,
            world: World::default(),
            now: Duration::ZERO,
        }
    }

    /// Everything that is sent because of one datagram.
    pub fn deliver(&mut self, from: SocketAddr, to: SocketAddr, data: &[u8]) -> Vec<Sent> {
        self.core
            .receive(self.now, Datagram { from, to, data }, &mut self.world);
        std::mem::take(&mut self.world.sent)
    }

    /// The one response to a request.
    pub fn request(&mut self, from: SocketAddr, request: &[u8]) -> Reply {
        let sent = self.deliver(from, server(), request);
        let [response] = sent.as_slice() else {
            panic!("not one response: {sent:?}")
        };
        assert_eq!((response.from, response.to), (server(), from));
        Reply(response.data.clone())
    }

    /// A client with an allocation that was just made at [`relay`].
    pub fn allocated(&mut self) -> Credentials {
        let credentials = Credentials::from_challenge(&self.request(client(), &allocate(None)));
        let reply = self.request(client(), &allocate(Some(&credentials)));
        assert_eq!(reply.error(), None);
        assert_eq!(reply.relayed(), relay());
        credentials
    }
}

/// A response.
pub struct Reply(pub Vec<u8>);

impl Reply {
    pub fn message(&self) -> Message<'_> {
        Message::from_bytes(&self.0).unwrap()
    }

    /// The error code, or `None` for a success.
    pub fn error(&self) -> Option<u16> {
        self.message()
            .attribute::<ErrorCode>()
            .ok()
            .map(|error| error.code())
    }

    pub fn relayed(&self) -> SocketAddr {
        let message = self.message();
        let relayed = message.attribute::<XorRelayedAddress>().unwrap();
        relayed.addr(message.transaction_id())
    }

    pub fn lifetime(&self) -> u32 {
        self.message().attribute::<Lifetime>().unwrap().seconds()
    }
}

/// What a client knows after a challenge.
#[derive(Clone)]
pub struct Credentials {
    pub user: String,
    pub password: String,
    pub realm: String,
    pub nonce: String,
}

impl Credentials {
    pub fn from_challenge(reply: &Reply) -> Self {
        let message = reply.message();
        Credentials {
            user: USER.into(),
            password: PASSWORD.into(),
            realm: message.attribute::<Realm>().unwrap().realm().into(),
            nonce: message.attribute::<Nonce>().unwrap().nonce().into(),
        }
    }

    fn sign(&self, message: &mut MessageWriteVec) {
        message
            .add_attribute(&Username::new(&self.user).unwrap())
            .unwrap();
        message
            .add_attribute(&Realm::new(&self.realm).unwrap())
            .unwrap();
        message
            .add_attribute(&Nonce::new(&self.nonce).unwrap())
            .unwrap();
        let key = LongTermKeyCredentials::new(
            self.user.clone(),
            self.password.clone(),
            self.realm.clone(),
        );
        message
            .add_message_integrity(&key.into(), IntegrityAlgorithm::Sha1)
            .unwrap();
    }
}

fn request(
    method: Method,
    credentials: Option<&Credentials>,
    attributes: impl FnOnce(&mut MessageWriteVec),
) -> Vec<u8> {
    let mut message = Message::builder_request(method, MessageWriteVec::new());
    attributes(&mut message);
    if let Some(credentials) = credentials {
        credentials.sign(&mut message);
    }
    message.finish()
}

fn add(message: &mut MessageWriteVec, attribute: &dyn AttributeWrite) {
    message.add_attribute(attribute).unwrap();
}

pub fn binding() -> Vec<u8> {
    request(turn_types::stun::message::BINDING, None, |_| {})
}

pub fn allocate(credentials: Option<&Credentials>) -> Vec<u8> {
    request(ALLOCATE, credentials, |message| {
        add(message, &RequestedTransport::new(RequestedTransport::UDP));
    })
}

pub fn refresh(credentials: &Credentials, lifetime: Option<u32>) -> Vec<u8> {
    request(REFRESH, Some(credentials), |message| {
        if let Some(lifetime) = lifetime {
            add(message, &Lifetime::new(lifetime));
        }
    })
}

pub fn create_permission(credentials: &Credentials, peer: SocketAddr) -> Vec<u8> {
    request(CREATE_PERMISSION, Some(credentials), |message| {
        let id = message.transaction_id();
        add(message, &XorPeerAddress::new(peer, id));
    })
}

pub fn channel_bind(credentials: &Credentials, channel: u16, peer: SocketAddr) -> Vec<u8> {
    request(CHANNEL_BIND, Some(credentials), |message| {
        let id = message.transaction_id();
        add(message, &ChannelNumber::new(channel));
        add(message, &XorPeerAddress::new(peer, id));
    })
}

pub fn send_indication(peer: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let mut message = Message::builder_indication(SEND, MessageWriteVec::new());
    let id = message.transaction_id();
    add(&mut message, &XorPeerAddress::new(peer, id));
    add(&mut message, &Data::new(payload));
    message.finish()
}

/// RFC 8656, 12.4: channel number, length, data; no padding over UDP.
pub fn channel_data(channel: u16, payload: &[u8]) -> Vec<u8> {
    let mut data = channel.to_be_bytes().to_vec();
    data.extend((payload.len() as u16).to_be_bytes());
    data.extend(payload);
    data
}
