//! Whether two runs can be compared at all.

use crate::run::Run;

/// Why two runs cannot be compared.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Incomparable {
    /// They are of different scenarios.
    #[error(
        "the baseline is of scenario {baseline:?} and these results are of {current:?}: compare \
         two runs of one scenario"
    )]
    Scenario {
        /// The baseline's.
        baseline: String,
        /// That of the results.
        current: String,
    },
    /// They are of one scenario, whose text changed.
    #[error(
        "the text of scenario {name:?} differs (SHA-256 {baseline} in the baseline, {current} in \
         these results): make a new baseline, or run the old text"
    )]
    Text {
        /// The scenario.
        name: String,
        /// First digits of the baseline's hash.
        baseline: String,
        /// Those of the results' hash.
        current: String,
    },
    /// They are in different schemas.
    #[error(
        "the baseline has schema {baseline} and these results have schema {current}: make a new \
         baseline with this version"
    )]
    Schema {
        /// The baseline's.
        baseline: u32,
        /// That of the results.
        current: u32,
    },
    /// They are of different versions, whose figures may differ for unchanged calls.
    #[error(
        "the baseline is of {baseline} and these results are of {current}: figures may differ from \
         version to version; make a new baseline with this one"
    )]
    Program {
        /// The baseline's.
        baseline: String,
        /// That of the results.
        current: String,
    },
    /// Work costs something else.
    #[error(
        "the baseline has cost profile {baseline} and these results have {current}: run both with \
         the same `cpu`"
    )]
    Costs {
        /// The baseline's.
        baseline: String,
        /// That of the results.
        current: String,
    },
    /// One of them has no cells.
    #[error("one of the two runs has no calls: run the scenario again")]
    Empty,
}

pub(super) fn check(baseline: &Run, current: &Run) -> Result<(), Incomparable> {
    let (before, now) = (&baseline.scenario, &current.scenario);
    if before.name != now.name {
        return Err(Incomparable::Scenario {
            baseline: before.name.clone(),
            current: now.name.clone(),
        });
    }
    if before.hash != now.hash {
        let first = |hash: &str| hash.chars().take(12).collect();
        return Err(Incomparable::Text {
            name: now.name.clone(),
            baseline: first(&before.hash),
            current: first(&now.hash),
        });
    }
    if baseline.schema != current.schema {
        return Err(Incomparable::Schema {
            baseline: baseline.schema,
            current: current.schema,
        });
    }
    if baseline.program != current.program || current.program.is_none() {
        let name = |run: &Run| {
            run.program
                .clone()
                .unwrap_or("an unknown version".to_owned())
        };
        return Err(Incomparable::Program {
            baseline: name(baseline),
            current: name(current),
        });
    }
    check_costs(baseline, current)
}

fn check_costs(baseline: &Run, current: &Run) -> Result<(), Incomparable> {
    let (Some(before), Some(now)) = (baseline.cells.first(), current.cells.first()) else {
        return Err(Incomparable::Empty);
    };
    if before.cost_profile == now.cost_profile {
        return Ok(());
    }
    let name = |costs: &Option<String>| costs.clone().unwrap_or("none (free CPUs)".to_owned());
    Err(Incomparable::Costs {
        baseline: name(&before.cost_profile),
        current: name(&now.cost_profile),
    })
}
