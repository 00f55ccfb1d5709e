//! What happens to NATs and hosts while a world runs.

use std::net::SocketAddrV4;
use std::time::Duration;

use bytes::Bytes;
use sim::kernel::SocketId;
use sim::{
    Behavior, DropReason, GatewayId, HostId, LinkConfig, LinkDrop, NatDrop, NetworkError, Roam,
    Seed, Simulation, simulate,
};

use crate::fixture::{delay, endpoint, host, host_on, nat};

const SERVER: [u8; 4] = [198, 51, 100, 1];
const WIFI: [u8; 4] = [203, 0, 113, 1];
const MOBILE: [u8; 4] = [203, 0, 113, 2];
/// Where the phone is in its wifi.
const HOME: [u8; 4] = [10, 0, 0, 2];
const HOME_OF_ANOTHER: [u8; 4] = [100, 64, 0, 9];

/// A phone behind a wifi router, a server on the internet, and a carrier's NAT with another phone. All NATs
/// preserve ports and let everybody in; links delay by 10 ms each way.
struct Lab {
    world: Simulation,
    phone: HostId,
    wifi: GatewayId,
    mobile: GatewayId,
    /// The sockets of the phone (5000) and of the server (3478).
    sockets: [SocketId; 2],
}

fn link() -> LinkConfig {
    LinkConfig::symmetric(delay(Duration::from_millis(10)))
}

fn lab(test: impl FnOnce(Lab) + Send) {
    simulate(Seed(1), |mut world| {
        let open = nat(Behavior::EndpointIndependent, Behavior::EndpointIndependent);
        let [wifi, mobile] =
            [WIFI, MOBILE].map(|external| world.add_gateway(open, external.into(), None).unwrap());
        let server = world.add_host(host("server", SERVER, None)).unwrap();
        let mut config = host_on("phone", HOME, link());
        config.behind = Some(wifi);
        let phone = world.add_host(config).unwrap();
        let neighbour = host("neighbour", HOME_OF_ANOTHER, Some(mobile));
        world.add_host(neighbour).unwrap();
        let sockets = world.network(|network| {
            [(phone, 5000), (server, 3478)].map(|(id, port)| network.bind_udp(id, port).unwrap())
        });
        test(Lab {
            world,
            phone,
            wifi,
            mobile,
            sockets,
        });
    });
}

impl Lab {
    fn send(&self, from: usize, to: SocketAddrV4) {
        let socket = self.sockets[from];
        self.world
            .network(|network| network.send_udp(socket, to, Bytes::from_static(b"hello")));
    }

    /// What the server sees as the source of what the phone sends.
    fn seen(&mut self) -> Option<SocketAddrV4> {
        self.send(0, endpoint(SERVER, 3478));
        self.settle();
        self.heard(1)
    }

    /// Whether what the server sends to `to` gets to the phone.
    fn reaches(&mut self, to: SocketAddrV4) -> bool {
        self.send(1, to);
        self.settle();
        self.heard(0).is_some()
    }

    fn heard(&self, socket: usize) -> Option<SocketAddrV4> {
        self.world.network(|network| {
            let datagram = network.receive_udp(self.sockets[socket])?;
            Some(datagram.source)
        })
    }

    fn firewall(&self, block_udp: bool, only_tcp_443: bool) {
        self.world
            .network(|network| network.set_firewall(self.wifi, block_udp, only_tcp_443));
    }

    fn settle(&mut self) {
        self.world
            .run_until(self.world.now() + Duration::from_secs(1));
    }

    fn dropped(&self, reason: DropReason) -> u64 {
        let count = |network: &mut sim::Network| network.counters().dropped.get(&reason).copied();
        self.world.network(count).unwrap_or(0)
    }
}

#[test]
fn a_nat_that_gets_another_address_is_known_by_that_alone() {
    lab(|mut lab| {
        let old = endpoint(WIFI, 5000);
        assert_eq!(lab.seen(), Some(old));
        let address = [203, 0, 113, 9];
        lab.world
            .network(|network| network.rebind_gateway(lab.wifi, address.into()).unwrap());
        let new = endpoint(address, 5000);
        assert!(
            !lab.reaches(old) && !lab.reaches(new),
            "the mapping is gone"
        );
        assert_eq!(
            lab.dropped(DropReason::NoRoute),
            1,
            "nobody has the old address"
        );
        assert_eq!(lab.dropped(DropReason::Nat(NatDrop::NoMapping)), 1);
        assert_eq!(lab.seen(), Some(new));
        assert!(lab.reaches(new));
        // The old address is free for others, who get nothing that is the phone's; and one that
        // is taken is refused, with nothing changed.
        let taken = NetworkError::AddressTaken(MOBILE.into());
        let refused = |network: &mut sim::Network| network.rebind_gateway(lab.wifi, MOBILE.into());
        assert_eq!(lab.world.network(refused), Err(taken));
        assert!(lab.reaches(new));
        let mobile = lab.mobile;
        lab.world
            .network(|network| network.rebind_gateway(mobile, WIFI.into()).unwrap());
        assert!(!lab.reaches(old));
    });
}

#[test]
fn a_nat_that_gets_its_own_address_again_has_lost_its_mappings() {
    lab(|mut lab| {
        let old = lab.seen().unwrap();
        lab.world
            .network(|network| network.rebind_gateway(lab.wifi, WIFI.into()).unwrap());
        assert!(!lab.reaches(old));
        assert_eq!(lab.seen(), Some(old));
        assert!(lab.reaches(old));
    });
}

#[test]
fn a_nat_that_rebinds_ports_shows_another_port_of_the_same_address() {
    lab(|mut lab| {
        assert_eq!(lab.seen(), Some(endpoint(WIFI, 5000)));
        lab.world
            .network(|network| network.rebind_gateway_ports(lab.wifi));
        assert!(!lab.reaches(endpoint(WIFI, 5000)));
        assert_eq!(lab.seen(), Some(endpoint(WIFI, 5001)));
        assert!(lab.reaches(endpoint(WIFI, 5001)));
    });
}

#[test]
fn a_firewall_that_closes_stops_udp_until_it_opens() {
    lab(|mut lab| {
        let before = lab.seen().unwrap();
        for (block_udp, only_tcp_443) in [(true, false), (false, true)] {
            lab.firewall(block_udp, only_tcp_443);
            assert_eq!((lab.seen(), lab.reaches(before)), (None, false));
            lab.firewall(false, false);
            assert_eq!((lab.seen(), lab.reaches(before)), (Some(before), true));
        }
        assert_eq!(lab.dropped(DropReason::Nat(NatDrop::UdpBlocked)), 4);
    });
}

/// To the carrier, with another address and twice the delay.
fn to_mobile(lab: &Lab, address: [u8; 4]) -> Roam {
    Roam {
        address: address.into(),
        behind: Some(lab.mobile),
        link: LinkConfig::symmetric(delay(Duration::from_millis(20))),
    }
}

#[test]
fn a_phone_that_roams_is_seen_behind_the_other_nat() {
    // With another private address or with the same: the new network is another one.
    for address in [[100, 64, 0, 7], HOME] {
        lab(|mut lab| {
            let old = lab.seen().unwrap();
            let to = to_mobile(&lab, address);
            lab.world
                .network(|network| network.roam(lab.phone, to).unwrap());
            assert!(!lab.reaches(old), "it is not in the wifi any more");
            assert_eq!(lab.dropped(DropReason::NoRoute), 1);
            let begun = lab.world.now();
            lab.send(0, endpoint(SERVER, 3478));
            // The delay is that of the new link, 20 ms.
            lab.world.run_until(begun + Duration::from_millis(19));
            assert_eq!(lab.heard(1), None);
            lab.world.run_until(begun + Duration::from_millis(20));
            let new = endpoint(MOBILE, 5000);
            assert_eq!(lab.heard(1), Some(new));
            assert!(lab.reaches(new));
            let own = lab.world.network(|network| network.local(lab.sockets[0]));
            assert_eq!(own, endpoint(address, 5000));
        });
    }
}

#[test]
fn what_is_on_the_link_that_a_phone_leaves_is_lost() {
    // 5 ms after it was sent, one packet is on the uplink and one on the downlink, both of 10 ms.
    lab(|mut lab| {
        let old = lab.seen().unwrap();
        lab.send(0, endpoint(SERVER, 3478));
        lab.send(1, old);
        lab.world
            .run_until(lab.world.now() + Duration::from_millis(5));
        let to = to_mobile(&lab, HOME);
        lab.world
            .network(|network| network.roam(lab.phone, to).unwrap());
        lab.settle();
        assert_eq!(lab.dropped(DropReason::LinkLeft), 2);
        assert_eq!((lab.heard(0), lab.heard(1)), (None, None));
    });
}

#[test]
fn a_phone_that_cannot_roam_stays_where_it_is() {
    lab(|mut lab| {
        let old = lab.seen().unwrap();
        let to = to_mobile(&lab, HOME_OF_ANOTHER);
        let roamed = lab.world.network(|network| network.roam(lab.phone, to));
        let taken = NetworkError::AddressTaken(HOME_OF_ANOTHER.into());
        assert_eq!(roamed, Err(taken));
        assert!(lab.reaches(old));
        assert_eq!(lab.seen(), Some(old));
    });
}

#[test]
fn a_phone_that_comes_back_has_its_mapping_again() {
    // The router has not noticed that it was away.
    lab(|mut lab| {
        let old = lab.seen().unwrap();
        let away = to_mobile(&lab, HOME);
        let back = Roam {
            behind: Some(lab.wifi),
            link: link(),
            ..away
        };
        for to in [away, back] {
            lab.world
                .network(|network| network.roam(lab.phone, to).unwrap());
        }
        assert!(lab.reaches(old));
    });
}

#[test]
fn in_an_outage_a_link_carries_nothing_either_way_and_what_is_on_it_is_lost() {
    lab(|mut lab| {
        let external = lab.seen().expect("the phone's way is free");
        // On the way at 5 of 10 ms when the outage begins, and sent while it lasts.
        lab.send(0, endpoint(SERVER, 3478));
        let now = lab.world.now();
        lab.world.run_until(now + Duration::from_millis(5));
        let phone = lab.phone;
        lab.world.network(|network| network.set_outage(phone, true));
        lab.send(0, endpoint(SERVER, 3478));
        lab.send(1, external);
        lab.settle();
        assert_eq!((lab.heard(0), lab.heard(1)), (None, None));
        let dropped = lab
            .world
            .network(|network| network.counters().dropped.clone());
        let reasons = [
            DropReason::LinkLeft,
            DropReason::Uplink(LinkDrop::Outage),
            DropReason::Downlink(LinkDrop::Outage),
        ];
        for reason in reasons {
            assert_eq!(dropped.get(&reason), Some(&1), "{reason:?}");
        }
        // The NAT knows nothing of it: the way is what it was.
        lab.world
            .network(|network| network.set_outage(phone, false));
        assert_eq!(lab.seen(), Some(external));
    });
}
