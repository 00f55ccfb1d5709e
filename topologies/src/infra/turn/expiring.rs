//! Credentials that expire (draft-uberti-behave-turn-rest-00, section 2.2).
//!
//! Whoever hands them out and the server share a secret, and nothing else: the user name says until
//! when it is good, in seconds since 1970, and the password is the Base64 of its HMAC-SHA1 under the
//! secret. So the server knows nobody by name.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, Mac};
use sha1::Sha1;

/// What who hands out credentials and a TURN server share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedSecret(String);

/// A name and a password that are good for some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Until when it is good, and for whom.
    pub username: String,
    /// Its password.
    pub password: String,
}

impl SharedSecret {
    /// A secret of any length.
    pub fn new(secret: impl Into<String>) -> Self {
        SharedSecret(secret.into())
    }

    /// Credentials for `user` that are good until a time since 1970, less parts of a second.
    pub fn issue(&self, user: &str, until: Duration) -> Issued {
        let username = format!("{}:{user}", until.as_secs());
        Issued {
            password: self.password(&username),
            username,
        }
    }

    fn password(&self, username: &str) -> String {
        let mut mac =
            Hmac::<Sha1>::new_from_slice(self.0.as_bytes()).expect("HMAC takes keys of any length");
        mac.update(username.as_bytes());
        BASE64_STANDARD.encode(mac.finalize().into_bytes())
    }
}

/// What a server does about such credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpiringUsers {
    /// What passwords follow from.
    pub secret: SharedSecret,
    /// When the server starts, since 1970.
    pub started: Duration,
    /// Whether requests about an allocation that exists are refused, too, when they have expired.
    pub every_request: bool,
}

impl ExpiringUsers {
    /// The password that a request is to be signed with, at a time since the server's start; `None`
    /// if the name is not of this kind. Of one that is refused, nobody knows the password.
    pub(super) fn password(
        &self,
        username: &str,
        now: Duration,
        allocates: bool,
    ) -> Option<String> {
        let (until, _user) = username.split_once(':')?;
        let until = Duration::from_secs(until.parse().ok()?);
        let expired = self.started + now > until;
        Some(match expired && (allocates || self.every_request) {
            true => self.secret.password(&format!("expired {username}")),
            false => self.secret.password(username),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_mac_of_the_name() {
        // printf '1767225660:alice' | openssl dgst -sha1 -hmac north -binary | base64
        let issued = SharedSecret::new("north").issue("alice", Duration::from_secs(1_767_225_660));
        assert_eq!(issued.username, "1767225660:alice");
        assert_eq!(issued.password, "mDIKKD+TyMWTHBamnxG8rPqZXi0=");
    }

    #[test]
    fn names_of_another_kind_are_not_judged() {
        let users = ExpiringUsers {
            secret: SharedSecret::new("north"),
            started: Duration::ZERO,
            every_request: false,
        };
        for name in ["alice", "alice:5", ":5", "5"] {
            assert_eq!(users.password(name, Duration::ZERO, true), None, "{name}");
        }
    }
}
