//! A work-around for relayed calls that fall silent when a TURN nonce is stale.
//!
//! A channel has to be bound again before 10 minutes have passed (RFC 8656 section 12). If that
//! request is the first one after the nonce has expired, the server answers 438, and the client is
//! to repeat it with the nonce of the answer (RFC 8489 section 9.2.5). The stack forgets the channel
//! instead, drops what still comes over it, and binds another number to the same peer. The server
//! has to refuse that with 400 as long as the first one is bound (RFC 8656 section 12.2).
//!
//! So the request is repeated here, and the stack gets the answer to that.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use turn_types::stun::attribute::{
    Attribute, AttributeStaticType, ErrorCode, Fingerprint, MessageIntegrity, Nonce, Realm,
    Username,
};
use turn_types::stun::message::{
    IntegrityAlgorithm, LongTermCredentials, Message, MessageIntegrityCredentials, MessageWrite,
    MessageWriteExt, MessageWriteVec, TransactionId,
};
use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Transmit};

/// How a ChannelBind request begins (RFC 8656 section 17).
const REQUEST: [u8; 2] = [0x00, 0x09];
/// How the answer begins that refuses it (RFC 8489 section 5).
const REFUSAL: [u8; 2] = [0x01, 0x19];
/// How many requests may be open: more than a connection has channels.
const MAX_OPEN: usize = 16;

/// A request without an answer.
#[derive(Debug)]
struct Open {
    server: SocketAddr,
    transaction: TransactionId,
    request: Vec<u8>,
}

/// The passwords that a connection has had, by user name. They may change while an allocation keeps
/// its own.
#[derive(Clone, Debug, Default)]
pub struct Passwords(Arc<Mutex<BTreeMap<String, String>>>);

impl Passwords {
    /// Adds one.
    pub fn learn(&self, username: &str, password: &str) {
        let (username, password) = (username.to_owned(), password.to_owned());
        lock(&self.0).insert(username, password);
    }

    fn of(&self, username: &str) -> Option<LongTermCredentials> {
        let password = lock(&self.0).get(username)?.clone();
        Some(LongTermCredentials::new(username.to_owned(), password))
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The ChannelBind requests of a socket.
#[derive(Debug)]
struct ChannelBinds {
    passwords: Passwords,
    open: VecDeque<Open>,
}

impl ChannelBinds {
    fn new(passwords: Passwords) -> Self {
        ChannelBinds {
            passwords,
            open: VecDeque::new(),
        }
    }

    /// Takes note of what begins like a request, to `server`.
    fn sent(&mut self, server: SocketAddr, datagram: &[u8]) {
        let Ok(message) = Message::from_bytes(datagram) else {
            return;
        };
        let transaction = message.transaction_id();
        self.open.retain(|open| open.transaction != transaction);
        if self.open.len() == MAX_OPEN {
            self.open.pop_front();
        }
        self.open.push_back(Open {
            server,
            transaction,
            request: datagram.to_vec(),
        });
    }

    /// The request to repeat, as it is to be sent, if what begins like a refusal from `server` asks
    /// for that.
    fn refused(&mut self, server: SocketAddr, datagram: &[u8]) -> Option<Vec<u8>> {
        let refusal = Message::from_bytes(datagram).ok()?;
        let code = refusal.attribute::<ErrorCode>().ok()?.code();
        let nonce = refusal.attribute::<Nonce>().ok()?;
        let transaction = refusal.transaction_id();
        let is = |open: &Open| open.server == server && open.transaction == transaction;
        let open = self.open.iter().position(is)?;
        let open = self.open.remove(open)?;
        (code == ErrorCode::STALE_NONCE).then(|| self.again(&open.request, &nonce))?
    }

    /// The same request with another nonce.
    fn again(&self, request: &[u8], nonce: &Nonce) -> Option<Vec<u8>> {
        let request = Message::from_bytes(request).ok()?;
        let realm = request.attribute::<Realm>().ok()?.realm().to_owned();
        let username = request.attribute::<Username>().ok()?.username().to_owned();
        let (kind, transaction) = (request.get_type(), request.transaction_id());
        let mut again = Message::builder(kind, transaction, MessageWriteVec::new());
        let replaced = [Nonce::TYPE, MessageIntegrity::TYPE, Fingerprint::TYPE];
        for (_, attribute) in request.iter_attributes() {
            if !replaced.contains(&attribute.get_type()) {
                again.push_attribute_unchecked(&attribute);
            }
        }
        again.add_attribute(nonce).ok()?;
        let key = MessageIntegrityCredentials::from(self.passwords.of(&username)?.to_key(realm));
        again
            .add_message_integrity(&key, IntegrityAlgorithm::Sha1)
            .ok()?;
        again.add_fingerprint().ok()?;
        Some(again.finish())
    }
}

/// A socket that repeats ChannelBind requests.
#[derive(Debug)]
pub struct SteadyChannels {
    socket: Arc<dyn AsyncUdpSocket>,
    binds: Mutex<ChannelBinds>,
}

impl SteadyChannels {
    /// Repeats the requests from `socket` of users with these passwords.
    pub fn new(socket: Arc<dyn AsyncUdpSocket>, passwords: Passwords) -> Self {
        SteadyChannels {
            socket,
            binds: Mutex::new(ChannelBinds::new(passwords)),
        }
    }
}

impl AsyncUdpSocket for SteadyChannels {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        if transmit.contents.starts_with(&REQUEST) {
            lock(&self.binds).sent(transmit.destination, transmit.contents);
        }
        self.socket.poll_send(cx, transmit)
    }

    /// What asks to repeat a request is handed on as an empty datagram.
    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let received = self.socket.poll_recv(cx, bufs, meta);
        let Poll::Ready(Ok(count)) = received else {
            return received;
        };
        for (buffer, meta) in bufs.iter().zip(meta).take(count) {
            let datagram = &buffer[..meta.len];
            if !datagram.starts_with(&REFUSAL) {
                continue;
            }
            if let Some(again) = lock(&self.binds).refused(meta.addr, datagram) {
                meta.len = 0;
                // If it is not sent, the stack repeats its own request in time.
                let _ = self.socket.poll_send(cx, &datagram_to(meta.addr, &again));
            }
        }
        received
    }
}

fn datagram_to(destination: SocketAddr, contents: &[u8]) -> Transmit<'_> {
    Transmit {
        destination,
        ecn: None,
        contents,
        segment_size: None,
        src_ip: None,
    }
}

#[cfg(test)]
mod tests {
    use turn_types::attribute::ChannelNumber;
    use turn_types::message::CHANNEL_BIND;

    use super::*;

    const SERVER: &str = "192.0.2.1:3478";
    const ELSEWHERE: &str = "192.0.2.2:3478";
    const NEWER: &str = "a newer nonce";

    /// Those of a user, and of the same one later.
    fn passwords() -> Passwords {
        let passwords = Passwords::default();
        passwords.learn("user", "password");
        passwords.learn("later", "another");
        passwords
    }

    fn key() -> MessageIntegrityCredentials {
        let user = passwords().of("user").unwrap();
        user.to_key("realm".to_owned()).into()
    }

    /// A request as a client makes it, with an attribute of its own.
    fn request() -> Vec<u8> {
        let mut message = Message::builder_request(CHANNEL_BIND, MessageWriteVec::new());
        message.add_attribute(&ChannelNumber::new(0x4001)).unwrap();
        message
            .add_attribute(&Username::new("user").unwrap())
            .unwrap();
        message
            .add_attribute(&Realm::new("realm").unwrap())
            .unwrap();
        message.add_attribute(&Nonce::new("old").unwrap()).unwrap();
        message
            .add_message_integrity(&key(), IntegrityAlgorithm::Sha1)
            .unwrap();
        message.add_fingerprint().unwrap();
        message.finish()
    }

    fn refusal(request: &[u8], code: u16) -> Vec<u8> {
        let request = Message::from_bytes(request).unwrap();
        let mut message = Message::builder_error(&request, MessageWriteVec::new());
        message
            .add_attribute(&ErrorCode::builder(code).build().unwrap())
            .unwrap();
        message.add_attribute(&Nonce::new(NEWER).unwrap()).unwrap();
        message.finish()
    }

    /// What becomes of `answer` to a request.
    fn after(request: &[u8], from: &str, answer: &[u8]) -> Option<Vec<u8>> {
        let mut binds = ChannelBinds::new(passwords());
        binds.sent(SERVER.parse().unwrap(), request);
        binds.refused(from.parse().unwrap(), answer)
    }

    #[test]
    fn a_stale_request_is_repeated_with_the_new_nonce_and_nothing_else_is_changed() {
        let first = request();
        let again = after(&first, SERVER, &refusal(&first, 438)).unwrap();
        let (first, again) = (
            Message::from_bytes(&first).unwrap(),
            Message::from_bytes(&again).unwrap(),
        );
        assert_eq!(again.get_type(), first.get_type());
        assert_eq!(again.transaction_id(), first.transaction_id());
        assert_eq!(again.attribute::<Nonce>().unwrap().nonce(), NEWER);
        again.validate_integrity(&key()).unwrap();
        let kept = |message: &Message<'_>| -> Vec<(u16, Vec<u8>)> {
            let replaced = [Nonce::TYPE, MessageIntegrity::TYPE, Fingerprint::TYPE];
            let all = message.iter_attributes();
            let kept = all.filter(|(_, one)| !replaced.contains(&one.get_type()));
            kept.map(|(_, one)| (one.get_type().value(), one.value.to_vec()))
                .collect()
        };
        assert_eq!(kept(&again), kept(&first));
        assert_eq!(kept(&again).len(), 3);
    }

    #[test]
    fn it_is_repeated_once() {
        let first = request();
        let mut binds = ChannelBinds::new(passwords());
        let server = SERVER.parse().unwrap();
        binds.sent(server, &first);
        assert!(binds.refused(server, &refusal(&first, 438)).is_some());
        assert!(binds.refused(server, &refusal(&first, 438)).is_none());
    }

    #[test]
    fn nothing_is_repeated_for_other_answers_and_others_answers() {
        let first = request();
        let stale = refusal(&first, 438);
        assert!(after(&first, ELSEWHERE, &stale).is_none());
        assert!(after(&first, SERVER, &refusal(&first, 400)).is_none());
        assert!(after(&first, SERVER, &refusal(&request(), 438)).is_none());
        assert!(after(&first, SERVER, &first).is_none());
        for length in 0..stale.len() {
            assert!(
                after(&first, SERVER, &stale[..length]).is_none(),
                "{length}"
            );
            assert!(after(&first[..length.min(first.len() - 1)], SERVER, &stale).is_none());
        }
    }

    #[test]
    fn requests_that_nobody_answers_do_not_pile_up() {
        let mut binds = ChannelBinds::new(passwords());
        for _ in 0..3 * MAX_OPEN {
            binds.sent(SERVER.parse().unwrap(), &request());
        }
        assert_eq!(binds.open.len(), MAX_OPEN);
    }
}
