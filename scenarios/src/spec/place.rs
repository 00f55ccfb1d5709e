//! Where something is written.

use crate::document::Node;

/// Where something is written, for messages.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Its key path.
    pub(crate) path: String,
    /// Its place in the file.
    pub(crate) at: usize,
}

impl Place {
    /// Where `node` is.
    pub(super) fn of(node: &Node<'_>) -> Self {
        Place {
            path: node.path().to_owned(),
            at: node.at(),
        }
    }
}
