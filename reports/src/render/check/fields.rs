//! Figures of gates as short text.

use crate::compare::{Change, Direction, Evidence, Loss};
use crate::gates::Verdict;
use crate::render::format::MISSING;
use crate::stats::Estimate;

/// The cells of a limit's row in a table.
pub(super) fn limit(verdict: &Verdict) -> [String; 8] {
    [
        verdict.participants.to_string(),
        verdict.topology.clone(),
        group(verdict.group.as_deref()),
        verdict.metric.clone(),
        estimate(verdict.estimate),
        bounds(verdict),
        margin(verdict),
        outcome(verdict),
    ]
}

/// Four digits that count, and no zeros behind them.
pub(super) fn short(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let digits = 3 - value.abs().log10().floor().clamp(-6.0, 3.0) as i32;
    let text = format!("{value:.*}", digits.max(0) as usize);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// A figure, with its interval if it has one.
pub(super) fn estimate(estimate: Option<Estimate>) -> String {
    let Some(Estimate {
        value, low, high, ..
    }) = estimate
    else {
        return MISSING.to_owned();
    };
    match low.zip(high).filter(|(low, high)| low < high) {
        Some((low, high)) => format!("{} ({} to {})", short(value), short(low), short(high)),
        None => short(value),
    }
}

/// The bounds of a limit.
pub(super) fn bounds(verdict: &Verdict) -> String {
    match (verdict.min, verdict.max) {
        (Some(min), Some(max)) => format!("{} to {}", short(min), short(max)),
        (Some(min), None) => format!(">= {}", short(min)),
        (None, Some(max)) => format!("<= {}", short(max)),
        (None, None) => MISSING.to_owned(),
    }
}

/// How far a figure is from failing, such as `+30 (12 %)`.
pub(super) fn margin(verdict: &Verdict) -> String {
    let Some(margin) = verdict.margin else {
        return MISSING.to_owned();
    };
    let sign = if margin >= 0.0 { "+" } else { "" };
    match verdict.margin_ratio {
        Some(ratio) => format!("{sign}{} ({})", short(margin), percent(ratio)),
        None => format!("{sign}{}", short(margin)),
    }
}

fn percent(ratio: f64) -> String {
    format!("{:+.1} %", 100.0 * ratio)
}

/// What became of a limit, with a word of doubt where the interval crosses a bound.
pub(super) fn outcome(verdict: &Verdict) -> String {
    match verdict.sure {
        Some(false) => format!("{}, close", verdict.outcome.name()),
        _ => verdict.outcome.name().to_owned(),
    }
}

/// A difference, such as `+12 (+10.0 %)`.
pub(super) fn difference(change: &Change) -> String {
    let Some(difference) = change.difference else {
        return MISSING.to_owned();
    };
    let sign = if difference >= 0.0 { "+" } else { "" };
    match change.ratio() {
        Some(ratio) => format!("{sign}{} ({})", short(difference), percent(ratio)),
        None => format!("{sign}{}", short(difference)),
    }
}

/// What noise was judged by.
pub(super) fn evidence(change: &Change) -> String {
    match change.evidence {
        Evidence::Unpaired(p) => format!("p = {}", probability(p)),
        Evidence::Paired(p) => format!("p = {}, same seeds", probability(p)),
        Evidence::SameSeeds => "same seeds".to_owned(),
        Evidence::Tolerance => "too few seeds to test".to_owned(),
        Evidence::None => MISSING.to_owned(),
    }
}

fn probability(p: f64) -> String {
    if p < 0.0001 {
        return "< 0.0001".to_owned();
    }
    format!("{p:.4}")
}

/// What a change is called.
pub(super) const fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Worse => "WORSE",
        Direction::Better => "better",
        Direction::Same => "same",
        Direction::Noise => "noise",
        Direction::Missing => "MISSING",
        Direction::New => "new",
    }
}

/// What was lost, in which seeds.
pub(super) fn loss(loss: &Loss) -> String {
    let seeds: Vec<_> = loss.seeds.iter().map(u64::to_string).collect();
    let what = match loss.name.as_str() {
        "" => loss.kind.name().to_owned(),
        name => format!("{}: {name}", loss.kind.name()),
    };
    format!("{what} (seed {})", seeds.join(", "))
}

/// Where a figure is from: `mesh`, 4, `home` or the whole call.
pub(super) fn group(group: Option<&str>) -> String {
    group.unwrap_or("all").to_owned()
}

/// The number of something, in words.
pub(super) fn counted(n: usize, thing: &str) -> String {
    match n {
        1 => format!("1 {thing}"),
        n => format!("{n} {thing}s"),
    }
}
