use std::fmt::Write;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::Currency;

use super::table::{StageRow, StageTable};
use super::worth::ONE;

/// The values of the stages for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShownValues {
    /// A table as text, its columns aligned.
    pub table: String,
    /// A picture: the configured and the learned value of each stage, and below it the values by age where there are any.
    pub svg: String,
}

const WIDTH: i64 = 720;
const BAR: i64 = 14;
const NAME: i64 = 220;
const PLOT: i64 = 220;

/// The colours of the lines, told apart by those who see no red or no green as well (Okabe and Ito).
const COLOURS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];

/// Shows a table; amounts are in `currency`.
pub fn show(table: &StageTable, currency: Currency) -> ShownValues {
    ShownValues { table: text(table, currency), svg: picture(table, currency) }
}

fn text(table: &StageTable, currency: Currency) -> String {
    let mut lines =
        vec![["stage", "configured", "value", "won/closed", "P(won)", "confidence"].map(str::to_owned)];
    for row in &table.rows {
        lines.push([
            name(row),
            currency.show(row.default_minor),
            currency.show(row.value_minor),
            format!("{}/{}", row.won_deals, row.closed_deals),
            percent(row.probability_millionths),
            percent(share(row.closed_deals, table.prior_deals)),
        ]);
    }
    let mut out = format!("Values by {} closed deals up to {}\n\n", table.closed_deals, table.cut);
    aligned(&mut out, &lines);
    for row in table.rows.iter().filter(|row| !row.ages.is_empty()) {
        let mut lines = vec![
            ["from day", "at risk", "won", "lost", "won by then", "lost by then", "value"].map(str::to_owned),
        ];
        lines.extend(row.ages.iter().map(|age| {
            [
                age.from_days.to_string(),
                age.at_risk.to_string(),
                age.won.to_string(),
                age.lost.to_string(),
                percent(age.won_by_millionths),
                percent(age.lost_by_millionths),
                currency.show(age.value_minor),
            ]
        }));
        // Writing to a string cannot fail.
        let _ = write!(out, "\n{} by age\n", name(row));
        aligned(&mut out, &lines);
    }
    out
}

fn name(row: &StageRow) -> String {
    match &row.pipeline {
        Some(pipeline) => format!("{pipeline} / {}", row.stage),
        None => row.stage.clone(),
    }
}

/// Two digits behind the point.
fn percent(millionths: i64) -> String {
    let hundredths = (millionths + 50) / 100;
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}

fn share(closed: u64, prior: u64) -> i64 {
    let part =
        u128::from(closed) * u128::from(ONE.unsigned_abs()) / (u128::from(closed) + u128::from(prior)).max(1);
    i64::try_from(part).unwrap_or(ONE)
}

/// The first column to the left, the others to the right.
fn aligned<const N: usize>(out: &mut String, lines: &[[String; N]]) {
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    for line in lines {
        for (at, cell) in line.iter().enumerate() {
            let space = " ".repeat(widths[at] - cell.chars().count());
            let _ = if at == 0 { write!(out, "{cell}{space}") } else { write!(out, "  {space}{cell}") };
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
    }
}

fn picture(table: &StageTable, currency: Currency) -> String {
    let rows = i64::try_from(table.rows.len()).unwrap_or(i64::MAX / 1_000).min(10_000);
    let aged: Vec<&StageRow> = table.rows.iter().filter(|row| !row.ages.is_empty()).collect();
    let bars = 56 + rows * 3 * BAR;
    let legend = i64::try_from(aged.len()).unwrap_or(0) * 18;
    let height = bars + if aged.is_empty() { 10 } else { PLOT + 70 + legend };
    let all = table.rows.iter().flat_map(|row| {
        [row.default_minor, row.value_minor].into_iter().chain(row.ages.iter().map(|age| age.value_minor))
    });
    let most = all.max().unwrap_or(0).max(1);
    let scaled = |value: i64, length: i64| {
        let part = i128::from(value.max(0)) * i128::from(length) / i128::from(most);
        i64::try_from(part).unwrap_or(length)
    };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         role=\"img\" font-family=\"sans-serif\" font-size=\"12\">\
         <title>Values of the stages by {} closed deals up to {}</title>\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\
         <text x=\"10\" y=\"20\" font-size=\"14\">Values of the stages by {} closed deals up to {}</text>\
         <text x=\"10\" y=\"38\" fill=\"#666666\">grey: as configured; blue: as learned</text>",
        table.closed_deals, table.cut, table.closed_deals, table.cut
    );
    let length = WIDTH - NAME - 150;
    for (row, at) in table.rows.iter().zip(0_i64..) {
        let y = 50 + at * 3 * BAR;
        let _ = write!(
            svg,
            "<text x=\"10\" y=\"{}\">{}</text>\
             <rect x=\"{NAME}\" y=\"{y}\" width=\"{}\" height=\"{BAR}\" fill=\"#bbbbbb\"/>\
             <rect x=\"{NAME}\" y=\"{}\" width=\"{}\" height=\"{BAR}\" fill=\"#0072b2\"/>\
             <text x=\"{}\" y=\"{}\">{}</text>",
            y + BAR + 4,
            escaped(&shortened(&name(row))),
            scaled(row.default_minor, length),
            y + BAR,
            scaled(row.value_minor, length),
            NAME + scaled(row.value_minor.max(row.default_minor), length) + 6,
            y + BAR + 4,
            currency.show(row.value_minor),
        );
    }
    if !aged.is_empty() {
        by_age(&mut svg, &aged, bars + 20, &scaled);
    }
    svg.push_str("</svg>");
    svg
}

/// A step line for each stage: what it is worth by the age of the deal in it.
fn by_age(svg: &mut String, rows: &[&StageRow], top: i64, scaled: &impl Fn(i64, i64) -> i64) {
    let buckets = rows.iter().map(|row| row.ages.len()).max().unwrap_or(1).max(1);
    let step = (WIDTH - 80) / i64::try_from(buckets).unwrap_or(1).max(1);
    let floor = top + PLOT;
    let _ = write!(
        svg,
        "<text x=\"10\" y=\"{top}\">by age in the stage, in weeks</text>\
         <path d=\"M40 {top}V{floor}H{}\" fill=\"none\" stroke=\"#666666\"/>",
        WIDTH - 30
    );
    let every = buckets.div_ceil(13);
    for week in (0..buckets).step_by(every) {
        let x = 40 + i64::try_from(week).unwrap_or(0) * step;
        let _ = write!(svg, "<text x=\"{x}\" y=\"{}\" fill=\"#666666\">{week}</text>", floor + 16);
    }
    for ((row, colour), at) in rows.iter().zip(COLOURS.iter().cycle()).zip(0_i64..) {
        let mut path = String::new();
        for (age, week) in row.ages.iter().zip(0_i64..) {
            let (x, y) = (40 + week * step, floor - scaled(age.value_minor, PLOT - 20));
            let _ = write!(path, "{}{x} {y}H{}", if week == 0 { "M" } else { "L" }, x + step);
        }
        let y = floor + 40 + at * 18;
        let _ = write!(
            svg,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\
             <rect x=\"40\" y=\"{}\" width=\"20\" height=\"3\" fill=\"{colour}\"/><text x=\"66\" y=\"{y}\">{}</text>",
            y - 5,
            escaped(&name(row)),
        );
    }
}

fn shortened(text: &str) -> String {
    let mut kept: String = text.chars().take(30).collect();
    if kept.len() < text.len() {
        kept.push('…');
    }
    kept
}

/// A text inside of XML. Control characters, which XML does not have, become spaces.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::learn::learn;
    use super::super::rules::Rules;
    use super::super::testing::{event, stage};
    use super::*;
    use xynergy_core::Timestamp;

    const DAY: i64 = 86_400_000;

    fn learned(deals: u32) -> StageTable {
        let mut events = Vec::new();
        for n in 0..deals {
            let (id, end) = (n.to_string(), if n % 3 == 0 { "closedwon" } else { "closedlost" });
            events.push(event(2 * n, 0, &id, stage("<lead> & co")));
            events.push(event(2 * n + 1, i64::from(n % 4 + 1) * 6 * DAY, &id, stage(end)));
        }
        learn(&events, &Rules::default(), Timestamp::from_millis(100 * DAY))
    }

    #[test]
    fn the_table_is_for_people() {
        let shown = show(&learned(30), Currency::USD);
        assert_eq!(
            shown.table,
            "Values by 30 closed deals up to 1970-04-11T00:00:00Z\n\n\
             stage          configured         value  won/closed    P(won)  confidence\n\
             <lead> & co    500.00 USD  1,200.00 USD       10/30   24.00 %     60.00 %\n\
             closedlost       0.00 USD      0.00 USD        0/20    0.00 %     50.00 %\n\
             closedwon    5,000.00 USD  5,000.00 USD       10/10  100.00 %     33.33 %\n"
        );
    }

    #[test]
    fn the_picture_is_xml_with_a_line_for_each_stage_that_ages() {
        let few = show(&learned(30), Currency::USD).svg;
        assert!(few.contains("&lt;lead&gt; &amp; co") && !few.contains("<lead>"), "{few}");
        assert!(!few.contains("by age"));
        let many = show(&learned(300), Currency::USD);
        assert!(many.table.contains("<lead> & co by age\nfrom day  at risk  won  lost"), "{}", many.table);
        assert_eq!(many.svg.matches("stroke-width=\"2\"").count(), 1);
        assert!(!many.svg.contains("=\"-"), "nothing lies outside: {}", many.svg);
        let empty = show(&learned(0), Currency::USD);
        assert!(empty.svg.starts_with("<svg ") && empty.svg.ends_with("</svg>"));
    }
}
