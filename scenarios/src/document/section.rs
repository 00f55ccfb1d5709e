//! A table of the document whose keys are known.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::{Node, Problems};
use crate::suggest;

type Key<'d> = Spanned<DeString<'d>>;

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

    /// Whether nothing in the document was reported so far.
    pub(crate) fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// Whether a key was written that the section has not got, which was reported.
    pub(crate) fn has_unknown(&self) -> bool {
        let known = |key: &Key<'_>| self.keys.names.contains(&key.get_ref().as_ref());
        self.table.iter().any(|(key, _)| !known(key))
    }

    /// Whether one of `keys` was written.
    pub(crate) fn has_any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.table.contains_key(*key))
    }

    /// This section's table with the `keys` of `over` put into it: tables key by key, anything else as
    /// a whole. Values keep their places in the document.
    pub(crate) fn overlaid(&self, over: &Section<'d>, keys: &[&str]) -> DeTable<'d> {
        let mut table = self.table.clone();
        let written = over.table.iter();
        for (key, value) in written.filter(|(key, _)| keys.contains(&key.get_ref().as_ref())) {
            put(&mut table, key, value);
        }
        table
    }

    /// A section of the same keys that is read at the place of `other`.
    pub(crate) fn of_table<'t>(
        &'t self,
        table: &'t DeTable<'t>,
        other: &Section<'_>,
    ) -> Section<'t> {
        Section {
            problems: self.problems,
            path: other.path.clone(),
            at: other.at,
            table,
            keys: self.keys,
        }
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

/// Puts a value into `table`, or what a table has into the table that is there.
fn put<'d>(table: &mut DeTable<'d>, key: &Key<'d>, value: &Spanned<DeValue<'d>>) {
    let name = key.get_ref().as_ref();
    let there = table.get_mut(name).map(Spanned::get_mut);
    if let (Some(DeValue::Table(there)), DeValue::Table(over)) = (there, value.get_ref()) {
        for (key, value) in over {
            put(there, key, value);
        }
        return;
    }
    table.remove(name);
    table.insert(key.clone(), value.clone());
}
