//! Whatever arrives, the TURN core neither panics nor amplifies, and keeps serving.

mod turn_support;

use proptest::prelude::*;
use turn_support::*;

/// The most that a response may exceed its request by. The longest response without the data of
/// the request is the 401 challenge: header 20, ERROR-CODE 4 + 4 + 16, NONCE 4 + 32, REALM 4 + 8,
/// PASSWORD-ALGORITHMS 4 + 8 = 100 bytes, and at most 4 + 36 more with integrity (SHA-256) and 8
/// with a fingerprint. UNKNOWN-ATTRIBUTES names two bytes for each four received.
const MAX_GROWTH: usize = 148;

/// The messages of a normal session, to be mutilated.
fn valid_messages(credentials: &Credentials) -> Vec<Vec<u8>> {
    vec![
        binding(),
        allocate(None),
        allocate(Some(credentials)),
        refresh(credentials, Some(600)),
        create_permission(credentials, peer()),
        channel_bind(credentials, CHANNEL, peer()),
        send_indication(peer(), b"data"),
        channel_data(CHANNEL, b"data"),
    ]
}

#[derive(Clone, Debug)]
enum Mutilation {
    Truncate(prop::sample::Index),
    Flip(prop::sample::Index, u8),
    Extend(Vec<u8>),
}

impl Mutilation {
    fn apply(&self, message: &mut Vec<u8>) {
        match self {
            Mutilation::Truncate(at) => message.truncate(at.index(message.len() + 1)),
            Mutilation::Flip(at, mask) if !message.is_empty() => {
                let at = at.index(message.len());
                message[at] ^= mask;
            }
            Mutilation::Flip(..) => {}
            Mutilation::Extend(bytes) => message.extend(bytes),
        }
    }
}

fn mutilation() -> impl Strategy<Value = Mutilation> {
    prop_oneof![
        any::<prop::sample::Index>().prop_map(Mutilation::Truncate),
        (any::<prop::sample::Index>(), 1..=255_u8)
            .prop_map(|(at, mask)| Mutilation::Flip(at, mask)),
        prop::collection::vec(any::<u8>(), 1..64).prop_map(Mutilation::Extend),
    ]
}

/// A STUN header with a random type and the right length, so that random attributes are reached.
fn stun_like() -> impl Strategy<Value = Vec<u8>> {
    (0..0x4000_u16, prop::collection::vec(any::<u8>(), 0..400)).prop_map(|(kind, mut body)| {
        body.truncate(body.len() / 4 * 4);
        let mut message = kind.to_be_bytes().to_vec();
        message.extend((body.len() as u16).to_be_bytes());
        message.extend(0x2112_A442_u32.to_be_bytes());
        message.extend([9; 12]);
        message.extend(body);
        message
    })
}

fn check(bench: &mut Bench, from: std::net::SocketAddr, to: std::net::SocketAddr, data: &[u8]) {
    let sent = bench.deliver(from, to, data);
    assert!(sent.len() <= 1, "one datagram gave {}", sent.len());
    for sent in sent {
        assert!(
            sent.data.len() <= data.len() + MAX_GROWTH,
            "{} gave {sent:?}",
            data.len()
        );
    }
}

/// A client that was there before still has its channel, and a new one can allocate.
fn still_serves(bench: &mut Bench, channel: u16) {
    let sent = bench.deliver(client(), server(), &channel_data(channel, b"alive"));
    assert_eq!(
        sent,
        [Sent {
            from: relay(),
            to: peer(),
            data: b"alive".to_vec()
        }]
    );
    let newcomer = addr("198.51.100.99:9");
    let challenge = bench.request(newcomer, &allocate(None));
    let credentials = Credentials::from_challenge(&challenge);
    assert_eq!(
        bench
            .request(newcomer, &allocate(Some(&credentials)))
            .error(),
        None
    );
}

fn served() -> (Bench, Credentials) {
    let mut bench = Bench::new(&config());
    let credentials = bench.allocated();
    bench.request(client(), &channel_bind(&credentials, CHANNEL, peer()));
    (bench, credentials)
}

proptest! {
    #[test]
    fn random_datagrams(packets in prop::collection::vec(
        (prop::collection::vec(any::<u8>(), 0..600), any::<bool>(), any::<bool>()), 1..40,
    )) {
        let (mut bench, _) = served();
        for (data, known, to_relay) in packets {
            let from = match (known, to_relay) {
                (false, _) => addr("198.51.100.66:6"),
                (true, false) => client(),
                (true, true) => peer(),
            };
            check(&mut bench, from, if to_relay { relay() } else { server() }, &data);
        }
        still_serves(&mut bench, CHANNEL);
    }

    #[test]
    fn random_stun_messages(messages in prop::collection::vec(stun_like(), 1..40)) {
        let (mut bench, _) = served();
        for message in messages {
            check(&mut bench, addr("198.51.100.66:6"), server(), &message);
            check(&mut bench, client(), server(), &message);
        }
        still_serves(&mut bench, CHANNEL);
    }

    #[test]
    fn mutilated_messages(
        steps in prop::collection::vec(
            (0..8_usize, prop::collection::vec(mutilation(), 1..4)), 1..40,
        ),
    ) {
        // From an address of its own, so that a mutilation that leaves a message valid (a flip
        // that clears the reserved bits of an attribute) cannot delete the channel checked below.
        let (mut bench, _) = served();
        let other = addr("198.51.100.67:6");
        let credentials = Credentials::from_challenge(&bench.request(other, &allocate(None)));
        bench.request(other, &allocate(Some(&credentials)));
        let messages = valid_messages(&credentials);
        for (index, mutilations) in steps {
            let mut message = messages[index].clone();
            mutilations.iter().for_each(|mutilation| mutilation.apply(&mut message));
            check(&mut bench, other, server(), &message);
        }
        still_serves(&mut bench, CHANNEL);
    }
}

#[test]
fn a_signed_request_of_unknown_attributes_is_answered_within_bounds() {
    // The longest attribute list that fits a datagram of an Ethernet frame: 350 empty, mandatory,
    // unknown attributes of 4 bytes each.
    let mut bench = Bench::new(&config());
    let mut message = vec![0x00, 0x01, 0x05, 0x78, 0x21, 0x12, 0xA4, 0x42];
    message.extend([3; 12]);
    for number in 0..350_u16 {
        message.extend((0x7000 + number).to_be_bytes());
        message.extend([0, 0]);
    }
    check(&mut bench, client(), server(), &message);
    assert_eq!(bench.request(client(), &message).error(), Some(420));
}

#[test]
fn a_datagram_too_long_to_be_framed_is_dropped() {
    // 65,507 is the longest UDP payload; ChannelData adds 4 bytes.
    let (mut bench, _) = served();
    let fits = vec![0; 65_503];
    assert_eq!(bench.deliver(peer(), relay(), &fits).len(), 1);
    let too_long = vec![0; 65_504];
    assert_eq!(bench.deliver(peer(), relay(), &too_long).len(), 0);
    assert_eq!(bench.core.counters().dropped_from_peers.packets, 1);
}
