//! `rtclab list`: the built-in scenarios.

use std::io::Write;

use crate::exit::Failure;

/// Prints the name and the question of every built-in scenario.
pub fn list(out: &mut impl Write) -> Result<(), Failure> {
    let scenarios: Vec<_> = scenarios::list().collect();
    let width = scenarios
        .iter()
        .map(|scenario| scenario.name.len())
        .max()
        .unwrap_or(0);
    for scenario in scenarios {
        writeln!(out, "{:width$}  {}", scenario.name, scenario.question)?;
    }
    Ok(())
}
