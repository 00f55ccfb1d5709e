//! `rtclab calibrate`: measures what work costs on this machine.

use std::io::Write;

use anyhow::{Context, anyhow};
use scenarios::CostProfile;
use topologies::calibrate::{self, Calibration};

use crate::args::CalibrateArgs;
use crate::exit::Failure;

/// Prints what work costs on this machine, and writes a cost profile if `args` name a file.
///
/// # Errors
///
/// [`Failure::Usage`] before anything is measured, if the file cannot be written or this is a debug
/// build; [`Failure::Run`] if a codec or a call fails.
pub fn calibrate(args: &CalibrateArgs, out: &mut impl Write) -> Result<(), Failure> {
    if let Some(file) = &args.out {
        CostProfile::check_writable(file)
            .with_context(|| elsewhere(args))
            .map_err(Failure::Usage)?;
    }
    if cfg!(debug_assertions) {
        return Err(Failure::Usage(anyhow!(
            "this is a debug build, whose work costs several times what it does in a release \
             build; calibrate with cargo run --release"
        )));
    }
    let measured = calibrate::measure(&|next| eprintln!("measuring {next}"))
        .map_err(|error| Failure::Run(error.into()))?;
    print(&measured, out)?;
    if let Some(file) = &args.out {
        let written = measured.profile("").write(file);
        written
            .with_context(|| elsewhere(args))
            .map_err(Failure::Run)?;
        writeln!(out, "\nprofile: {}", file.display())?;
    }
    Ok(())
}

/// Why the profile is not where it belongs, and what to do.
fn elsewhere(args: &CalibrateArgs) -> String {
    let file = args.out.as_deref().unwrap_or("".as_ref()).display();
    format!("the profile cannot go to {file} (choose another file with --out)")
}

/// A row for each figure, median first.
fn print(measured: &Calibration, out: &mut impl Write) -> Result<(), Failure> {
    writeln!(
        out,
        "{:22}  {:>9}  {:>9}  {:>9}  {:>4}  of",
        "figure", "median ns", "quarter", "quarter", "n"
    )?;
    for figure in measured.figures() {
        let spread = figure.spread;
        writeln!(
            out,
            "{:22}  {:>9}  {:>9}  {:>9}  {:>4}  {}",
            figure.key,
            digits(spread.median),
            digits(spread.lower_quartile),
            digits(spread.upper_quartile),
            spread.n,
            figure.of,
        )?;
    }
    Ok(())
}

/// Three digits that mean something, and no exponent.
fn digits(figure: f64) -> String {
    let whole = figure.abs().max(1e-9).log10().floor() as i32;
    let decimals = (2 - whole).clamp(0, 9) as usize;
    format!("{figure:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits() {
        for (figure, expected) in [
            (12_345.6, "12346"),
            (123.4, "123"),
            (19.53, "19.5"),
            (1.0, "1.00"),
            (0.043_4, "0.0434"),
            (-5.25, "-5.25"),
        ] {
            assert_eq!(digits(figure), expected);
        }
    }
}
