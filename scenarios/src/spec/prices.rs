//! `[prices]`: what servers cost.
//!
//! Prices change nothing in a run: they turn its traffic and cores into money afterwards.

use std::ops::RangeInclusive;

use crate::document::{Keys, Node, Section};
use crate::plan::Prices;

pub(super) const KEYS: Keys = Keys {
    section: "[prices]",
    names: &["currency", "egress_per_gb", "relay_per_gb", "vcpu_hour"],
};

/// In any currency; what is free costs 0.
const PRICES: RangeInclusive<f64> = 0.0..=1e6;
/// Longer than any code or name of a currency that a table has room for.
const CURRENCY: usize = 8;

/// The prices of the scenario.
pub(super) fn read(section: &Section<'_>) -> Option<Prices> {
    section.or("prices", Prices::default(), |node| {
        let base = Prices::default();
        let section = node.section(&KEYS, "a table: [prices]")?;
        let currency = section.or("currency", base.currency, currency);
        let egress_per_gb = section.or("egress_per_gb", base.egress_per_gb, price);
        let relay_per_gb = section.or("relay_per_gb", base.relay_per_gb, price);
        let vcpu_hour = section.or("vcpu_hour", base.vcpu_hour, price);
        Some(Prices {
            currency: currency?,
            egress_per_gb: egress_per_gb?,
            relay_per_gb: relay_per_gb?,
            vcpu_hour: vcpu_hour?,
        })
    })
}

fn price(node: &Node<'_>) -> Option<f64> {
    node.number(PRICES)
}

/// A code or a short name, in letters.
fn currency(node: &Node<'_>) -> Option<String> {
    let written = node.string()?;
    let is_name = (1..=CURRENCY).contains(&written.chars().count())
        && written.chars().all(char::is_alphabetic);
    match is_name {
        true => Some(written.to_owned()),
        false => node.fail(format!(
            "{written:?} is not a currency; write 1 to {CURRENCY} letters, such as \"EUR\""
        )),
    }
}
