//! The tables as a chart: a panel for each figure, a line for each repair.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;

/// Of Okabe and Ito, told apart by the colour-blind.
const COLORS: [RGBColor; 7] = [
    RGBColor(0, 0, 0),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 114, 178),
    RGBColor(204, 121, 167),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
];
const GRID: RGBColor = RGBColor(221, 221, 221);
const WIDTH: u32 = 900;
const HEAD: u32 = 40;
const SECTION_HEAD: u32 = 36;
const LEGEND: u32 = 22;
const PANEL: u32 = 220;
const PANELS_IN_A_ROW: usize = 2;
const LEGENDS_IN_A_ROW: usize = 5;

/// Panels whose lines have the same names.
pub struct Section {
    /// Of what.
    pub title: &'static str,
    /// How it was measured.
    pub under: &'static str,
    /// What is drawn.
    pub panels: Vec<Panel>,
}

/// One figure against loss.
pub struct Panel {
    /// With its unit.
    pub title: &'static str,
    /// The lowest and the highest value.
    pub range: [f64; 2],
    /// By name: loss, percent, and value.
    pub lines: Vec<(&'static str, Vec<(f64, f64)>)>,
}

impl Panel {
    /// The figure of rows, which are in the order of their names.
    pub fn of<R>(
        title: &'static str,
        range: [f64; 2],
        rows: &[R],
        name: impl Fn(&R) -> &'static str,
        point: impl Fn(&R) -> (f64, f64),
    ) -> Self {
        let lines = rows.chunk_by(|a, b| name(a) == name(b));
        Panel {
            title,
            range,
            lines: lines
                .map(|line| (name(&line[0]), line.iter().map(&point).collect()))
                .collect(),
        }
    }
}

impl Section {
    fn height(&self) -> u32 {
        self.head() + PANEL * self.rows() as u32
    }

    fn head(&self) -> u32 {
        let names = self.panels.first().map_or(0, |panel| panel.lines.len());
        SECTION_HEAD + LEGEND * names.div_ceil(LEGENDS_IN_A_ROW) as u32
    }

    fn rows(&self) -> usize {
        self.panels.len().div_ceil(PANELS_IN_A_ROW)
    }
}

/// Writes the chart of these sections as SVG.
///
/// # Errors
///
/// If the file cannot be written.
pub fn draw(sections: &[Section], path: &Path) -> Result<(), Box<dyn Error>> {
    let height = HEAD + sections.iter().map(Section::height).sum::<u32>();
    let root = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let title = ("sans-serif", 20).into_font();
    root.draw_text("What each repair buys, against loss", &title.into(), (8, 8))?;
    let (_, mut rest) = root.split_vertically(HEAD);
    for section in sections {
        let (area, below) = rest.split_vertically(section.height());
        draw_section(&area, section)?;
        rest = below;
    }
    Ok(root.present()?)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn draw_section(area: &Area, section: &Section) -> Result<(), Box<dyn Error>> {
    let title = ("sans-serif", 17).into_font();
    area.draw_text(section.title, &title.into(), (8, 4))?;
    let under = ("sans-serif", 13).into_font();
    area.draw_text(section.under, &under.into(), (110, 7))?;
    if let Some(panel) = section.panels.first() {
        draw_legend(area, panel)?;
    }
    let (_, body) = area.split_vertically(section.head());
    let areas = body.split_evenly((section.rows(), PANELS_IN_A_ROW));
    for (area, panel) in areas.iter().zip(&section.panels) {
        draw_panel(area, panel)?;
    }
    Ok(())
}

fn draw_legend(area: &Area, panel: &Panel) -> Result<(), Box<dyn Error>> {
    let font = ("sans-serif", 14).into_font();
    let places = (0..).map(|index: usize| (index % LEGENDS_IN_A_ROW, index / LEGENDS_IN_A_ROW));
    for ((column, row), ((name, _), color)) in places.zip(panel.lines.iter().zip(COLORS)) {
        let (x, y) = (8 + 175 * column as i32, 32 + LEGEND as i32 * row as i32);
        area.draw(&Circle::new((x + 6, y + 6), 4, color.filled()))?;
        area.draw_text(name, &font.clone().into(), (x + 18, y))?;
    }
    Ok(())
}

fn draw_panel(area: &Area, panel: &Panel) -> Result<(), Box<dyn Error>> {
    let [low, high] = panel.range;
    let points = panel.lines.iter().flat_map(|(_, points)| points);
    let most = points.map(|(loss, _)| *loss).fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .margin_right(24)
        .caption(panel.title, ("sans-serif", 15))
        .x_label_area_size(36)
        .y_label_area_size(48)
        .build_cartesian_2d(0.0..most, low..high)?;
    let decimals = if high > 1.0 { 0 } else { 2 };
    chart
        .configure_mesh()
        .x_desc("loss, %")
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .x_label_formatter(&|loss| format!("{loss:.0}"))
        .y_labels(6)
        .y_label_formatter(&|value| format!("{value:.decimals$}"))
        .label_style(("sans-serif", 14))
        .draw()?;
    for ((_, points), color) in panel.lines.iter().zip(COLORS) {
        let marks = points
            .iter()
            .map(|point| Circle::new(*point, 3, color.filled()));
        chart.draw_series(marks)?;
        chart.draw_series(LineSeries::new(points.clone(), color.stroke_width(2)))?;
    }
    Ok(())
}
