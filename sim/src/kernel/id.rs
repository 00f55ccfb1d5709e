//! Names for the parts of a world.

use serde::{Deserialize, Serialize};

/// A host of the world, numbered from 0 in the order of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HostId(pub(crate) u32);

impl HostId {
    /// The host's place in the order of creation, from 0.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A NAT with the network behind it, numbered from 0 in the order of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GatewayId(pub(crate) u32);

impl GatewayId {
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A UDP socket of some host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub(crate) u32);
