//! Small worlds, and what tests write down about them.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sim::trace::{PacketEvent, Stage, Tap};
use sim::{
    Behavior, GatewayId, HostConfig, LinkConfig, NatConfig, PipeConfig, SimRuntime, Time, nat,
};
use webrtc::runtime::Runtime;

/// All behaviours of RFC 4787 sections 4.1 and 5, from the least to the most dependent.
pub const BEHAVIORS: [Behavior; 3] = [
    Behavior::EndpointIndependent,
    Behavior::AddressDependent,
    Behavior::AddressAndPortDependent,
];

/// A host on an ideal link.
pub fn host(name: &str, address: [u8; 4], behind: Option<GatewayId>) -> HostConfig {
    HostConfig {
        name: name.into(),
        address: Ipv4Addr::from(address),
        behind,
        link: LinkConfig::default(),
        cpu: None,
    }
}

/// A host on a link.
pub fn host_on(name: &str, address: [u8; 4], link: LinkConfig) -> HostConfig {
    HostConfig {
        link,
        ..host(name, address, None)
    }
}

pub fn endpoint(address: [u8; 4], port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::from(address), port)
}

/// A pipe that only delays.
pub fn delay(delay: Duration) -> PipeConfig {
    PipeConfig {
        delay,
        ..PipeConfig::default()
    }
}

/// A NAT that preserves ports, hairpins, and forgets idle mappings after a minute.
pub fn nat(mapping: Behavior, filtering: Behavior) -> NatConfig {
    NatConfig {
        mapping,
        filtering,
        udp_lifetime: Duration::from_secs(60),
        ..nat::presets::FULL_CONE
    }
}

/// Starts a task; its result comes out of the channel.
pub fn spawn<T: Send + 'static>(
    runtime: &SimRuntime,
    task: impl Future<Output = T> + Send + 'static,
) -> Receiver<T> {
    let (done, result) = channel();
    runtime.spawn(Box::pin(async move {
        // Nobody may be interested in the result.
        let _ = done.send(task.await);
    }));
    result
}

/// A moment in the life of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub at: Time,
    pub id: u64,
    pub stage: Stage,
    pub source: SocketAddrV4,
    pub destination: SocketAddrV4,
}

/// Writes down every packet event.
#[derive(Clone, Debug, Default)]
pub struct Journal(Arc<Mutex<Vec<Entry>>>);

impl Journal {
    pub fn entries(&self) -> Vec<Entry> {
        self.0.lock().unwrap().clone()
    }

    /// When each delivered packet was delivered, in that order.
    pub fn deliveries(&self) -> Vec<Time> {
        let entries = self.entries().into_iter();
        entries
            .filter(|entry| matches!(entry.stage, Stage::Delivered(_)))
            .map(|entry| entry.at)
            .collect()
    }
}

impl Tap for Journal {
    fn packet(&mut self, event: &PacketEvent<'_>) {
        self.0.lock().unwrap().push(Entry {
            at: event.at,
            id: event.id,
            stage: event.stage,
            source: event.packet.source,
            destination: event.packet.destination,
        });
    }
}
