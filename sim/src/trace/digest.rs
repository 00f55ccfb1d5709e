//! A rolling digest of everything that happened: equal digests mean equal runs.

use xxhash_rust::xxh3::Xxh3;

use super::{PacketEvent, Stage, Tap};
use crate::ecn::Ecn;
use crate::packet::Payload;

/// Digests `(time, what, who, endpoints, contents)` of every packet event with XXH3-128, and the
/// ECN field where it is not Not-ECT: a world without ECN has the digest that it had before there
/// was any.
#[derive(Clone, Default)]
pub struct Digest {
    state: Xxh3,
}

impl Digest {
    /// The digest of everything so far, as 32 hexadecimal digits.
    pub fn hex(&self) -> String {
        format!("{:032x}", self.state.digest128())
    }

    fn number(&mut self, value: u64) {
        self.state.update(&value.to_le_bytes());
    }

    /// The length first, so that no two sequences of events look alike.
    fn bytes(&mut self, value: &[u8]) {
        self.number(value.len() as u64);
        self.state.update(value);
    }
}

impl Tap for Digest {
    fn packet(&mut self, event: &PacketEvent<'_>) {
        self.number(event.at.as_nanos());
        self.number(event.id);
        match event.stage {
            Stage::Sent => self.number(0),
            Stage::Delivered(host) => self.number(1 + host.index() as u64),
            Stage::Dropped(reason, _) => self.bytes(reason.name().as_bytes()),
        }
        for endpoint in [event.packet.source, event.packet.destination] {
            self.state.update(&endpoint.ip().octets());
            self.state.update(&endpoint.port().to_le_bytes());
        }
        if event.packet.ecn != Ecn::NotEct {
            self.bytes(&[event.packet.ecn.bits()]);
        }
        if event.stage == Stage::Sent {
            match &event.packet.payload {
                Payload::Udp(data) => self.bytes(data),
                Payload::PortUnreachable => self.bytes(b"port-unreachable"),
                Payload::Tcp(segment) => {
                    let flags = segment.flags;
                    let flags = [flags.syn, flags.ack, flags.fin, flags.rst, flags.psh];
                    self.bytes(&flags.map(u8::from));
                    self.number(u64::from(segment.seq) << 32 | u64::from(segment.ack));
                    self.number(u64::from(segment.window));
                    self.bytes(&segment.payload);
                }
            }
        }
    }
}
