//! The first packet of a stream: a connectivity check that says whom it is for.

use std::io;

use turn_types::stun::attribute::Username;
use turn_types::stun::message::Message;
use webrtc::runtime::AsyncTcpStream;

/// Bytes before each packet: its length (RFC 4571 section 2).
pub(super) const FRAME_HEADER: usize = 2;

/// Reads one packet with its header, and not a byte of the next one.
///
/// # Errors
///
/// [`io::ErrorKind::UnexpectedEof`] if the stream ends before it.
pub(super) async fn read_packet(stream: &dyn AsyncTcpStream) -> io::Result<Vec<u8>> {
    let mut packet = Vec::new();
    read_to(stream, &mut packet, FRAME_HEADER).await?;
    let length = usize::from(u16::from_be_bytes([packet[0], packet[1]]));
    read_to(stream, &mut packet, FRAME_HEADER + length).await?;
    Ok(packet)
}

async fn read_to(
    stream: &dyn AsyncTcpStream,
    packet: &mut Vec<u8>,
    length: usize,
) -> io::Result<()> {
    let mut filled = packet.len();
    packet.resize(length, 0);
    while filled < length {
        match stream.read(&mut packet[filled..]).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => filled += read,
        }
    }
    Ok(())
}

/// The user name fragment of whom a connectivity check is for: what is before the colon of its user
/// name (RFC 8445 section 7.2.2). `None` if it is no such check.
pub(super) fn receiver(packet: &[u8]) -> Option<String> {
    let message = Message::from_bytes(packet).ok()?;
    let name = message.attribute::<Username>().ok()?;
    let (fragment, _) = name.username().split_once(':')?;
    Some(fragment.to_owned())
}

#[cfg(test)]
mod tests {
    use turn_types::stun::message::{BINDING, MessageWrite, MessageWriteExt, MessageWriteVec};

    use super::*;

    fn check(name: &str) -> Vec<u8> {
        let mut message = Message::builder_request(BINDING, MessageWriteVec::new());
        message
            .add_attribute(&Username::new(name).unwrap())
            .unwrap();
        message.finish()
    }

    #[test]
    fn a_check_names_its_receiver_first() {
        // RFC 8445 section 7.2.2: LFRAG of the sender, RFRAG of the receiver: "RFRAG:LFRAG".
        assert_eq!(receiver(&check("RFRAG:LFRAG")).as_deref(), Some("RFRAG"));
    }

    #[test]
    fn what_is_no_check_is_for_nobody() {
        assert_eq!(receiver(&check("nobody")), None);
        assert_eq!(receiver(b"GET / HTTP/1.1\r\n"), None);
        assert_eq!(receiver(&[]), None);
    }
}
