//! Which topology to build, in words: a table and a sentence for each size.

use super::format::MISSING;
use super::text::layout::{self, Column};
use crate::recommend::{Candidate, Decision, Judged};
use crate::run::Run;

/// What is above the columns of the table.
pub(super) const HEADERS: [&str; 7] = [
    "N",
    "topology",
    "verdict",
    "tightest limit",
    "room",
    "servers\nper hour",
    "seeds that\nagree",
];

/// Whether a run asks which topology to build, or for which size: one topology at one size, of which
/// the scenario says nothing that it has to keep to, leaves nothing to decide.
pub(super) fn is_asked(run: &Run) -> bool {
    let grid = &run.grid;
    grid.topologies.len() > 1 || grid.participants.len() > 1 || !run.limits.is_empty()
}

/// The table and its note, for a terminal; `None` where nothing was run, or nothing is asked.
pub(super) fn table(run: &Run, decisions: &[Decision]) -> Option<String> {
    let [n, topology, verdict, tightest, room, price, seeds] = HEADERS;
    let columns = [
        Column::figure(n),
        Column::text(topology),
        Column::text(verdict),
        Column::text(tightest),
        Column::figure(room),
        Column::figure(price).hidden_if_empty(),
        Column::figure(seeds),
    ];
    let table = layout::table(columns, rows(run, decisions));
    let is_told = is_asked(run) && !decisions.is_empty();
    is_told.then(|| format!("{table}\n{}\n", note(decisions)))
}

/// A row per candidate, the best of each size first.
pub(super) fn rows(run: &Run, decisions: &[Decision]) -> Vec<[String; 7]> {
    let candidates = decisions.iter().flat_map(|decision| {
        decision
            .candidates
            .iter()
            .enumerate()
            .map(move |all| (decision, all))
    });
    let row = |(decision, (place, candidate)): (&Decision, (usize, &Candidate))| {
        let tightest = candidate.tightest();
        [
            decision.participants.to_string(),
            candidate.topology.clone(),
            verdict(place, candidate),
            tightest.map_or(MISSING.to_owned(), described),
            room(tightest),
            price(candidate).map_or(MISSING.to_owned(), |money| written(run, money)),
            match (place, decision.seeds) {
                (0, 1) => "1 seed".to_owned(),
                (0, n) => format!("{} of {n}", decision.agreeing),
                _ => MISSING.to_owned(),
            },
        ]
    };
    candidates.map(row).collect()
}

fn verdict(place: usize, candidate: &Candidate) -> String {
    match (candidate.broken(), place) {
        (0, 0) => "recommended".to_owned(),
        (0, _) => "keeps to all".to_owned(),
        (1, _) => "breaks 1 limit".to_owned(),
        (n, _) => format!("breaks {n} limits"),
    }
}

fn price(candidate: &Candidate) -> Option<f64> {
    candidate.money_per_hour.map(|money| money.value)
}

/// How much of the bound is left, or how far beyond the figure is.
fn room(limit: Option<&Judged>) -> String {
    let ratio = limit.and_then(|limit| limit.verdict.margin_ratio);
    ratio.map_or(MISSING.to_owned(), |ratio| {
        format!("{:.0} %", 100.0 * ratio)
    })
}

/// A limit with its figure, such as `setup_ms_p95 420 of at most 5000`.
fn described(limit: &Judged) -> String {
    let verdict = &limit.verdict;
    let group = verdict.group.as_ref().map(|group| format!(" of {group}"));
    let name = format!("{}{}", verdict.metric, group.unwrap_or_default());
    let Some(figure) = verdict.estimate.map(|estimate| estimate.value) else {
        return format!("{name} missing");
    };
    // Of two bounds the one that the figure is nearer to, which is the one that the margin is of.
    let is_of = |bound: f64| {
        (verdict.margin.unwrap_or(0.0).abs() - (figure - bound).abs()).abs() <= 1e-9 * bound.abs()
    };
    let bound = match (verdict.min.filter(|min| is_of(*min)), verdict.max) {
        (Some(min), _) => format!("at least {}", short(min)),
        (None, Some(max)) => format!("at most {}", short(max)),
        (None, None) => return name,
    };
    format!("{name} {} of {bound}", short(figure))
}

/// With about three digits.
fn short(value: f64) -> String {
    let decimals = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// What is recommended, why, what the runner-up costs, and how sure that is.
pub(super) fn sentence(run: &Run, decision: &Decision) -> String {
    let size = decision.participants;
    let parts = match decision.candidates.as_slice() {
        [] => return format!("N = {size}: nothing was run."),
        [best, others @ ..] if best.keeps() => [why(run, best, others), beside(run, best, others)],
        [nearest, ..] => [none(nearest), String::new()],
    };
    format!(
        "N = {size}: {}{} {}",
        parts[0],
        parts[1],
        certainty(decision)
    )
}

fn why(run: &Run, best: &Candidate, others: &[Candidate]) -> String {
    let rivals = others.iter().filter(|other| other.keeps()).count();
    let reason = match (price(best), rivals) {
        (_, 0) if others.is_empty() => " (no other topology was run)".to_owned(),
        (_, 0) => " alone keeps to all limits".to_owned(),
        (Some(money), _) => format!(
            " keeps to all limits for the least money, {} an hour",
            written(run, money)
        ),
        (None, _) => " keeps to all limits with the most room; prices are not known".to_owned(),
    };
    let tightest = best.tightest().map(|limit| {
        let (what, room) = (described(limit), room(Some(limit)));
        format!(" It is nearest to breaking {what} ({room} left).")
    });
    format!("{}{reason}.{}", best.topology, tightest.unwrap_or_default())
}

/// The runner-up, or why the others are out.
fn beside(run: &Run, best: &Candidate, others: &[Candidate]) -> String {
    let Some(next) = others.first() else {
        return String::new();
    };
    if !next.keeps() {
        let out = next.tightest().map_or(MISSING.to_owned(), described);
        return format!(" The next, {}, breaks {out}.", next.topology);
    }
    match (price(next), price(best)) {
        (Some(money), Some(_)) => format!(
            " The runner-up, {}, costs {} an hour.",
            next.topology,
            written(run, money)
        ),
        _ => format!(" The runner-up is {}.", next.topology),
    }
}

fn none(nearest: &Candidate) -> String {
    let out = nearest.tightest().map_or(MISSING.to_owned(), described);
    format!(
        "no topology keeps to all limits. The nearest, {}, breaks {}: {out}.",
        nearest.topology,
        match nearest.broken() {
            1 => "one".to_owned(),
            n => n.to_string(),
        }
    )
}

/// Money with its currency.
fn written(run: &Run, money: f64) -> String {
    let prices = run.cells.iter().find_map(|cell| cell.prices.as_ref());
    let currency = prices.map_or("", |prices| prices.currency.as_str());
    format!("{money:.3} {currency}").trim_end().to_owned()
}

fn certainty(decision: &Decision) -> String {
    match decision.seeds {
        1 => "1 seed: no spread known.".to_owned(),
        n if decision.agreeing == n => format!("Each of {n} seeds alone says the same."),
        n => format!("Of {n} seeds alone, {} say the same.", decision.agreeing),
    }
}

/// What the limits are, for whoever reads the table.
pub(super) fn note(decisions: &[Decision]) -> &'static str {
    let mut candidates = decisions.iter().flat_map(|decision| &decision.candidates);
    match candidates.any(|candidate| candidate.limits.iter().any(|limit| limit.is_stated)) {
        true => {
            "by the scenario's limits, and the usual ones for the rest: all of them are in decisions.csv"
        }
        false => {
            "by the usual limits, as the scenario states none: all of them are in decisions.csv"
        }
    }
}
