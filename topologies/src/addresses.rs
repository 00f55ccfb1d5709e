//! Who has which address: the addresses that one expects to read in a trace.
//!
//! | what | address | from |
//! |---|---|---|
//! | signalling, TURN, SFU or MCU | 203.0.113.1 to 203.0.113.3 | TEST-NET-3 (RFC 5737) |
//! | participant `i` as the internet sees it | 198.51.100.(i+1) | TEST-NET-2 (RFC 5737) |
//! | the same after its NAT was bound again, each other time | 192.0.2.(i+1) | TEST-NET-1 (RFC 5737) |
//! | the same after it moved to another network | 198.18.(move).(i+1) | benchmarks (RFC 2544) |
//! | between the NATs of participant `i` | 100.64.(depth).(i+1) | shared space (RFC 6598) |
//! | participant `i` behind a NAT | 192.168.(i).10 | private space (RFC 1918) |

use std::net::Ipv4Addr;

/// The signalling server.
pub const SIGNALING: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
/// The STUN and TURN server.
pub const TURN: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 2);

/// The SFU or the MCU.
pub const MEDIA: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 3);

/// The most participants that the plan of addresses has room for.
pub const MAX_PARTICIPANTS: usize = 200;

/// A participant, or its outermost NAT, on the internet.
pub fn public(participant: u16) -> Ipv4Addr {
    Ipv4Addr::new(198, 51, 100, octet(participant) + 1)
}

/// The outermost NAT of a participant after so many changes of its address.
pub fn rebound(participant: u16, changes: u32) -> Ipv4Addr {
    match changes % 2 {
        0 => public(participant),
        _ => Ipv4Addr::new(192, 0, 2, octet(participant) + 1),
    }
}

/// The outermost NAT of a participant after so many moves to another network, at most 255.
pub fn moved(participant: u16, moves: u8) -> Ipv4Addr {
    Ipv4Addr::new(198, 18, moves, octet(participant) + 1)
}

/// The external address of the NAT that is `depth` NATs away from the internet (1 or more).
pub fn between(participant: u16, depth: u8) -> Ipv4Addr {
    Ipv4Addr::new(100, 64, depth, octet(participant) + 1)
}

/// A participant behind a NAT.
pub fn private(participant: u16) -> Ipv4Addr {
    Ipv4Addr::new(192, 168, octet(participant), 10)
}

fn octet(participant: u16) -> u8 {
    assert!(
        usize::from(participant) < MAX_PARTICIPANTS,
        "plans have at most {MAX_PARTICIPANTS} participants"
    );
    participant as u8
}
