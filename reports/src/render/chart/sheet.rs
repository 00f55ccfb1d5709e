//! A sheet: title, n and spread, legend, and panels below it.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::panel::{Area, IN_MEMORY, Panel, draw_point, text};
use super::style::{self, INK, MUTED, PAPER, Shape};
use crate::record::kind_of;

/// Width of every chart, px.
const WIDTH: u32 = 720;
/// What a character of the legend takes at most, px: an estimate for a wide sans serif.
const CHARACTER: i32 = 8;
/// From one row of the legend to the next, px.
const ROW: i32 = 22;

/// An entry of the legend.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    /// What it is called.
    pub name: String,
    /// Its colour.
    pub color: RGBColor,
    /// How its points look; a square block for areas.
    pub shape: Shape,
}

impl Entry {
    /// The entry of a topology, or of a variant of it with its place among all variants.
    pub(super) fn topology(name: &str, variant: Option<usize>) -> Self {
        let kind = kind_of(name);
        Entry {
            name: name.to_owned(),
            color: variant.map_or_else(|| style::topology(kind), style::variant),
            shape: style::shape(kind),
        }
    }

    /// The entry of an area of this colour.
    pub(super) fn area(name: &str, color: RGBColor) -> Self {
        Entry {
            name: name.to_owned(),
            color,
            shape: Shape::Square,
        }
    }
}

/// A chart before it is drawn.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    /// What it shows.
    pub title: String,
    /// How many values there are to a point, and what their spread is.
    pub spread: String,
    /// What the colours mean.
    pub legend: Vec<Entry>,
    /// How many panels are side by side.
    pub columns: usize,
    /// Height of a panel, px.
    pub height: u32,
    /// Row by row.
    pub panels: Vec<Panel>,
}

impl Sheet {
    /// The chart as SVG that stands alone, and follows the reader's preference for dark screens.
    pub(super) fn svg(&self) -> String {
        let mut svg = String::new();
        let places = self.legend_places();
        let head = 58 + ROW * (1 + places.last().map_or(-1, |&(_, row)| row));
        let rows = self.panels.len().div_ceil(self.columns) as u32;
        let size = (WIDTH, head as u32 + rows * self.height + 4);
        {
            let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            root.fill(&PAPER).expect(IN_MEMORY);
            self.draw_head(&root, &places);
            let (_, body) = root.split_vertically(head);
            let areas = body.split_evenly((rows as usize, self.columns));
            for (panel, area) in self.panels.iter().zip(&areas) {
                panel.draw(area);
            }
            root.present().expect(IN_MEMORY);
        }
        styled(&svg, &self.title)
    }

    fn draw_head(&self, root: &Area, places: &[(i32, i32)]) {
        let title = text(17.0, &INK, HPos::Left);
        let spread = text(12.0, &MUTED, HPos::Left);
        root.draw_text(&self.title, &title, (8, 8))
            .expect(IN_MEMORY);
        root.draw_text(&self.spread, &spread, (8, 33))
            .expect(IN_MEMORY);
        let name = text(12.0, &INK, HPos::Left);
        for (entry, &(x, row)) in self.legend.iter().zip(places) {
            let y = 62 + row * ROW;
            draw_point(root, (x + 6, y), entry.shape, entry.color);
            root.draw_text(&entry.name, &name, (x + 16, y - 6))
                .expect(IN_MEMORY);
        }
    }

    /// Where the entries of the legend are: x in px, and the row.
    fn legend_places(&self) -> Vec<(i32, i32)> {
        let (mut x, mut row) = (8, 0);
        let place = |entry: &Entry| {
            let width = 32 + CHARACTER * entry.name.len() as i32;
            if x > 8 && x + width > WIDTH as i32 {
                (x, row) = (8, row + 1);
            }
            let place = (x, row);
            x += width;
            place
        };
        self.legend.iter().map(place).collect()
    }
}

/// With the name that a screen reader reads, and the colours of dark screens.
fn styled(svg: &str, title: &str) -> String {
    let (head, body) = svg.split_once('>').expect("an SVG begins with a tag");
    let title = crate::render::html::escaped(title);
    let style = style::dark_mode();
    format!("{head} role=\"img\">\n<title>{title}</title>\n<style>{style}</style>{body}")
}
