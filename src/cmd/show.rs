//! `rtclab show`: the text of a scenario.

use std::io::Write;

use crate::exit::Failure;

/// Prints a scenario verbatim.
///
/// # Errors
///
/// When there is no such scenario, or it is not valid.
pub fn show(scenario: &str, out: &mut impl Write) -> Result<(), Failure> {
    let scenario = scenarios::load(scenario)?;
    out.write_all(scenario.source().as_bytes())?;
    Ok(())
}
