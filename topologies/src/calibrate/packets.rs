//! What packets cost: in peer connections, in an SFU, and in a TURN server.
//!
//! Short calls are run, and what a server spends on them is put down to the packets that it sent
//! and received. They have codecs, and CPUs that take time, as real calls do: what is in caches
//! when a packet comes, and how many come at once, is a third of what it costs. Each call is run
//! twice, with the same seed and different lengths, and what counts is the difference: what both
//! have in common, the set-up of connections above all, falls out.
//!
//! Sending and receiving are those of an **SFU**, which does nothing with its peer connections but
//! that. Participants do more at every packet and every tick (playout, displays), which is no cost
//! of a packet, and an SFU would be charged for it at every copy.

use std::hint::black_box;
use std::path::Path;

use bytes::Bytes;
use reports::record::Role;
use rtc::rtp::header::Header;
use rtc::rtp::packet::Packet;
use scenarios::{Overrides, Scenario};

use super::{CalibrateError, Spread, timed};
use crate::peer::send::MAX_PAYLOAD;
use crate::sfu::rewrite::Rewriter;
use crate::{CellOutput, RunOptions, run};

/// What packets cost, in ns.
pub struct Packets {
    /// To send one.
    pub send: Spread,
    /// To receive one.
    pub receive: Spread,
    /// To forward a copy, beside receiving and sending.
    pub forward: Spread,
    /// To relay one.
    pub relay: Spread,
}

/// How often everything is measured, with what else the machine does at that time.
const ROUNDS: u64 = 5;
/// How long the shorter calls are, s: by then everybody is connected, also through a relay.
const SHORT_S: u32 = 4;
/// How long the longer calls are, s.
const LONG_S: u32 = 8;

/// Measures all of them, telling `progress` what is next.
pub fn measure(progress: &dyn Fn(&str)) -> Result<Packets, CalibrateError> {
    let forward = forwarding();
    let [mut send, mut receive, mut relay] = [const { Vec::new() }; 3];
    for round in 1..=ROUNDS {
        progress(&format!("packets in calls, {round} of {ROUNDS}"));
        let servers = [load(&TWO, round)?, load(&FOUR, round)?];
        let (copy, received) = split(&servers);
        send.push((copy - forward.median).max(0.0));
        receive.push(received.max(0.0));
        let turn = load(&RELAYED, round)?;
        relay.push(turn.spent_ns / ((turn.sent + turn.received) / 2.0));
    }
    Ok(Packets {
        send: Spread::of(send),
        receive: Spread::of(receive),
        forward,
        relay: Spread::of(relay),
    })
}

/// Packets that are timed together: one is too short to be timed alone.
const BATCH: u16 = 1_000;
/// How many batches are timed.
const BATCHES: u32 = 50;

/// What is done to a packet between receiving and sending it.
fn forwarding() -> Spread {
    let mut rewriter = Rewriter::new(7, 0, false);
    let mut packet = Packet {
        header: Header::default(),
        payload: Bytes::from_static(&[0; MAX_PAYLOAD]),
    };
    let mut batch = |_| {
        let ((), spent) = timed(|| {
            for _ in 0..BATCH {
                packet.header.sequence_number = packet.header.sequence_number.wrapping_add(1);
                black_box(rewriter.rewrite(black_box(&packet)));
            }
        });
        spent / f64::from(BATCH)
    };
    Spread::of((0..BATCHES).map(&mut batch).collect())
}

/// A call that keeps a server busy.
struct Call {
    /// Whose load is measured.
    server: Role,
    topology: &'static str,
    nat: &'static str,
    /// How many send and receive.
    participants: u32,
}

/// An SFU sends one copy of what it receives.
const TWO: Call = Call {
    server: Role::Sfu,
    topology: "sfu",
    nat: "none",
    participants: 2,
};

/// An SFU sends three copies of what it receives.
const FOUR: Call = Call {
    participants: 4,
    ..TWO
};

/// Everything goes through TURN, both ways. With three, as in small calls, now and then several
/// packets are there at once and share what waking the server costs; with two, hardly ever.
const RELAYED: Call = Call {
    server: Role::Turn,
    topology: "mesh",
    nat: "symmetric",
    participants: 3,
};

/// What the server of a call does in the difference between a long one and a short one.
#[derive(Clone, Copy, Debug)]
struct Load {
    /// Packets sent.
    sent: f64,
    /// Packets received.
    received: f64,
    /// CPU, ns.
    spent_ns: f64,
}

fn load(call: &Call, seed: u64) -> Result<Load, CalibrateError> {
    let (short, long) = (run_for(call, seed, SHORT_S)?, run_for(call, seed, LONG_S)?);
    let (before, after) = (total(&short, call.server), total(&long, call.server));
    Ok(Load {
        sent: after.sent - before.sent,
        received: after.received - before.received,
        spent_ns: after.spent_ns - before.spent_ns,
    })
}

/// All that a server did in a whole run.
fn total(output: &CellOutput, role: Role) -> Load {
    let mut hosts = output.record.hosts.iter();
    let server = hosts.find(|host| host.role == role);
    let server = server.expect("every call of a topology has its server");
    Load {
        sent: server.up.packets as f64,
        received: server.down.packets as f64,
        spent_ns: output.measured.host_cpu_s[&server.name] * 1e9,
    }
}

/// Pictures are small, so that codecs take little, but not so small that they would have fewer packets
/// than those of the default camera, whose bit rate they have.
fn run_for(call: &Call, seed: u64, seconds: u32) -> Result<CellOutput, CalibrateError> {
    let Call {
        topology,
        nat,
        participants,
        ..
    } = call;
    let source = format!(
        "name = \"calibrate\"\ntopologies = [\"{topology}\"]\nparticipants = {participants}\n\
         seed = {seed}\nwarmup = \"0 s\"\nduration = \"{seconds} s\"\nfidelity = \"codec\"\n\
         video.size = \"320x180\"\n\
         [[group]]\nname = \"peer\"\nnat = \"{nat}\"\nlink = \"fiber\"\n"
    );
    let scenario = Scenario::parse(&source, Path::new("calibrate.toml"));
    let plans = scenario.and_then(|scenario| scenario.resolve(&Overrides::default()));
    let plan = plans.expect("the scenario is valid").remove(0);
    Ok(run(&plan, &RunOptions::default(), &|_| {})?)
}

/// What a packet sent and a packet received cost, of two servers with different mixes of them.
fn split([one, other]: &[Load; 2]) -> (f64, f64) {
    let determinant = one.sent * other.received - other.sent * one.received;
    let sent = one.spent_ns * other.received - other.spent_ns * one.received;
    let received = one.sent * other.spent_ns - other.sent * one.spent_ns;
    (sent / determinant, received / determinant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_spent_is_split_by_what_they_did() {
        // 3 us to send and 5 us to receive: 1,000 of each are 8 ms, 3,000 and 1,000 are 14 ms.
        let load = |sent, received, spent_ns| Load {
            sent,
            received,
            spent_ns,
        };
        let (sent, received) = split(&[load(1e3, 1e3, 8e6), load(3e3, 1e3, 14e6)]);
        assert!((sent - 3e3).abs() < 1e-6, "{sent}");
        assert!((received - 5e3).abs() < 1e-6, "{received}");
    }

    /// The calls have the mixes of packets that the split needs: one copy for each packet received,
    /// three copies, and one packet out of a relay for each that came in. Control packets of each
    /// connection go both ways, and are few: 10 % are more than there are.
    #[test]
    fn servers_send_as_many_copies_as_calls_have_receivers() {
        for (call, copies) in [(TWO, 1.0), (FOUR, 3.0), (RELAYED, 1.0)] {
            let load = load(&call, 1).expect("the call runs");
            let ratio = load.sent / load.received;
            assert!((0.9 * copies..=1.1 * copies).contains(&ratio), "{load:?}");
            // 30 pictures, of two packets at least, and 50 packets of sound a second, for 4 s.
            assert!(load.received > 4.0 * 110.0, "{load:?}");
        }
    }
}
