//! A work-around for relayed packets that the stack holds back.
//!
//! The stack's driver writes out what its TURN client has before it writes out what its core has,
//! so a packet that the core hands to the TURN client waits for the driver's next wake, up to
//! 200 ms. Connections that ask for it are therefore nudged with an empty datagram after each
//! instant at which they ran, twice: the first wake moves the core's packet into the TURN client
//! and the second one writes out what that produced.

use std::collections::{BTreeMap, BTreeSet};

use crate::kernel::SocketId;

/// Nudges after an instant at which a connection ran.
const NUDGES: u8 = 2;

/// The tasks and sockets of one connection that is to be nudged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FlushGroup(u32);

#[derive(Debug, Default)]
struct Group {
    sockets: BTreeSet<SocketId>,
    rests: bool,
}

/// Which connections are to be nudged at the end of this instant.
#[derive(Debug, Default)]
pub(crate) struct Flush {
    groups: Vec<Group>,
    due: BTreeMap<FlushGroup, u8>,
    nudging: bool,
}

impl Flush {
    /// A connection without sockets.
    pub(crate) fn group(&mut self) -> FlushGroup {
        self.groups.push(Group::default());
        FlushGroup(self.groups.len() as u32 - 1)
    }

    /// Whether a connection has nothing to relay for now, and needs no nudges.
    pub(crate) fn rest(&mut self, group: FlushGroup, rests: bool) {
        self.groups[group.0 as usize].rests = rests;
    }

    /// A socket of a connection was bound.
    pub(crate) fn bound(&mut self, group: FlushGroup, socket: SocketId) {
        self.groups[group.0 as usize].sockets.insert(socket);
    }

    /// A socket of a connection was closed.
    pub(crate) fn closed(&mut self, group: FlushGroup, socket: SocketId) {
        self.groups[group.0 as usize].sockets.remove(&socket);
    }

    /// A task of a connection ran at this instant.
    pub(crate) fn ran(&mut self, group: FlushGroup) {
        if !self.nudging && !self.groups[group.0 as usize].rests {
            self.due.insert(group, NUDGES);
        }
    }

    /// Takes the sockets of the next nudge that is due and starts nudging.
    pub(crate) fn next(&mut self) -> Option<Vec<SocketId>> {
        let mut entry = self.due.first_entry()?;
        let group = *entry.key();
        *entry.get_mut() -= 1;
        if *entry.get() == 0 {
            entry.remove();
        }
        self.nudging = true;
        let sockets = &self.groups[group.0 as usize].sockets;
        Some(sockets.iter().copied().collect())
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
