//! The problems of a document, collected while it is read.

use std::cell::RefCell;

/// What is wrong, where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Byte offset in the source, if it is a place in the file.
    pub(crate) at: Option<usize>,
    /// The key path, such as `group[1].link.up.loss`; empty for the document itself.
    pub(crate) path: String,
    /// What is wrong and what to write instead.
    pub(crate) message: String,
}

/// The findings so far. Shared by everything that reads one document.
#[derive(Debug, Default)]
pub(crate) struct Problems(RefCell<Vec<Finding>>);

impl Problems {
    /// Reports a problem.
    pub(crate) fn add(&self, at: Option<usize>, path: String, message: String) {
        self.0.borrow_mut().push(Finding { at, path, message });
    }

    /// Whether nothing was reported so far.
    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// The value, if nothing was reported; otherwise the findings from the top of the file down.
    pub(crate) fn into_result<T>(self, value: T) -> Result<T, Vec<Finding>> {
        let mut findings = self.0.into_inner();
        findings.sort_by_key(|finding| finding.at);
        match findings.is_empty() {
            true => Ok(value),
            false => Err(findings),
        }
    }
}
