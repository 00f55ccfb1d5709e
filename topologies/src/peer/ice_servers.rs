//! The servers that gathering asks.

use rtc::peer_connection::configuration::RTCIceServer;

use super::channels::Passwords;
use crate::infra::signaling::TurnCredentials;

/// How to reach STUN and TURN.
#[derive(Clone, Debug)]
pub struct IceServers(pub Vec<RTCIceServer>);

impl IceServers {
    /// Uses these credentials with every TURN server.
    pub fn authenticate(&mut self, with: &TurnCredentials) {
        for server in self.0.iter_mut().filter(|server| is_turn(server)) {
            server.username.clone_from(&with.username);
            server.credential.clone_from(&with.password);
        }
    }

    /// Tells `passwords` those of all TURN servers.
    pub fn tell(&self, passwords: &Passwords) {
        for server in self.0.iter().filter(|server| is_turn(server)) {
            passwords.learn(&server.username, &server.credential);
        }
    }
}

fn is_turn(server: &RTCIceServer) -> bool {
    server.urls.iter().any(|url| url.starts_with("turn:"))
}
