//! The built-in scenarios, embedded in the program.

use crate::plan::Topology;
use crate::scenario::Scenario;

/// A built-in scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltIn {
    /// What [`load`](crate::load) finds it by.
    pub name: &'static str,
    /// What it answers.
    pub question: String,
    /// What it compares.
    pub topologies: Vec<Topology>,
    /// The sizes of its calls.
    pub participants: Vec<u32>,
    /// Its TOML, commented: an example to start from.
    pub source: &'static str,
}

/// The first is the one to begin with.
const LIBRARY: [(&str, &str); 16] = [
    ("quickstart", include_str!("../library/quickstart.toml")),
    ("three-way", include_str!("../library/three-way.toml")),
    ("standup", include_str!("../library/standup.toml")),
    ("webinar", include_str!("../library/webinar.toml")),
    ("adaptive", include_str!("../library/adaptive.toml")),
    ("simulcast", include_str!("../library/simulcast.toml")),
    ("lossy", include_str!("../library/lossy.toml")),
    (
        "all-symmetric",
        include_str!("../library/all-symmetric.toml"),
    ),
    ("large", include_str!("../library/large.toml")),
    ("handover", include_str!("../library/handover.toml")),
    (
        "full-cone-pair",
        include_str!("../library/full-cone-pair.toml"),
    ),
    (
        "symmetric-pair",
        include_str!("../library/symmetric-pair.toml"),
    ),
    ("long-call", include_str!("../library/long-call.toml")),
    ("ideal-pair", include_str!("../library/ideal-pair.toml")),
    ("file-share", include_str!("../library/file-share.toml")),
    ("game", include_str!("../library/game.toml")),
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
            topologies: scenario.topologies().to_vec(),
            participants: scenario.participants().to_vec(),
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
