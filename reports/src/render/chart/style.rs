//! Colours, shapes and type: the same for a topology, a work or a phase in every chart.
//!
//! The colours of topologies are those of Okabe and Ito that stand out from white (Color Universal
//! Design, 2008), those of works and phases are Tol's "muted" scheme (SRON/EPS/TN/09-002), so that
//! no work looks like a topology. Both are told apart with every common colour blindness, and
//! topologies have shapes, too, for whoever prints in black.

use std::fmt::Write;

use plotters::style::RGBColor;

/// What is written, and axes.
pub(super) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
/// What is written small.
pub(super) const MUTED: RGBColor = RGBColor(0x5A, 0x5A, 0x5A);
/// Lines of the grid.
pub(super) const GRID: RGBColor = RGBColor(0xDD, 0xDD, 0xDD);
/// What charts are drawn on.
pub(super) const PAPER: RGBColor = RGBColor(0xFF, 0xFF, 0xFF);

const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xB2);
const VERMILLION: RGBColor = RGBColor(0xD5, 0x5E, 0x00);
const GREEN: RGBColor = RGBColor(0x00, 0x9E, 0x73);
const INDIGO: RGBColor = RGBColor(0x33, 0x22, 0x88);
const CYAN: RGBColor = RGBColor(0x88, 0xCC, 0xEE);
const SAND: RGBColor = RGBColor(0xDD, 0xCC, 0x77);
const ROSE: RGBColor = RGBColor(0xCC, 0x66, 0x77);
const OLIVE: RGBColor = RGBColor(0x99, 0x99, 0x33);
const PURPLE: RGBColor = RGBColor(0xAA, 0x44, 0x99);
/// Of variants, which are never drawn by work or by phase in one panel.
const VARIANTS: [RGBColor; 5] = [PURPLE, OLIVE, CYAN, ROSE, INDIGO];
/// Whatever has no colour of its own.
const OTHER: RGBColor = RGBColor(0x80, 0x80, 0x80);

/// What a colour on paper becomes on a dark screen; others are seen well on both.
const DARK: [(RGBColor, &str); 9] = [
    (INK, "#e6e6e6"),
    (MUTED, "#a8a8a8"),
    (GRID, "#3a3d42"),
    (PAPER, "#16181c"),
    (BLUE, "#56b4e9"),
    (VERMILLION, "#f0803c"),
    (GREEN, "#2cc295"),
    (INDIGO, "#8f80e0"),
    (OTHER, "#9a9a9a"),
];

/// How topologies are marked where lines have points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Circle,
    Square,
    Triangle,
}

/// The colour of a topology as the scenario has it.
pub(super) fn topology(kind: &str) -> RGBColor {
    match kind {
        "mesh" => BLUE,
        "sfu" => VERMILLION,
        "mcu" => GREEN,
        _ => OTHER,
    }
}

/// The colour of a scenario's variants, by their place.
pub(super) fn variant(place: usize) -> RGBColor {
    VARIANTS[place % VARIANTS.len()]
}

/// The shape of a topology's points.
pub(super) fn shape(kind: &str) -> Shape {
    match kind {
        "sfu" => Shape::Square,
        "mcu" => Shape::Triangle,
        _ => Shape::Circle,
    }
}

/// The colour of a kind of work.
pub(super) fn work(name: &str) -> RGBColor {
    match name {
        "encode" => INDIGO,
        "decode" => CYAN,
        "transport" => SAND,
        "compose" => ROSE,
        "mix" => OLIVE,
        _ => OTHER,
    }
}

/// The colours of the phases of set-up: signalling, gathering, ICE, DTLS.
pub(super) const PHASES: [RGBColor; 4] = [SAND, CYAN, ROSE, OLIVE];

/// The colour of the connection at this place among those of a chart.
pub(super) fn flow(place: usize) -> RGBColor {
    let all = [INDIGO, ROSE, OLIVE, CYAN, SAND];
    all.get(place).copied().unwrap_or(OTHER)
}

/// Style sheet that turns the colours on paper into those of a dark screen, and only on a screen.
pub(super) fn dark_mode() -> String {
    let mut css = "@media screen and (prefers-color-scheme: dark) {".to_owned();
    for (RGBColor(r, g, b), dark) in DARK {
        let light = format!("#{r:02X}{g:02X}{b:02X}");
        let _ = write!(
            css,
            " svg [fill=\"{light}\"] {{ fill: {dark} }} svg [stroke=\"{light}\"] {{ stroke: {dark} }}"
        );
    }
    css + " }"
}
