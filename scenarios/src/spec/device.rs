//! `device`: a preset, a changed preset, or a computer written out.

use std::ops::RangeInclusive;

use crate::devices;
use crate::document::{Keys, Node, Section};
use crate::plan::Device;

pub(super) const KEYS: Keys = Keys {
    section: "device",
    names: &["preset", "cores", "speed"],
};

/// More than any one computer has.
const CORES: RangeInclusive<u64> = 1..=1_024;
/// From a sensor to what nobody sells.
const SPEEDS: RangeInclusive<f64> = 0.01..=100.0;

const EXAMPLE: &str = "a preset such as \"phone\", or { cores = 4, speed = 0.5 }";

/// A computer.
pub(super) fn read(node: &Node<'_>) -> Option<Device> {
    if node.as_str().is_some() {
        return preset(node);
    }
    let section = node.section(&KEYS, EXAMPLE)?;
    match section.get("preset") {
        None => written_out(&section),
        Some(named) => changed(&section, preset(&named)),
    }
}

fn preset(node: &Node<'_>) -> Option<Device> {
    let name = node.string()?;
    devices::preset(name).or_else(|| node.unknown(name, "device", devices::names()))
}

fn written_out(section: &Section<'_>) -> Option<Device> {
    let number = section.must("cores", "cores = 4", cores);
    let speed = section.must("speed", "speed = 1.0", speed);
    Some(Device {
        label: "custom".to_owned(),
        cores: number?,
        speed: speed?,
    })
}

/// The preset with the other keys of its table applied, which are checked without it, too.
fn changed(section: &Section<'_>, base: Option<Device>) -> Option<Device> {
    let number = section.maybe("cores", cores);
    let speed = section.maybe("speed", speed);
    let (base, number, speed) = (base?, number?, speed?);
    if number.is_none() && speed.is_none() {
        return Some(base);
    }
    Some(Device {
        label: format!("{}-modified", base.label),
        cores: number.unwrap_or(base.cores),
        speed: speed.unwrap_or(base.speed),
    })
}

fn cores(node: &Node<'_>) -> Option<u32> {
    node.integer(CORES)
        .and_then(|number| u32::try_from(number).ok())
}

fn speed(node: &Node<'_>) -> Option<f64> {
    node.number(SPEEDS)
}
