//! The command that gives a run again.

use scenarios::{Overrides, Plan};

/// What to type to run `plans`, the outcome of `overrides` on `scenario`, again.
///
/// Seeds are part of it if they are overridden or there is only one: a scenario that has several
/// names them all.
/// Other overrides are, unless they change nothing (`unchanged`).
pub fn command(scenario: &str, overrides: &Overrides, unchanged: bool, plans: &[Plan]) -> String {
    let mut words = vec!["rtclab run".to_owned(), quoted(scenario)];
    if let Some(topologies) = overrides.topologies.as_ref().filter(|_| !unchanged) {
        words.push(format!("--topology {}", list(topologies)));
    }
    if let Some(participants) = overrides.participants.as_ref().filter(|_| !unchanged) {
        words.push(format!("--participants {}", list(participants)));
    }
    if let Some(seeds) = &overrides.seeds {
        words.push(format!("--seed {}", list(seeds)));
    } else if let [first, others @ ..] = plans
        && others.iter().all(|plan| plan.seed == first.seed)
    {
        words.push(format!("--seed {}", first.seed.0));
    }
    words.join(" ")
}

fn list(values: &[impl ToString]) -> String {
    values
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(",")
}

/// A word as a POSIX shell takes it.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use scenarios::Topology;

    use super::*;

    fn plans(overrides: &Overrides) -> Vec<Plan> {
        scenarios::load("full-cone-pair")
            .unwrap()
            .resolve(overrides)
            .unwrap()
    }

    #[test]
    fn the_seed_is_named_though_it_was_not_typed() {
        let plans = plans(&Overrides::default());
        let seed = plans[0].seed.0;
        let typed = command("full-cone-pair", &Overrides::default(), true, &plans);
        assert_eq!(typed, format!("rtclab run full-cone-pair --seed {seed}"));
    }

    #[test]
    fn several_seeds_are_those_of_the_scenario() {
        let mut plans = plans(&Overrides::default());
        plans.push(plans[0].clone());
        plans[1].seed.0 += 1;
        let typed = command("full-cone-pair", &Overrides::default(), true, &plans);
        assert_eq!(typed, "rtclab run full-cone-pair");
    }

    #[test]
    fn overrides_are_named_if_they_change_something() {
        let overrides = Overrides {
            topologies: Some(vec![Topology::Mesh]),
            participants: Some(vec![2, 4]),
            seeds: Some(vec![9, 8]),
        };
        let plans = plans(&Overrides {
            seeds: overrides.seeds.clone(),
            ..Overrides::default()
        });
        let typed = command("it's.toml", &overrides, false, &plans);
        let expected = r"rtclab run 'it'\''s.toml' --topology mesh --participants 2,4 --seed 9,8";
        assert_eq!(typed, expected);
        let typed = command("a/b.toml", &overrides, true, &plans);
        assert_eq!(typed, "rtclab run a/b.toml --seed 9,8");
    }
}
