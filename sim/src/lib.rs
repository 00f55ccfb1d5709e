//! The emulated world of rtclab: virtual time, hosts, links, NATs, and a runtime for `webrtc`.
//!
//! From the ground up:
//!
//! - [`time`]: nanoseconds of virtual time; [`seed`]: one seed, named independent streams.
//! - [`packet`]: packets and their sizes on the wire.
//! - [`link`]: access links as pipelines of small stages; [`nat`]: RFC 4787 translators.
//! - [`cross`]: flows that compete for a link.
//! - [`kernel`]: the event queue, the map of hosts and NATs, and the path of every packet.
//! - [`host`]: UDP sockets with bounded buffers, TCP, and CPUs that do charged work.
//! - [`runtime`]: tasks in virtual time, and `impl webrtc::runtime::Runtime`.
//! - [`entropy`]: seeded randomness for the stack and the standard library.
//! - [`trace`]: what happened to every packet: taps, counters, a digest, captures.
//!
//! [`simulate`] runs one simulation on a fresh thread:
//!
//! ```
//! use std::net::Ipv4Addr;
//! use sim::{HostConfig, LinkConfig, Seed, Time, simulate};
//! use webrtc::runtime::{AsyncUdpSocket, Runtime};
//!
//! let greeting = simulate(Seed(1), |mut world| {
//!     let host = |name: &str, last| HostConfig {
//!         name: name.into(),
//!         address: Ipv4Addr::new(203, 0, 113, last),
//!         behind: None,
//!         link: LinkConfig::default(),
//!         cpu: None,
//!     };
//!     let alice = world.add_host(host("alice", 1)).unwrap();
//!     let bob = world.add_host(host("bob", 2)).unwrap();
//!     let (send, receive) = (world.runtime(alice), world.runtime(bob));
//!     let socket = receive.bind_udp(4000).unwrap();
//!     let target = socket.endpoint().into();
//!     let (done, result) = std::sync::mpsc::channel();
//!     receive.spawn(Box::pin(async move {
//!         let mut buffer = [0; 16];
//!         let (length, _) = socket.recv_from(&mut buffer).await.unwrap();
//!         done.send(buffer[..length].to_vec()).unwrap();
//!     }));
//!     send.clone().spawn(Box::pin(async move {
//!         let socket = send.bind_udp(0).unwrap();
//!         socket.send_to(b"hello", target).await.unwrap();
//!     }));
//!     world.run_until(Time::from_millis(1));
//!     result.recv().unwrap()
//! });
//! assert_eq!(greeting, b"hello");
//! ```

pub mod cross;
pub mod ecn;
pub mod entropy;
pub mod host;
pub mod kernel;
pub mod link;
pub mod nat;
pub mod packet;
pub mod runtime;
pub mod seed;
pub mod time;
pub mod trace;

pub use cross::config::{CrossCounters, CrossFlow, CrossKind};
pub use ecn::Ecn;
pub use host::cpu::{CpuConfig, CpuError, CpuUsage, Overloaded, Work};
pub use kernel::{
    DropReason, FlowId, GatewayId, HostConfig, HostId, Network, NetworkError, Roam, Step, Way,
};
pub use link::changes::{Change, PipeChange};
pub use link::config::{JitterConfig, LinkConfig, LossConfig, PipeConfig, Queue, Reorder};
pub use link::pipe::{LinkDrop, Pipe, PipeStreams, Served, Verdict};
pub use link::presets::{PRESETS as LINK_PRESETS, preset as link_preset};
pub use link::trace::{DeliveryTrace, TraceError};
pub use link::validate::LinkError;
pub use nat::{
    Behavior, FilterScope, Fragments, Hairpinning, Nat, NatConfig, NatDrop, Outbound, Pooling,
    PortAssignment, Refresh, TimerScope, WhenFull,
};
pub use packet::{Packet, Payload, Protocol};
pub use runtime::meter::thread_cpu;
pub use runtime::{Finished, SimRuntime, Simulation, simulate};
pub use seed::Seed;
pub use time::Time;
