//! A work-around for relayed packets that the stack holds back.
//!
//! The stack's driver writes out what its TURN client has before it writes out what its core has,
//! so a packet that the core hands to the TURN client waits for the driver's next wake, up to
//! 200 ms. Sockets that ask for it are therefore nudged with an empty datagram after each instant
//! at which their owner ran, twice: the first wake moves the core's packet into the TURN client
//! and the second one writes out what that produced.

use std::collections::BTreeMap;

use crate::kernel::SocketId;

/// Nudges after an instant at which a socket's owner ran.
const NUDGES: u8 = 2;

/// Which sockets are to be nudged at the end of this instant.
#[derive(Debug, Default)]
pub(crate) struct Flush {
    due: BTreeMap<SocketId, u8>,
    nudging: bool,
}

impl Flush {
    /// The owner of a socket polled it: it ran at this instant.
    pub(crate) fn ran(&mut self, socket: SocketId) {
        if !self.nudging {
            self.due.insert(socket, NUDGES);
        }
    }

    /// The socket is closed.
    pub(crate) fn forget(&mut self, socket: SocketId) {
        self.due.remove(&socket);
    }

    /// Takes the next nudge that is due and starts nudging.
    pub(crate) fn next(&mut self) -> Option<SocketId> {
        let mut entry = self.due.first_entry()?;
        let socket = *entry.key();
        *entry.get_mut() -= 1;
        if *entry.get() == 0 {
            entry.remove();
        }
        self.nudging = true;
        Some(socket)
    }

    /// The tasks that a nudge woke are done.
    pub(crate) fn done(&mut self) {
        self.nudging = false;
    }

    /// Whether tasks run only because of a nudge.
    pub(crate) fn nudging(&self) -> bool {
        self.nudging
    }
}
