//! Curves as SVG text.

use std::error::Error;

use plotters::prelude::*;

const COLOURS: [RGBColor; 6] = [
    RGBColor(148, 163, 184),
    RGBColor(217, 119, 6),
    RGBColor(220, 38, 38),
    RGBColor(124, 58, 237),
    RGBColor(5, 150, 105),
    RGBColor(37, 99, 235),
];
const INK: RGBColor = RGBColor(55, 65, 81);

/// One line for each name, its values by day; the names stand at the ends of the lines' colours, the greatest first.
pub(crate) fn curves(title: &str, curves: &[(&str, Vec<f64>)]) -> Result<String, Box<dyn Error>> {
    let days = curves.iter().map(|(_, values)| values.len()).max().unwrap_or(1);
    let greatest = curves.iter().flat_map(|(_, values)| values.iter().copied()).fold(1.0, f64::max);
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, (860, 460)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 20).into_font().color(&INK))
        .margin(16)
        .x_label_area_size(40)
        .y_label_area_size(76)
        .build_cartesian_2d(0..days, 0.0..greatest * 1.05)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(INK.mix(0.12))
        .axis_style(INK.mix(0.4))
        .x_desc("day")
        .y_label_formatter(&|value| format!("{value:.0}"))
        .label_style(("sans-serif", 14).into_font().color(&INK))
        .draw()?;
    let mut order: Vec<_> = curves.iter().zip(COLOURS).collect();
    order.sort_by(|a, b| b.0.1.last().unwrap_or(&0.0).total_cmp(a.0.1.last().unwrap_or(&0.0)));
    for ((name, values), colour) in order {
        let points =
            std::iter::once((0, 0.0)).chain(values.iter().enumerate().map(|(day, value)| (day + 1, *value)));
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(3)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.85))
        .border_style(TRANSPARENT)
        .label_font(("sans-serif", 14).into_font().color(&INK))
        .draw()?;
    drop(chart);
    area.present()?;
    drop(area);
    Ok(svg)
}
