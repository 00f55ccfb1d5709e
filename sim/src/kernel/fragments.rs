//! Packets that are larger than the MTU of a link (RFC 791 section 3.2).
//!
//! A packet stays one packet, with one fate. Its fragments are offered to the link one by one,
//! each with an IP header of its own; it arrives with the last of them, and not at all if one is
//! lost, and is marked if one is (RFC 3168 section 5.3). Between two links it is as if it were put together: its fragments enter the second link
//! at once.

use super::drops::DropReason;
use super::id::HostId;
use super::lanes::{Lane, Occupant, Way};
use super::network::Network;
use super::path::Leg;
use crate::ecn::Ecn;
use crate::host::sockets::UdpError;
use crate::link::pipe::{LinkDrop, Pipe, Verdict};
use crate::packet::{IPV4_HEADER, Payload};
use crate::time::Time;

/// The least MTU of IPv4: a router must pass on 68 bytes in one piece (RFC 791 section 3.2).
pub const LEAST_MTU: u32 = 68;

impl Network {
    /// Sets the largest packet that the access link of a host carries in one piece, both ways, in
    /// bytes with the IP header. At first there is no limit.
    ///
    /// # Panics
    ///
    /// If it is below [`LEAST_MTU`].
    pub fn set_mtu(&mut self, host: HostId, mtu: u32) {
        assert!(mtu >= LEAST_MTU, "no IPv4 link has an MTU of {mtu}");
        self.map.host_mut(host).mtu = mtu;
    }

    /// Makes a host send with the bit DF, or without it as at first: what is larger than an MTU on
    /// the way is dropped. If that is the MTU of the host's own link, the socket has an error; no
    /// router on the way reports one.
    pub fn set_dont_fragment(&mut self, host: HostId, dont_fragment: bool) {
        self.map.host_mut(host).dont_fragment = dont_fragment;
    }

    /// Cuts a packet for the uplink of its host, if it exceeds the MTU of that; whether it does.
    pub(super) fn slice(&mut self, slot: usize) -> bool {
        let flight = &mut self.flights[slot];
        let (host, packet) = (self.map.host(flight.origin), &mut flight.packet);
        if packet.wire_bytes() <= host.mtu {
            return false;
        }
        let loops = *packet.destination.ip() == host.address;
        if !loops && !host.dont_fragment {
            packet.fragments = pieces(packet.ip_payload_bytes(), host.mtu).count() as u16;
        }
        true
    }

    /// Puts the fragments of a packet on the uplink of its host.
    pub(super) fn offer_slices(&mut self, slot: usize, origin: HostId) {
        let packet = &self.flights[slot].packet;
        let host = self.map.host_mut(origin);
        if host.dont_fragment {
            if let (Payload::Udp(_), Some(socket)) =
                (&packet.payload, host.ports.find(packet.source.port()))
            {
                self.sockets[socket.0 as usize].error = Some(UdpError::TooBig);
            }
            let reason = DropReason::Uplink(LinkDrop::TooBig);
            return self.drop(slot, reason, Some(origin));
        }
        let sizes = pieces(packet.ip_payload_bytes(), host.mtu);
        let verdicts = offer(&mut host.up, self.now, packet.ecn, sizes);
        self.cross_link_sliced(slot, Lane::up(origin), &verdicts);
    }

    /// Puts the fragments of a packet on the downlink of its receiver, which may cut them further.
    pub(super) fn offer_slices_down(&mut self, slot: usize, host: HostId) {
        let flight = &mut self.flights[slot];
        let origin = self.map.host(flight.origin);
        let (before, dont_fragment) = (origin.mtu, origin.dont_fragment);
        let receiver = self.map.host_mut(host);
        if dont_fragment && flight.packet.wire_bytes() > receiver.mtu {
            let reason = DropReason::Downlink(LinkDrop::TooBig);
            return self.drop(slot, reason, Some(host));
        }
        let sizes: Vec<u32> = pieces(flight.packet.ip_payload_bytes(), before)
            .flat_map(|piece| pieces(piece, receiver.mtu))
            .collect();
        flight.packet.fragments = sizes.len() as u16;
        let ecn = flight.packet.ecn;
        let verdicts = offer(&mut receiver.down, self.now, ecn, sizes.into_iter());
        self.cross_link_sliced(slot, Lane::down(host), &verdicts);
    }

    /// What a link made of the fragments of a packet that were offered to it.
    fn cross_link_sliced(&mut self, slot: usize, lane: Lane, verdicts: &[Verdict]) {
        let dropped = verdicts.iter().find_map(|verdict| match verdict {
            Verdict::Drop(reason) => Some(*reason),
            Verdict::Deliver { .. } | Verdict::Wait => None,
        });
        let waiting = verdicts.iter().filter(|it| **it == Verdict::Wait).count();
        if let Some(reason) = dropped {
            self.drop(slot, lane.refusal(reason), Some(lane.host));
            // Those that the link took all the same wait there for nothing.
            self.wait(lane, std::iter::repeat_n(Occupant::Nobody, waiting));
        } else if waiting > 0 {
            let piece = |number| Occupant::Flight {
                slot,
                last: number == waiting,
            };
            self.wait(lane, (1..=waiting).map(piece));
        } else {
            self.finish_link(slot, lane, verdicts);
        }
    }

    /// A link is done with a packet, or with all of its fragments.
    pub(super) fn finish_link(&mut self, slot: usize, lane: Lane, verdicts: &[Verdict]) {
        match joined(verdicts, self.now) {
            Ok((at, in_order)) => {
                if lane.way == Way::Up {
                    self.flights[slot].packet.in_order = in_order;
                }
                self.fly(at, slot);
            }
            Err(reason) => match self.flights[slot].leg {
                Leg::Cut(host) => self.drop(slot, DropReason::LinkLeft, Some(host)),
                _ => self.drop(slot, lane.refusal(reason), Some(lane.host)),
            },
        }
    }
}

/// Offers fragments with these payloads to a pipe.
fn offer(
    pipe: &mut Pipe,
    now: Time,
    ecn: Ecn,
    payloads: impl Iterator<Item = u32>,
) -> Vec<Verdict> {
    payloads
        .map(|bytes| pipe.offer_with(now, IPV4_HEADER + bytes, ecn))
        .collect()
}

/// When the last of all fragments arrives, and whether the first one does so before all others; or
/// why one of them does not.
fn joined(verdicts: &[Verdict], now: Time) -> Result<(Time, bool), LinkDrop> {
    let mut times = Vec::with_capacity(verdicts.len());
    for verdict in verdicts {
        match verdict {
            Verdict::Deliver { at } => times.push(*at),
            Verdict::Drop(reason) => return Err(*reason),
            Verdict::Wait => unreachable!("a link that serves a packet is done with it"),
        }
    }
    let last = times.iter().copied().max().unwrap_or(now);
    let in_order = times.iter().all(|at| *at >= times[0]);
    Ok((last, in_order))
}

/// The payloads of the fragments of `bytes` of IP payload, none larger than `mtu` with its header.
/// All but the last one are multiples of 8 bytes, the unit of the fragment offset.
fn pieces(bytes: u32, mtu: u32) -> impl Iterator<Item = u32> {
    let most = mtu - IPV4_HEADER;
    let mut left = bytes;
    std::iter::from_fn(move || {
        let piece = match left {
            0 => return None,
            all if all <= most => all,
            _ => most / 8 * 8,
        };
        left -= piece;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_those_of_rfc_791() {
        let of = |bytes, mtu| pieces(bytes, mtu).collect::<Vec<_>>();
        // 1,500 carry 1,480, which is 185 x 8; 1,501 carry 1,481, of which 1,480 if more follows.
        assert_eq!(of(1_480, 1_500), [1_480]);
        assert_eq!(of(1_481, 1_500), [1_480, 1]);
        assert_eq!(of(1_481, 1_501), [1_481]);
        assert_eq!(of(2_961, 1_501), [1_480, 1_481]);
        assert_eq!(of(2_962, 1_501), [1_480, 1_480, 2]);
        // The least MTU carries 48 = 6 x 8: the largest packet is cut into 1,365, as 65,515 / 48 = 1,364.9.
        assert_eq!(of(65_515, LEAST_MTU).len(), 1_365);
    }

    #[test]
    fn pieces_add_up() {
        for mtu in [68, 69, 576, 1_280, 1_499, 1_500] {
            for bytes in (1..5_000).step_by(7) {
                assert_eq!(pieces(bytes, mtu).sum::<u32>(), bytes);
                assert!(pieces(bytes, mtu).all(|piece| piece + 20 <= mtu));
                let count = pieces(bytes, mtu).count();
                assert!(
                    pieces(bytes, mtu)
                        .take(count - 1)
                        .all(|piece| piece % 8 == 0)
                );
            }
        }
    }
}
