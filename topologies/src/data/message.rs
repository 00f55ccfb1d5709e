//! The header of a message: whose it is, its number, and when it was made.

use sim::Time;

/// Bytes of the header.
pub const HEADER: usize = scenarios::DataPlan::HEADER as usize;

/// What a message says about itself, in network byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The participant that made it.
    pub sender: u16,
    /// Whether it ends a file.
    pub last: bool,
    /// Counts from 0 for each workload, sender and channel.
    pub sequence: u32,
    /// When it was made.
    pub made: Time,
}

impl Header {
    /// The header as bytes.
    pub fn to_bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..2].copy_from_slice(&self.sender.to_be_bytes());
        bytes[3] = u8::from(self.last);
        bytes[4..8].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[8..].copy_from_slice(&self.made.as_nanos().to_be_bytes());
        bytes
    }

    /// The header of a message, and what follows it; `None` if the message is too short.
    pub fn split(message: &[u8]) -> Option<(Self, &[u8])> {
        let (head, body) = message.split_at_checked(HEADER)?;
        let [s0, s1, _, last, n0, n1, n2, n3, made @ ..] = head else {
            return None;
        };
        let header = Header {
            sender: u16::from_be_bytes([*s0, *s1]),
            last: *last != 0,
            sequence: u32::from_be_bytes([*n0, *n1, *n2, *n3]),
            made: Time::from_nanos(u64::from_be_bytes(made.try_into().ok()?)),
        };
        Some((header, body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back_and_leaves_the_body() {
        let header = Header {
            sender: 0x1234,
            last: true,
            sequence: 0x8000_0001,
            made: Time::from_nanos(u64::MAX - 1),
        };
        let message = [&header.to_bytes()[..], b"body"].concat();
        assert_eq!(message.len(), 20);
        assert_eq!(Header::split(&message), Some((header, &b"body"[..])));
        assert_eq!(Header::split(&message[..15]), None);
    }
}
