//! A panel: two axes and marks, in the coordinates of the data.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::style::{GRID, INK, MUTED, Shape};

/// Where panels are drawn.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Plot<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Dashes across a panel, gaps counted.
const DASHES: f64 = 40.0;
/// From line to line of what is beside a guide, px.
const LINE: i32 = 13;

/// Why drawing cannot fail.
pub(super) const IN_MEMORY: &str = "a picture in memory takes every mark";

/// One axis.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    /// What is on it, with its unit.
    pub label: String,
    /// From where to where; never empty.
    pub range: Range<f64>,
    /// Where it has a line, and what is written there.
    pub ticks: Vec<(f64, String)>,
}

/// What is drawn; later marks are above earlier ones.
#[derive(Clone, Debug)]
pub(super) enum Mark {
    /// From point to point.
    Line(Vec<(f64, f64)>, RGBColor),
    /// A rectangle between two corners, filled with this opacity.
    Area([(f64, f64); 2], RGBColor, f64),
    /// A point.
    Point((f64, f64), Shape, RGBColor),
    /// A broken line across, at this height, and what it says beside the panel, in lines; if it is
    /// above the axis, only that.
    Guide(f64, Vec<String>),
}

/// Axes and what is between them.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    /// Written above, with the unit of the vertical axis.
    pub title: String,
    /// Horizontal.
    pub x: Axis,
    /// Vertical; its label is the title.
    pub y: Axis,
    /// In the order of drawing.
    pub marks: Vec<Mark>,
}

/// Text of this size in px, which the backend takes times 1.24.
pub(super) fn text(size: f64, color: &RGBColor, at: HPos) -> TextStyle<'_> {
    TextStyle::from(("sans-serif", size * 1.24).into_font())
        .color(color)
        .pos(Pos::new(at, VPos::Top))
}

impl Panel {
    /// Draws the panel, all of it.
    pub(super) fn draw(&self, area: &Area) {
        let title = text(13.0, &INK, HPos::Left);
        area.draw_text(&self.title, &title, (8, 4))
            .expect(IN_MEMORY);
        let longest = self.y.ticks.iter().map(|(_, label)| label.len()).max();
        let mut plot = ChartBuilder::on(area)
            .margin_top(30)
            .margin_right(self.guide_width())
            .margin_bottom(20)
            .set_label_area_size(
                LabelAreaPosition::Left,
                16 + 8 * longest.unwrap_or(0) as u32,
            )
            .set_label_area_size(LabelAreaPosition::Bottom, 24)
            .build_cartesian_2d(self.x.range.clone(), self.y.range.clone())
            .expect(IN_MEMORY);
        self.draw_axes(area, &mut plot);
        for mark in &self.marks {
            mark.draw(area, &mut plot);
        }
        self.draw_guides(area, &mut plot);
    }

    fn guides(&self) -> impl Iterator<Item = (f64, &Vec<String>)> {
        let guide = |mark| match mark {
            &Mark::Guide(at, ref lines) => Some((at, lines)),
            _ => None,
        };
        self.marks.iter().filter_map(guide)
    }

    /// What there has to be at the right, px.
    fn guide_width(&self) -> u32 {
        let lines = self.guides().flat_map(|(_, lines)| lines);
        let longest = lines.map(|line| line.chars().count()).max();
        longest.map_or(24, |longest| 18 + 7 * longest as u32)
    }

    /// From the lowest up, so that what is near another is written above it.
    fn draw_guides(&self, area: &Area, plot: &mut Plot) {
        let Range { start, end: right } = self.x.range;
        let top = self.y.range.end;
        let mut guides: Vec<_> = self.guides().collect();
        guides.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut lowest = i32::MAX;
        for (at, lines) in guides {
            if at <= top {
                let step = (right - start) / DASHES;
                let dash = |n| f64::from(n).mul_add(2.0 * step, start);
                for from in (0..(DASHES / 2.0) as u32).map(dash) {
                    let dash = PathElement::new([(from, at), (from + step, at)], INK);
                    plot.draw_series([dash]).expect(IN_MEMORY);
                }
            }
            let (x, y) = pixel(area, plot, (right, at.min(top)));
            let height = LINE * lines.len() as i32;
            let y = (y - height / 2).min(lowest - height);
            lowest = y;
            let beside = text(11.0, &INK, HPos::Left);
            let arrow = if at <= top { "" } else { "^ " };
            for (line, written) in lines.iter().enumerate() {
                let arrow = if line == 0 { arrow } else { "" };
                let place = (x + 6, y + LINE * line as i32);
                area.draw_text(&format!("{arrow}{written}"), &beside, place)
                    .expect(IN_MEMORY);
            }
        }
    }

    fn draw_axes(&self, area: &Area, plot: &mut Plot) {
        let Range {
            start: left,
            end: right,
        } = self.x.range;
        let Range {
            start: bottom,
            end: top,
        } = self.y.range;
        let lines = self.y.ticks.iter().map(|&(y, _)| [(left, y), (right, y)]);
        let grid = lines.map(|line| PathElement::new(line, GRID));
        plot.draw_series(grid).expect(IN_MEMORY);
        let frame = PathElement::new([(left, top), (left, bottom), (right, bottom)], INK);
        plot.draw_series([frame]).expect(IN_MEMORY);

        let at = |point| pixel(area, plot, point);
        let below = text(12.0, &INK, HPos::Center);
        for (x, label) in &self.x.ticks {
            let (x, y) = at((*x, bottom));
            area.draw_text(label, &below, (x, y + 6)).expect(IN_MEMORY);
        }
        let beside = text(12.0, &INK, HPos::Right).pos(Pos::new(HPos::Right, VPos::Center));
        for (y, label) in &self.y.ticks {
            let (x, y) = at((left, *y));
            area.draw_text(label, &beside, (x - 6, y)).expect(IN_MEMORY);
        }
        let (x, y) = at(((left + right) / 2.0, bottom));
        let name = text(12.0, &MUTED, HPos::Center);
        area.draw_text(&self.x.label, &name, (x, y + 23))
            .expect(IN_MEMORY);
    }
}

/// Where a point of the data is within the area.
fn pixel(area: &Area, plot: &Plot, point: (f64, f64)) -> (i32, i32) {
    let (left, top) = area.get_base_pixel();
    let (x, y) = plot.backend_coord(&point);
    (x - left, y - top)
}

impl Mark {
    fn draw(&self, area: &Area, plot: &mut Plot) {
        match self {
            Mark::Line(points, color) => {
                let line = PathElement::new(points.clone(), color.stroke_width(2));
                plot.draw_series([line]).expect(IN_MEMORY);
            }
            Mark::Area(corners, color, opacity) => {
                let rectangle = Rectangle::new(*corners, color.mix(*opacity).filled());
                plot.draw_series([rectangle]).expect(IN_MEMORY);
            }
            // Drawn with the panel, which knows them all.
            Mark::Guide(..) => {}
            Mark::Point(at, shape, color) => {
                draw_point(area, pixel(area, plot, *at), *shape, *color);
            }
        }
    }
}

/// Draws a point of about 9 px at a pixel of the area.
pub(super) fn draw_point(area: &Area, (x, y): (i32, i32), shape: Shape, color: RGBColor) {
    let filled = color.filled();
    match shape {
        Shape::Circle => area.draw(&Circle::new((x, y), 4, filled)),
        Shape::Square => area.draw(&Rectangle::new([(x - 4, y - 4), (x + 4, y + 4)], filled)),
        Shape::Triangle => {
            let corners = vec![(x, y - 5), (x + 5, y + 4), (x - 5, y + 4)];
            area.draw(&Polygon::new(corners, filled))
        }
    }
    .expect(IN_MEMORY);
}
