//! What a UDP payload carries, told by its first bytes (RFC 7983).

/// STUN header bytes (RFC 8489 section 5).
const STUN_HEADER: usize = 20;
/// ChannelData header bytes (RFC 8656 section 12.4).
const CHANNEL_HEADER: usize = 4;
/// The DATA attribute (RFC 8656 section 18.4).
const ATTRIBUTE_DATA: u16 = 0x0013;
/// The content type of application data in DTLS 1.2 (RFC 5246 section 6.2.1). What other records
/// follow in the same datagram counts as the first one.
const APPLICATION_DATA: u8 = 23;
/// Send and Data indications (RFC 8656 section 17).
const INDICATIONS: [u16; 2] = [0x0016, 0x0017];

/// What a datagram is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// SRTP: the stream, its sequence number, and the payload bytes with the authentication tag.
    Rtp {
        /// Synchronisation source.
        ssrc: u32,
        /// Sequence number.
        sequence: u16,
        /// RTP timestamp.
        timestamp: u32,
        /// Bytes after the RTP header.
        payload: usize,
    },
    /// SRTCP.
    Rtcp,
    /// STUN, TURN control included.
    Stun,
    /// DTLS, but for application data.
    Dtls,
    /// DTLS application data: SCTP (RFC 8261), since media does not go over DTLS.
    Data,
    /// None of these.
    Other,
}

/// A datagram's class, and the bytes that relaying adds to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classified {
    /// What it is for; of a relayed datagram, what the relayed part is for.
    pub class: Class,
    /// Bytes of the ChannelData or indication around the relayed part, padding included; `None`
    /// if the datagram is not between a client and its relay.
    pub relay_overhead: Option<usize>,
}

/// Classifies a UDP payload.
pub fn classify(data: &[u8]) -> Classified {
    match relayed_part(data) {
        Some(inner) => Classified {
            class: bare(inner),
            relay_overhead: Some(data.len() - inner.len()),
        },
        None => Classified {
            class: bare(data),
            relay_overhead: None,
        },
    }
}

fn bare(data: &[u8]) -> Class {
    match data.first() {
        Some(0..=3) => Class::Stun,
        Some(&APPLICATION_DATA) => Class::Data,
        Some(20..=63) => Class::Dtls,
        Some(128..=191) => rtp_or_rtcp(data),
        _ => Class::Other,
    }
}

fn rtp_or_rtcp(data: &[u8]) -> Class {
    if data.len() < 12 {
        return Class::Other;
    }
    // RFC 5761 section 4: packet types 192 to 223 are RTCP.
    if (192..=223).contains(&data[1]) {
        return Class::Rtcp;
    }
    let mut header = 12 + 4 * usize::from(data[0] & 0x0f);
    if data[0] & 0x10 != 0 {
        let Some(words) = data.get(header + 2..header + 4) else {
            return Class::Other;
        };
        header += 4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]));
    }
    Class::Rtp {
        ssrc: u32::from_be_bytes([data[8], data[9], data[10], data[11]]),
        sequence: u16::from_be_bytes([data[2], data[3]]),
        timestamp: u32::from_be_bytes([data[4], data[5], data[6], data[7]]),
        payload: data.len().saturating_sub(header),
    }
}

/// What a ChannelData message or a Send or Data indication carries.
fn relayed_part(data: &[u8]) -> Option<&[u8]> {
    let word = |at: usize| Some(u16::from_be_bytes([*data.get(at)?, *data.get(at + 1)?]));
    match data.first()? {
        // Channel numbers 0x4000 to 0x4FFF.
        64..=79 => data.get(CHANNEL_HEADER..CHANNEL_HEADER + usize::from(word(2)?)),
        0..=3 if INDICATIONS.contains(&word(0)?) => {
            let mut at = STUN_HEADER;
            loop {
                let length = usize::from(word(at + 2)?);
                if word(at)? == ATTRIBUTE_DATA {
                    return data.get(at + 4..at + 4 + length);
                }
                // Attributes are padded to four bytes (RFC 8489 section 14).
                at += 4 + length.next_multiple_of(4);
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rtp(extension_words: u16, payload: usize) -> Vec<u8> {
        let mut data = vec![0x80, 102, 0x12, 0x34, 0, 0, 0, 9, 0xde, 0xad, 0xbe, 0xef];
        if extension_words > 0 {
            data[0] |= 0x10;
            data.extend([0xbe, 0xde]);
            data.extend(extension_words.to_be_bytes());
            data.resize(data.len() + 4 * usize::from(extension_words), 0);
        }
        data.resize(data.len() + payload, 7);
        data
    }

    #[test]
    fn rtp_with_and_without_extensions() {
        let class = Class::Rtp {
            ssrc: 0xdead_beef,
            sequence: 0x1234,
            timestamp: 9,
            payload: 50,
        };
        for extension_words in [0, 1, 3] {
            let got = classify(&rtp(extension_words, 50));
            assert_eq!(got.class, class);
            assert_eq!(got.relay_overhead, None);
        }
    }

    #[test]
    fn relayed_packets_count_as_what_they_carry() {
        let inner = rtp(0, 50);
        let mut channel = vec![0x40, 0x01, 0, inner.len() as u8];
        channel.extend(&inner);
        let got = classify(&channel);
        assert!(matches!(got.class, Class::Rtp { payload: 50, .. }));
        assert_eq!(got.relay_overhead, Some(4));

        // Data indication: 20 bytes of header, XOR-PEER-ADDRESS of 4 + 8, DATA of 4 + 62 padded
        // to 64: 20 + 12 + 4 + 2 = 38 bytes around the packet.
        let mut indication = vec![0x00, 0x17, 0, 80];
        indication.resize(20, 0);
        indication.extend([0x00, 0x12, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
        indication.extend([0x00, 0x13, 0, inner.len() as u8]);
        indication.extend(&inner);
        indication.extend([0, 0]);
        let got = classify(&indication);
        assert!(matches!(got.class, Class::Rtp { payload: 50, .. }));
        assert_eq!(got.relay_overhead, Some(38));
    }

    #[test]
    fn first_bytes_tell_the_rest() {
        let class = |first: u8, second: u8| {
            let mut data = [0; 20];
            (data[0], data[1]) = (first, second);
            classify(&data).class
        };
        assert_eq!(class(0, 1), Class::Stun);
        // Change cipher spec, handshake, and application data.
        assert_eq!(class(20, 254), Class::Dtls);
        assert_eq!(class(22, 254), Class::Dtls);
        assert_eq!(class(23, 254), Class::Data);
        assert_eq!(class(0x80, 200), Class::Rtcp);
        assert_eq!(class(200, 0), Class::Other);
        assert_eq!(classify(&[]).class, Class::Other);
    }

    proptest! {
        #[test]
        fn any_bytes_classify(data in proptest::collection::vec(any::<u8>(), 0..64)) {
            let got = classify(&data);
            prop_assert!(got.relay_overhead.unwrap_or(0) <= data.len());
        }
    }
}
