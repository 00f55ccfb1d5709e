//! The table as a chart: a panel for each figure, a line for each repair.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;

use crate::row::Row;

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
const SIZE: (u32, u32) = (720, 1_000);
const HEAD: i32 = 108;
const UNDER_WHAT: &str =
    "two in a mesh, 25 ms apart, 10 s of 30 pictures a second both ways, n = 1 seed";

/// What a panel shows: title, lowest and highest value, and the figure.
type Panel = (&'static str, [f64; 2], fn(&Row) -> f64);

const PANELS: [Panel; 4] = [
    ("pictures shown, % of those sent", [0.0, 100.0], |row| {
        row.shown_pct
    }),
    (
        "time that the picture stood still, %",
        [0.0, 100.0],
        |row| row.frozen_pct,
    ),
    ("PSNR of the pictures shown, dB", [36.0, 44.0], |row| {
        row.psnr_db
    }),
    ("SSIM of the pictures shown", [0.95, 1.0], |row| row.ssim),
];

/// Writes the chart of these rows, in the order of their repairs, as SVG.
///
/// # Errors
///
/// If the file cannot be written.
pub fn draw(rows: &[Row], path: &Path) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let title = ("sans-serif", 20).into_font();
    root.draw_text("What each repair buys, against loss", &title.into(), (8, 8))?;
    let subtitle = ("sans-serif", 14).into_font();
    root.draw_text(UNDER_WHAT, &subtitle.into(), (8, 36))?;
    let lines: Vec<&[Row]> = rows.chunk_by(|a, b| a.repair == b.repair).collect();
    draw_legend(&root, &lines)?;
    let (_, body) = root.split_vertically(HEAD);
    for (area, panel) in body.split_evenly((PANELS.len(), 1)).iter().zip(PANELS) {
        draw_panel(area, panel, &lines)?;
    }
    Ok(root.present()?)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn draw_legend(root: &Area, lines: &[&[Row]]) -> Result<(), Box<dyn Error>> {
    let font = ("sans-serif", 15).into_font();
    for (index, (line, color)) in (0..).zip(lines.iter().zip(COLORS)) {
        let (x, y) = (8 + 170 * (index % 4), 64 + 22 * (index / 4));
        root.draw(&Circle::new((x + 6, y + 6), 4, color.filled()))?;
        root.draw_text(line[0].repair, &font.clone().into(), (x + 18, y))?;
    }
    Ok(())
}

fn draw_panel(
    area: &Area,
    (title, [low, high], of): Panel,
    lines: &[&[Row]],
) -> Result<(), Box<dyn Error>> {
    let most = lines
        .iter()
        .flat_map(|line| line.iter().map(|row| row.loss_pct))
        .max();
    let most = f64::from(most.unwrap_or(1));
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .margin_right(24)
        .caption(title, ("sans-serif", 15))
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
    for (line, color) in lines.iter().zip(COLORS) {
        let points: Vec<_> = line
            .iter()
            .map(|row| (f64::from(row.loss_pct), of(row)))
            .collect();
        let marks = points
            .iter()
            .map(|point| Circle::new(*point, 3, color.filled()));
        chart.draw_series(marks)?;
        chart.draw_series(LineSeries::new(points.clone(), color.stroke_width(2)))?;
    }
    Ok(())
}
