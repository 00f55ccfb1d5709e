//! `rtclab list`: the built-in scenarios.

use std::io::Write;

use crate::exit::Failure;

/// Prints what every built-in scenario is called, compares and asks.
pub fn list(out: &mut impl Write) -> Result<(), Failure> {
    let header = ["scenario", "topologies", "N", "question"].map(str::to_owned);
    let rows = scenarios::list().map(|scenario| {
        [
            scenario.name.to_owned(),
            joined(&scenario.topologies),
            joined(&scenario.participants),
            scenario.question,
        ]
    });
    let rows: Vec<[String; 4]> = [header].into_iter().chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let [first, second, third] = [width(0), width(1), width(2)];
    for [name, topologies, n, question] in &rows {
        writeln!(
            out,
            "{name:first$}  {topologies:second$}  {n:third$}  {question}"
        )?;
    }
    Ok(())
}

/// As `--topology` and `--participants` take them.
fn joined(values: &[impl ToString]) -> String {
    let values: Vec<_> = values.iter().map(ToString::to_string).collect();
    values.join(",")
}
