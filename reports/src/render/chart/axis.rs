//! Axes: round numbers, and no more of them than there is room for.

use std::ops::Range;

use super::panel::Axis;

/// How many characters the labels of a horizontal axis may have together, spaces counted.
const ROOM: usize = 30;
/// The same where there is one panel to a row.
const WIDE_ROOM: usize = 80;

/// An axis from zero to a round number that holds `values`.
pub(super) fn from_zero(label: &str, values: impl Iterator<Item = f64>) -> Axis {
    let most = values.fold(0.0, f64::max);
    rounded(label, 0.0..if most > 0.0 { most } else { 1.0 })
}

/// An axis between the round numbers around `values`.
pub(super) fn around(label: &str, values: impl Iterator<Item = f64> + Clone) -> Axis {
    let least = values.clone().reduce(f64::min).unwrap_or(0.0);
    let most = values.reduce(f64::max).unwrap_or(1.0);
    // One value alone, or several that differ in their last digits, are still on a scale.
    let margin = (0.02 * most.abs()).max(f64::MIN_POSITIVE);
    rounded(label, least - margin..most + margin)
}

/// An axis of a share in percent.
pub(super) fn percent(label: &str) -> Axis {
    rounded(label, 0.0..100.0)
}

fn rounded(label: &str, values: Range<f64>) -> Axis {
    let step = step((values.end - values.start) / 4.0);
    let first = (values.start / step).floor();
    let last = (values.end / step - 1e-9).ceil().max(first + 1.0);
    let decimals = (-step.log10() - 1e-9).ceil().clamp(0.0, 12.0) as usize;
    let decimals = decimals + usize::from(is_quarter(step) && step < 10.0);
    let count = (last - first) as usize;
    let tick = |n| {
        let value = (first + n as f64) * step;
        (value, number(value, decimals))
    };
    Axis {
        label: label.to_owned(),
        range: first * step..last * step,
        ticks: (0..=count).map(tick).collect(),
    }
}

/// The next number up of 1, 2, 2.5, 5 times a power of ten.
fn step(at_least: f64) -> f64 {
    let power = 10_f64.powf(at_least.log10().floor());
    let factors = [1.0, 2.0, 2.5, 5.0, 10.0];
    let enough = |factor: &f64| factor * power >= at_least * (1.0 - 1e-9);
    power * factors.into_iter().find(enough).unwrap_or(10.0)
}

fn is_quarter(step: f64) -> bool {
    let digits = step / 10_f64.powf((step.log10() + 1e-9).floor());
    (digits - 2.5).abs() < 1e-6
}

/// With this many decimals, or by its power of ten if it is very long.
fn number(value: f64, decimals: usize) -> String {
    match value.abs() {
        1e9.. => format!("{value:.1e}"),
        _ => format!("{value:.decimals$}"),
    }
}

/// A linear axis of numbers of participants, with those labels that have room.
pub(super) fn participants(sizes: &[u32]) -> Axis {
    let (least, most) = match (sizes.first(), sizes.last()) {
        (Some(&least), Some(&most)) => (f64::from(least), f64::from(most)),
        _ => (1.0, 2.0),
    };
    let margin = 0.06 * (most - least).max(1.0);
    let nearest = 0.1 * (most - least);
    let mut ticks: Vec<(f64, String)> = Vec::new();
    // The largest and the smallest are there, and whoever has room between its neighbours.
    for size in sizes.iter().rev().map(|&size| f64::from(size)) {
        let has_room = ticks
            .last()
            .is_none_or(|(right, _)| right - size >= nearest);
        if has_room && (size == least || size - least >= nearest) {
            ticks.push((size, size.to_string()));
        }
    }
    ticks.reverse();
    Axis {
        label: "participants".into(),
        range: least - margin..most + margin,
        ticks,
    }
}

/// An axis of slots, one wide each and centred on 0, 1, 2 ...
pub(super) fn slots(label: &str, names: &[String]) -> Axis {
    slots_within(label, names, ROOM)
}

/// The same as wide as a whole chart.
pub(super) fn wide_slots(label: &str, names: &[String]) -> Axis {
    slots_within(label, names, WIDE_ROOM)
}

fn slots_within(label: &str, names: &[String], room: usize) -> Axis {
    let widest = names.iter().map(String::len).max().unwrap_or(0) + 1;
    let every = (names.len() * widest).div_ceil(room).max(1);
    let named = names.iter().enumerate().step_by(every);
    Axis {
        label: label.to_owned(),
        range: -0.5..names.len().max(1) as f64 - 0.5,
        ticks: named
            .map(|(place, name)| (place as f64, name.clone()))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn ticks_are_round_and_hold_the_values() {
        // 4 steps of at least 910 / 4 = 227.5, the next round number is 250.
        let axis = from_zero("kbps", [910.0, 3.0].into_iter());
        assert_eq!(labels(&axis), ["0", "250", "500", "750", "1000"]);
        assert_eq!(axis.range, 0.0..1_000.0);
        // 1 / 4 = 0.25: two decimals, or 0.25 and 0.75 would be 0.2 and 0.8.
        let axis = from_zero("cores", [1.0].into_iter());
        assert_eq!(labels(&axis), ["0.00", "0.25", "0.50", "0.75", "1.00"]);
        // 0.03 / 4 = 0.0075, next 0.01.
        let axis = from_zero("cores", [0.03].into_iter());
        assert_eq!(labels(&axis), ["0.00", "0.01", "0.02", "0.03"]);
        // Nothing, and nothing but zero, still have an axis.
        assert_eq!(from_zero("", [].into_iter()).range, 0.0..1.0);
        assert_eq!(from_zero("", [0.0].into_iter()).range, 0.0..1.0);
    }

    #[test]
    fn an_axis_around_values_holds_them() {
        for values in [[38.0, 41.5], [0.98, 0.98], [0.0, 0.0], [-3.0, 1e6]] {
            let axis = around("dB", values.into_iter());
            assert!(axis.range.start <= values[0] && values[1] <= axis.range.end);
            assert!(axis.range.start < axis.range.end, "{axis:?}");
            assert!((2..=7).contains(&axis.ticks.len()), "{axis:?}");
        }
    }

    #[test]
    fn labels_of_many_sizes_keep_their_distance() {
        // 2 to 50: a tenth of 48 is 4.8, so from 50 down every fifth: 45, 40 ... 10; 5 would be
        // only 3 from the smallest.
        let sizes: Vec<u32> = (2..=50).collect();
        let expected = ["2", "10", "15", "20", "25", "30", "35", "40", "45", "50"];
        assert_eq!(labels(&participants(&sizes)), expected);
        assert_eq!(labels(&participants(&[2, 3, 4])), ["2", "3", "4"]);
        // Slots of "12 ": 49 x 3 characters in room for 30 is every fifth.
        let names: Vec<String> = sizes.iter().map(u32::to_string).collect();
        assert_eq!(labels(&slots("N", &names)).len(), 10);
    }
}
