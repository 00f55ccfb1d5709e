//! A work-around for DTLS handshakes that stop for good when a flight is lost.
//!
//! Whoever has sent a flight and sees the other end repeat its own has to repeat the flight (RFC
//! 6347 section 4.2.4). The stack cancels its retransmission timer instead, on any handshake record
//! that comes in, and never starts it again. So a lost flight 4 is not sent again once the client's
//! flight 3 is repeated, and a lost flight 5 not once the server's flight 4 is. Both ends have the
//! same timer, of 1 s, so that one of the two comes in when the own one is due.
//!
//! Connections that ask for it therefore do not see datagrams that hold nothing but handshake
//! messages which they have had: the own timer goes on, and repeats the flight. Datagrams with a
//! Finished message, which is encrypted, always pass; the stack does answer these.

use std::collections::BTreeSet;

/// Content type and length of the header of a DTLS record (RFC 6347 section 4.1).
const HANDSHAKE: u8 = 22;
const RECORD_HEADER: usize = 13;
/// Type and length of the header of a handshake message (RFC 6347 section 4.2.2).
const CLIENT_HELLO: u8 = 1;
const MESSAGE_HEADER: usize = 12;
/// Of TURN (RFC 8656 sections 12.4 and 18, RFC 8489 section 5).
const CHANNEL_HEADER: usize = 4;
const DATA_INDICATION: [u8; 2] = [0x00, 0x17];
const DATA: u16 = 0x0013;
const STUN_HEADER: usize = 20;

/// A fragment of a handshake message: number, offset and length.
type Fragment = (u16, u32, u32);

/// The handshake messages that one connection has had.
#[derive(Debug, Default)]
pub(crate) struct Handshakes {
    seen: BTreeSet<Fragment>,
}

impl Handshakes {
    /// Takes note of a datagram; whether it only repeats what was there before.
    pub(crate) fn repeats(&mut self, datagram: &[u8]) -> bool {
        let Some(fragments) = unrelayed(datagram).and_then(fragments) else {
            return false;
        };
        let mut repeats = true;
        for (kind, fragment) in fragments {
            repeats &= !self.seen.insert(fragment) && !self.asks_again(kind, fragment);
        }
        repeats
    }

    /// Whether it is the first ClientHello, before the second one. The answer to it has no timer
    /// (RFC 6347 section 4.2.1), and is lost if it is asked for again.
    fn asks_again(&self, kind: u8, (number, ..): Fragment) -> bool {
        let newest = self.seen.last().map_or(0, |(number, ..)| *number);
        kind == CLIENT_HELLO && number == 0 && newest == 0
    }
}

/// What a TURN server wraps; anything else as it is.
fn unrelayed(datagram: &[u8]) -> Option<&[u8]> {
    match datagram {
        [0x40..=0x4F, ..] => {
            let length = usize::from(u16_at(datagram, 2)?);
            datagram.get(CHANNEL_HEADER..CHANNEL_HEADER + length)
        }
        _ if datagram.starts_with(&DATA_INDICATION) => data(datagram.get(STUN_HEADER..)?),
        _ => Some(datagram),
    }
}

/// The DATA among the attributes of a STUN message.
fn data(mut attributes: &[u8]) -> Option<&[u8]> {
    loop {
        let (kind, length) = (u16_at(attributes, 0)?, usize::from(u16_at(attributes, 2)?));
        let value = attributes.get(4..4 + length)?;
        if kind == DATA {
            return Some(value);
        }
        attributes = attributes.get(4 + length.next_multiple_of(4)..)?;
    }
}

/// The handshake messages in a datagram with their types; `None` if there is anything else in it,
/// or anything encrypted, which is what epochs after the first are.
fn fragments(mut datagram: &[u8]) -> Option<Vec<(u8, Fragment)>> {
    let mut fragments = Vec::new();
    while !datagram.is_empty() {
        let (header, rest) = datagram.split_at_checked(RECORD_HEADER)?;
        let plain_handshake = header[0] == HANDSHAKE && u16_at(header, 3)? == 0;
        let length = usize::from(u16_at(header, 11)?);
        let (mut record, rest) = rest.split_at_checked(length)?;
        if !plain_handshake {
            return None;
        }
        while !record.is_empty() {
            let (header, rest) = record.split_at_checked(MESSAGE_HEADER)?;
            let length = u24_at(header, 9)?;
            let fragment = (u16_at(header, 4)?, u24_at(header, 6)?, length);
            fragments.push((header[0], fragment));
            record = rest.get(length as usize..)?;
        }
        datagram = rest;
    }
    (!fragments.is_empty()).then_some(fragments)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at + 2)?;
    Some(u16::from_be_bytes([bytes[0], bytes[1]]))
}

fn u24_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 3)?;
    Some(u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER_HELLO: u8 = 2;

    /// A record with one whole handshake message of 5 bytes.
    fn record(content: u8, epoch: u8, kind: u8, number: u8) -> Vec<u8> {
        let mut bytes = vec![content, 254, 253, 0, epoch, 0, 0, 0, 0, 0, 9, 0, 17];
        bytes.extend([kind, 0, 0, 5, 0, number, 0, 0, 0, 0, 0, 5]);
        bytes.extend([7; 5]);
        bytes
    }

    fn message(kind: u8, number: u8) -> Vec<u8> {
        record(HANDSHAKE, 0, kind, number)
    }

    #[test]
    fn what_was_there_before_is_a_repeat_and_what_adds_to_it_is_not() {
        let mut client = Handshakes::default();
        let flight = [message(SERVER_HELLO, 1), message(11, 2)].concat();
        assert!(!client.repeats(&message(SERVER_HELLO, 1)));
        assert!(!client.repeats(&flight), "message 2 is new");
        assert!(client.repeats(&flight));
        assert!(client.repeats(&message(11, 2)));
    }

    #[test]
    fn a_fragment_is_another_one_by_its_offset() {
        let mut client = Handshakes::default();
        let first = message(SERVER_HELLO, 1);
        let mut second = first.clone();
        second[RECORD_HEADER + 8] = 5;
        assert!(!client.repeats(&first));
        assert!(!client.repeats(&second));
        assert!(client.repeats(&second));
    }

    #[test]
    fn the_first_client_hello_is_answered_until_the_second_one() {
        let mut server = Handshakes::default();
        let (first, second) = (message(CLIENT_HELLO, 0), message(CLIENT_HELLO, 1));
        assert!(!server.repeats(&first));
        assert!(!server.repeats(&first), "HelloVerifyRequest was lost");
        assert!(!server.repeats(&second));
        assert!(server.repeats(&second));
        assert!(server.repeats(&first));
    }

    #[test]
    fn what_is_encrypted_or_no_handshake_always_passes() {
        let mut end = Handshakes::default();
        let finished = [message(16, 3), record(HANDSHAKE, 1, 20, 4)].concat();
        let others = [
            finished,
            record(23, 0, 1, 1),
            vec![],
            vec![0; 40],
            vec![22; 9],
        ];
        for datagram in others {
            assert!(!end.repeats(&datagram));
            assert!(!end.repeats(&datagram));
        }
    }

    #[test]
    fn a_relay_changes_nothing() {
        // RFC 8656 section 12.4: channel number, length, data. RFC 8489 sections 5 and 14: type,
        // length, cookie and transaction, then attributes, each padded to 4 bytes; here XOR-PEER-
        // ADDRESS (0x0012) of 8 bytes and DATA (0x0013) of 30, padded with 2.
        let message = message(SERVER_HELLO, 1);
        assert_eq!(message.len(), 30);
        let channel = [&[0x40, 1, 0, 30], &*message].concat();
        let mut indication = vec![0, 0x17, 0, 12 + 36, 0x21, 0x12, 0xA4, 0x42];
        indication.extend([5; 12]);
        indication.extend([0, 0x12, 0, 8, 0, 1, 2, 3, 4, 5, 6, 7, 0, 0x13, 0, 30]);
        indication.extend(message.iter().chain(&[0, 0]));
        for (first, second) in [(&channel, &indication), (&indication, &channel)] {
            let mut client = Handshakes::default();
            assert!(!client.repeats(first));
            assert!(client.repeats(second));
            assert!(client.repeats(&message));
        }
    }
}
