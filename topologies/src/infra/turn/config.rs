//! What a TURN server is told before it starts.

use std::collections::BTreeMap;
use std::time::Duration;

use thiserror::Error;
use turn_types::stun::attribute::{Realm, Username};

use super::expiring::ExpiringUsers;

/// The shortest nonce lifetime that the protocol implementation accepts.
pub const MIN_NONCE_LIFETIME: Duration = Duration::from_secs(30);

/// Realm, users and lifetimes of a TURN server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnConfig {
    /// The realm of the long-term credentials (RFC 8489, 9.2), at most 763 bytes.
    pub realm: String,
    /// Passwords by user name. Names are at most 513 bytes.
    pub users: BTreeMap<String, String>,
    /// Users whose names say until when they are good; `None` without any.
    pub expiring: Option<ExpiringUsers>,
    /// How long a nonce is valid; older ones are answered with 438 (Stale Nonce). At least
    /// [`MIN_NONCE_LIFETIME`]. RFC 8656, 5 recommends at most an hour, the default.
    pub nonce_lifetime: Duration,
}

/// Why a [`TurnConfig`] was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TurnConfigError {
    /// The realm does not fit its attribute (RFC 8489, 14.9).
    #[error("the realm is {0} bytes long; at most 763 fit a REALM attribute")]
    Realm(usize),
    /// A user name does not fit its attribute (RFC 8489, 14.3).
    #[error("the user name {0:?} does not fit a USERNAME attribute of at most 513 bytes")]
    User(String),
    /// The nonce lifetime is too short.
    #[error("the nonce lifetime is {0:?}; at least {MIN_NONCE_LIFETIME:?} is needed")]
    NonceLifetime(Duration),
}

impl TurnConfig {
    /// A realm without users, and nonces that live for an hour.
    pub fn new(realm: impl Into<String>) -> Self {
        TurnConfig {
            realm: realm.into(),
            users: BTreeMap::new(),
            expiring: None,
            nonce_lifetime: Duration::from_secs(3600),
        }
    }

    /// Adds a user, or replaces its password.
    pub fn with_user(mut self, name: impl Into<String>, password: impl Into<String>) -> Self {
        self.users.insert(name.into(), password.into());
        self
    }

    /// Adds users whose names say until when they are good.
    pub fn with_expiring_users(mut self, users: ExpiringUsers) -> Self {
        self.expiring = Some(users);
        self
    }

    /// Sets how long a nonce is valid.
    pub fn with_nonce_lifetime(mut self, lifetime: Duration) -> Self {
        self.nonce_lifetime = lifetime;
        self
    }

    /// Checks what the protocol implementation would otherwise panic on.
    pub(super) fn validate(&self) -> Result<(), TurnConfigError> {
        if Realm::new(&self.realm).is_err() {
            return Err(TurnConfigError::Realm(self.realm.len()));
        }
        if let Some(name) = self.users.keys().find(|name| Username::new(name).is_err()) {
            return Err(TurnConfigError::User(name.clone()));
        }
        if self.nonce_lifetime < MIN_NONCE_LIFETIME {
            return Err(TurnConfigError::NonceLifetime(self.nonce_lifetime));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_does_not_fit() {
        // RFC 8489, 14.9 and 14.3: a REALM is at most 763 bytes, a USERNAME at most 513.
        assert_eq!(TurnConfig::new("r".repeat(763)).validate(), Ok(()));
        assert_eq!(
            TurnConfig::new("r".repeat(764)).validate(),
            Err(TurnConfigError::Realm(764))
        );
        let user = |length: usize| TurnConfig::new("r").with_user("u".repeat(length), "p");
        assert_eq!(user(513).validate(), Ok(()));
        assert!(matches!(
            user(514).validate(),
            Err(TurnConfigError::User(_))
        ));
    }

    #[test]
    fn nonces_live_half_a_minute_at_least() {
        let config = |ms| TurnConfig::new("r").with_nonce_lifetime(Duration::from_millis(ms));
        assert_eq!(config(30_000).validate(), Ok(()));
        assert!(config(29_999).validate().is_err());
    }
}
