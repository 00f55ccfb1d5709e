//! Where the TURN credentials come from that a server hands out.

use std::fmt::Debug;

use super::name::Name;
use super::protocol::TurnCredentials;

/// Makes TURN credentials.
pub trait Issuer: Debug + Send + Sync {
    /// Credentials for a participant that are good from now on.
    fn issue(&self, name: &Name) -> TurnCredentials;
}
