//! Credentials of TURN that expire.

use std::time::Duration;

use scenarios::Plan;
use sim::SimRuntime;
use sim::entropy::EPOCH;

use crate::infra::signaling::{Issuer, Name, TurnCredentials};
use crate::infra::turn::SharedSecret;

/// What the signalling server and the TURN server share if credentials expire.
pub(super) const TURN_SECRET: &str = "north of the wall";

/// Hands out credentials that expire.
#[derive(Debug)]
pub(super) struct CredentialDesk {
    runtime: SimRuntime,
    secret: SharedSecret,
    lifetime: Duration,
}

impl CredentialDesk {
    /// Opens if credentials expire and participants are to have good ones.
    pub(super) fn open(runtime: &SimRuntime, plan: &Plan) -> Option<Self> {
        match plan.servers.turn_credentials {
            scenarios::TurnCredentials::Expiring { lifetime, .. }
                if plan.servers.ice.turn.works() =>
            {
                Some(CredentialDesk {
                    runtime: runtime.clone(),
                    secret: SharedSecret::new(TURN_SECRET),
                    lifetime,
                })
            }
            _ => None,
        }
    }
}

impl Issuer for CredentialDesk {
    fn issue(&self, name: &Name) -> TurnCredentials {
        let until = EPOCH + self.runtime.time().since_start() + self.lifetime;
        let issued = self.secret.issue(name.as_str(), until);
        TurnCredentials {
            username: issued.username,
            password: issued.password,
            ttl: self.lifetime.as_secs() as u32,
        }
    }
}
