//! The built-in scenarios, embedded in the program.

use crate::scenario::Scenario;

/// A built-in scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltIn {
    /// What [`load`](crate::load) finds it by.
    pub name: &'static str,
    /// What it answers.
    pub question: String,
    /// Its TOML, commented: an example to start from.
    pub source: &'static str,
}

/// The first is the one to begin with.
const LIBRARY: [(&str, &str); 4] = [
    ("quickstart", include_str!("../library/quickstart.toml")),
    (
        "full-cone-pair",
        include_str!("../library/full-cone-pair.toml"),
    ),
    (
        "symmetric-pair",
        include_str!("../library/symmetric-pair.toml"),
    ),
    ("ideal-pair", include_str!("../library/ideal-pair.toml")),
];

/// The built-in scenarios, the one to begin with first.
pub fn list() -> impl Iterator<Item = BuiltIn> {
    LIBRARY.iter().map(|&(name, source)| {
        let scenario = Scenario::parse(source, name.as_ref());
        let scenario = scenario.expect("built-in scenarios are valid");
        let question = scenario
            .question()
            .expect("built-in scenarios ask something")
            .to_owned();
        BuiltIn {
            name,
            question,
            source,
        }
    })
}

pub(crate) fn names() -> impl Iterator<Item = &'static str> + Clone {
    LIBRARY.iter().map(|(name, _)| *name)
}

pub(crate) fn source(name: &str) -> Option<&'static str> {
    LIBRARY
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, source)| *source)
}
