//! Bar charts as SVG text.

use std::error::Error;

use plotters::prelude::*;

/// One labelled row of a chart with a bar for each series.
pub(crate) struct Row {
    /// The text left of the bars.
    pub(crate) label: String,
    /// The value of each series.
    pub(crate) values: Vec<i64>,
}

/// A chart of horizontal bars: one row a thing, one bar a series.
pub(crate) struct BarChart<'a> {
    /// The name and colour of each series; the names are shown when there are several.
    pub(crate) series: &'a [(&'a str, RGBColor)],
    /// From top to bottom.
    pub(crate) rows: &'a [Row],
    /// How a value is written beside its bar.
    pub(crate) format: &'a dyn Fn(i64) -> String,
}

const WIDTH: u32 = 760;
const LABELS: u32 = 240;
const BAR: u32 = 20;
const GAP: u32 = 14;
const INK: RGBColor = RGBColor(55, 65, 81);

/// Bars of what is now, or of the only series.
pub(crate) const BLUE: RGBColor = RGBColor(37, 99, 235);
/// Bars of what was before.
pub(crate) const SLATE: RGBColor = RGBColor(191, 201, 214);
/// Bars of what was refused.
pub(crate) const AMBER: RGBColor = RGBColor(217, 119, 6);
/// Bars of what cost nothing.
pub(crate) const GREEN: RGBColor = RGBColor(5, 150, 105);

impl BarChart<'_> {
    /// The chart as an `<svg>` element.
    pub(crate) fn to_svg(&self) -> Result<String, Box<dyn Error>> {
        let bars = u32::try_from(self.series.len())?;
        let rows = u32::try_from(self.rows.len())?;
        let legend = if bars > 1 { 28 } else { 0 };
        let row_height = bars * BAR + GAP;
        let greatest = self.rows.iter().flat_map(|row| row.values.iter().copied()).max().unwrap_or(0).max(1);
        // A range of one row has no extent for plotters: it gets an empty second one.
        let last = i32::try_from(rows)?.max(2);
        let mut svg = String::new();
        let area = SVGBackend::with_string(&mut svg, (WIDTH, legend + rows.max(2) * row_height + 4))
            .into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin_top(legend)
            .y_label_area_size(LABELS)
            // The quarter beyond the greatest bar is for the values beside the bars.
            .build_cartesian_2d(0..greatest + greatest / 4 + 1, (0..last - 1).into_segmented())?;
        // plotters counts upwards; the first row belongs on top.
        let row_at = |y: &SegmentValue<i32>| match y {
            SegmentValue::CenterOf(y) => usize::try_from(last - 1 - y).ok().and_then(|i| self.rows.get(i)),
            SegmentValue::Exact(_) | SegmentValue::Last => None,
        };
        chart
            .configure_mesh()
            .disable_mesh()
            .disable_x_axis()
            .axis_style(TRANSPARENT)
            .y_labels(self.rows.len().max(2))
            .y_label_style(("sans-serif", 15).into_font().color(&INK))
            .y_label_formatter(&|y| row_at(y).map(|row| row.label.clone()).unwrap_or_default())
            .draw()?;
        for (s, (_, colour)) in (0_u32..).zip(self.series) {
            let (above, below) = (GAP / 2 + s * BAR, GAP / 2 + (bars - 1 - s) * BAR);
            chart.draw_series((0..last).rev().zip(self.rows).map(|(y, row)| {
                let value = row.values.get(s as usize).copied().unwrap_or(0).max(0);
                let mut bar = Rectangle::new(
                    [(0, SegmentValue::Exact(y)), (value, SegmentValue::Exact(y + 1))],
                    colour.filled(),
                );
                bar.set_margin(above, below, 0, 0);
                bar
            }))?;
            let shift = i32::try_from(s * BAR)? - i32::try_from((bars - 1) * BAR / 2)?;
            chart.draw_series((0..last).rev().zip(self.rows).map(|(y, row)| {
                let value = row.values.get(s as usize).copied().unwrap_or(0);
                let style = ("sans-serif", 15).into_font().color(&INK);
                EmptyElement::at((value.max(0), SegmentValue::CenterOf(y)))
                    + Text::new((self.format)(value), (6, shift - 5), style)
            }))?;
        }
        if bars > 1 {
            let mut x = i32::try_from(LABELS)?;
            for (name, colour) in self.series {
                area.draw(&Rectangle::new([(x, 6), (x + 12, 18)], colour.filled()))?;
                area.draw(&Text::new(*name, (x + 18, 6), ("sans-serif", 13).into_font().color(&INK)))?;
                x += 40 + 8 * i32::try_from(name.len())?;
            }
        }
        area.present()?;
        drop(chart);
        drop(area);
        Ok(svg)
    }
}
