//! What a connection does when it is up, and when it is lost: restarts of ICE.

use rtc::peer_connection::state::RTCPeerConnectionState;
use std::time::Duration;
use webrtc::error::Result;

use super::{Connection, Input};

/// How long the end that restarts ICE second waits for the offer of the first one: gathering and
/// signalling take half of it on ordinary paths.
const OVERDUE: Duration = Duration::from_secs(1);

impl Connection {
    pub(super) async fn state(&mut self, state: RTCPeerConnectionState) -> Result<()> {
        match state {
            RTCPeerConnectionState::Connected => {
                self.lost = false;
                self.log(|end, now| end.connected = end.connected.or(Some(now)));
                self.media.connected();
                self.report().await;
                Ok(())
            }
            RTCPeerConnectionState::Failed => self.lose().await,
            RTCPeerConnectionState::Disconnected
                if self.context.plan.stack.restart_when_disconnected =>
            {
                self.lose().await
            }
            _ => Ok(()),
        }
    }

    /// One end restarts ICE at once, and the other one a little later, so that restarts do not cross:
    /// the first one may hear all that it asks for, while what is sent to it goes astray.
    async fn lose(&mut self) -> Result<()> {
        self.lost = true;
        if self.context.index < self.remote {
            return self.restart().await;
        }
        let fragment = self.remote_fragment.clone();
        self.later(OVERDUE, Input::Overdue(fragment));
        Ok(())
    }

    pub(super) async fn overdue(&mut self, fragment: Option<String>) -> Result<()> {
        match self.lost && self.remote_fragment == fragment {
            true => self.restart().await,
            false => Ok(()),
        }
    }

    async fn restart(&mut self) -> Result<()> {
        self.gather_again();
        self.connection.restart_ice().await?;
        self.negotiate().await
    }
}
