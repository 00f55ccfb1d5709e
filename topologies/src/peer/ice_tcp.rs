//! ICE over TCP (RFC 6544): a server waits at a port, and participants connect to it.
//!
//! Participants wait for nobody, as browsers do: between two of them there is no TCP.
//!
//! The stack falls short of that in three places. It offers an active candidate only along with a
//! passive one, so the passive one is taken out of what a participant says. It connects only to
//! candidates that come one by one, so those of a description are added to it again. And it has a
//! listener for each connection, so those of a server share a port by a [`Slot`].

use std::fmt;
use std::future::pending;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;

use rtc::peer_connection::transport::RTCIceCandidateInit;
use webrtc::runtime::{AsyncTcpListener, AsyncTcpStream};

use crate::infra::ice_tcp::Slot;

/// The port of active candidates, which nobody connects to (RFC 6544 section 4.5).
const DISCARD: u16 = 9;
/// How lines of a description that are candidates begin (RFC 8839 section 5.1).
const CANDIDATE: &str = "a=candidate:";
/// How lines that name the user name fragment begin (RFC 8839 section 5.4).
const FRAGMENT: &str = "a=ice-ufrag:";
/// How candidates end that wait to be connected to (RFC 6544 section 4.5).
const PASSIVE: &str = "tcptype passive";

/// A future of the stack's traits.
type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a connection does about TCP.
#[derive(Clone, Debug)]
pub enum IceTcp {
    /// It connects to the other end.
    Active,
    /// It waits at a port.
    Passive(Slot),
}

impl IceTcp {
    /// The port to bind.
    pub fn port(&self) -> u16 {
        match self {
            IceTcp::Active => DISCARD,
            IceTcp::Passive(slot) => slot.port(),
        }
    }

    /// What the stack gets in place of a listener.
    ///
    /// # Errors
    ///
    /// If `listener` has no address.
    pub fn listener(&self, listener: &TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        Ok(match self {
            IceTcp::Active => Arc::new(Deaf(listener.local_addr()?)),
            IceTcp::Passive(slot) => Arc::new(slot.clone()),
        })
    }

    /// The description that is to be signalled for an own one, which the stack made.
    pub fn signaled(&self, sdp: String) -> String {
        match self {
            IceTcp::Active => {
                let lines = sdp.split_inclusive('\n');
                lines.filter(|line| !self.conceals(line)).collect()
            }
            IceTcp::Passive(slot) => {
                fragment(&sdp)
                    .into_iter()
                    .for_each(|name| slot.is_called(name));
                sdp
            }
        }
    }

    /// Whether an own candidate is not to be signalled.
    pub fn conceals(&self, candidate: &str) -> bool {
        matches!(self, IceTcp::Active) && candidate.trim_end().ends_with(PASSIVE)
    }

    /// The candidates of the other end's description to connect to.
    pub fn to_connect_to(&self, sdp: &str) -> Vec<RTCIceCandidateInit> {
        let candidate = |line: &str| {
            let passive = line.starts_with(CANDIDATE) && line.ends_with(PASSIVE);
            let candidate = line.strip_prefix("a=").filter(|_| passive)?;
            Some(RTCIceCandidateInit {
                candidate: candidate.to_owned(),
                ..Default::default()
            })
        };
        match self {
            IceTcp::Active => sdp.lines().filter_map(candidate).collect(),
            IceTcp::Passive(_) => Vec::new(),
        }
    }
}

/// The user name fragment of a description.
pub fn fragment(sdp: &str) -> Option<&str> {
    sdp.lines().find_map(|line| line.strip_prefix(FRAGMENT))
}

/// A listener that nobody connects to: the stack wants one for an active candidate.
struct Deaf(SocketAddr);

impl fmt::Debug for Deaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Deaf").field(&self.0).finish()
    }
}

impl AsyncTcpListener for Deaf {
    fn accept<'a>(&'a self) -> Later<'a, io::Result<(Arc<dyn AsyncTcpStream>, SocketAddr)>> {
        Box::pin(pending())
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UDP: &str = "a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host";
    const ACTIVE: &str = "a=candidate:2 1 tcp 2128609279 192.0.2.1 9 typ host tcptype active";
    const WAITING: &str = "a=candidate:3 1 tcp 2124414975 192.0.2.1 443 typ host tcptype passive";

    fn sdp(candidates: &[&str]) -> String {
        let mut lines = vec!["v=0", "a=ice-ufrag:abcd"];
        lines.extend(candidates);
        lines.join("\r\n") + "\r\n"
    }

    #[test]
    fn a_participant_offers_to_connect_and_not_to_be_connected_to() {
        let signaled = IceTcp::Active.signaled(sdp(&[UDP, WAITING, ACTIVE]));
        assert_eq!(signaled, sdp(&[UDP, ACTIVE]));
        assert!(IceTcp::Active.conceals(WAITING));
        assert!(!IceTcp::Active.conceals(ACTIVE));
    }

    #[test]
    fn it_connects_to_what_waits_and_to_nothing_else() {
        let found = IceTcp::Active.to_connect_to(&sdp(&[UDP, ACTIVE, WAITING]));
        let found: Vec<_> = found.iter().map(|init| init.candidate.as_str()).collect();
        assert_eq!(found, [&WAITING[2..]]);
    }

    #[test]
    fn a_description_names_its_fragment() {
        assert_eq!(fragment(&sdp(&[UDP])), Some("abcd"));
        assert_eq!(fragment("v=0\r\n"), None);
    }
}
