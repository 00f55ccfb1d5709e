//! A table of the document whose keys are known.

use toml::de::DeTable;

use super::{Node, Problems};
use crate::suggest;

/// The keys that a section may have.
#[derive(Debug)]
pub(crate) struct Keys {
    /// What the section is called in the reference, such as `[video]`.
    pub(crate) section: &'static str,
    /// Every key, in the order of the reference.
    pub(crate) names: &'static [&'static str],
}

/// A table that holds no unknown key: those were reported when it was made.
#[derive(Debug)]
pub(crate) struct Section<'d> {
    problems: &'d Problems,
    path: String,
    at: Option<usize>,
    table: &'d DeTable<'d>,
    keys: &'static Keys,
}

impl<'d> Section<'d> {
    pub(super) fn root(
        table: &'d DeTable<'d>,
        keys: &'static Keys,
        problems: &'d Problems,
    ) -> Self {
        Section::new(problems, String::new(), None, table, keys)
    }

    pub(super) fn new(
        problems: &'d Problems,
        path: String,
        at: Option<usize>,
        table: &'d DeTable<'d>,
        keys: &'static Keys,
    ) -> Self {
        let section = Section {
            problems,
            path,
            at,
            table,
            keys,
        };
        section.report_unknown_keys();
        section
    }

    /// The value of `key`, if it was written.
    ///
    /// # Panics
    ///
    /// If `key` is not one of the section's: reading a key that is rejected is a broken invariant.
    pub(crate) fn get(&self, key: &str) -> Option<Node<'d>> {
        assert!(
            self.keys.names.contains(&key),
            "{} has no key {key}",
            self.keys.section
        );
        let value = self.table.get(key)?;
        Some(Node::new(self.problems, self.child(key), value))
    }

    /// What `read` makes of `key`, or `default` if it was not written.
    pub(crate) fn or<T>(
        &self,
        key: &str,
        default: T,
        read: impl FnOnce(&Node<'d>) -> Option<T>,
    ) -> Option<T> {
        self.get(key).map_or(Some(default), |node| read(&node))
    }

    /// What `read` makes of `key`, or nothing if it was not written.
    pub(crate) fn maybe<T>(
        &self,
        key: &str,
        read: impl FnOnce(&Node<'d>) -> Option<T>,
    ) -> Option<Option<T>> {
        self.or(key, None, |node| read(node).map(Some))
    }

    /// What `read` makes of `key`, which must be written; `fix` is an example of it.
    pub(crate) fn must<T>(
        &self,
        key: &str,
        fix: &str,
        read: impl FnOnce(&Node<'d>) -> Option<T>,
    ) -> Option<T> {
        match self.get(key) {
            Some(node) => read(&node),
            None => self.fail(key, format!("missing; write {fix}")),
        }
    }

    /// Reports a problem with `key`, at the place of the section. Always `None`.
    pub(crate) fn fail<T>(&self, key: &str, message: String) -> Option<T> {
        self.problems.add(self.at, self.child(key), message);
        None
    }

    fn child(&self, key: &str) -> String {
        match self.path.is_empty() {
            true => key.to_owned(),
            false => format!("{}.{key}", self.path),
        }
    }

    fn report_unknown_keys(&self) {
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if !self.keys.names.contains(&name) {
                let names = self.keys.names.iter().copied();
                let instead = suggest::instead(name, names, str::to_owned);
                let message = format!("unknown key; {instead}");
                self.problems
                    .add(Some(key.span().start), self.child(name), message);
            }
        }
    }
}
