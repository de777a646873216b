//! The report as one self-contained page: no script, no request, light and dark.

use std::error::Error;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::charts::{AMBER, BLUE, BarChart, GREEN, Row, SLATE};
use super::{Report, dollars, tables, words};

const STYLE: &str = include_str!("page.css");

impl Report {
    /// The whole page.
    pub(crate) fn to_page(&self) -> Result<String, Box<dyn Error>> {
        let currency = self.details.currency;
        let deals = self.matches.layer1 + self.matches.layer2 + self.matches.layer3 + self.matches.none;
        let attributed = deals - self.matches.none;
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { "Xynergy closed loop " (self.details.run_id) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header {
                        h1 { "From ad click to budget change" }
                        p { "Run " code { (self.details.run_id) } ", " (self.details.started) " to " (self.details.ended) ", simulated time" }
                    }
                    section.tiles {
                        (tile(&currency.show(self.revenue.total_minor), "synthetic revenue", &format!("{deals} deals")))
                        (tile(&format!("{attributed} of {deals}"), "deals with an ad behind them", &layers(self)))
                        (tile(&format!("{} of {}", self.changes.completed, self.changes.queued), "budget changes applied",
                            &format!("{} blocked, {} failed", self.changes.blocked, self.changes.failed)))
                        (tile(&dollars(self.ai.cost_nano_usd), "spent on AI", &format!("{} requests, {} from the cache", self.ai.requests, self.ai.cache_hits)))
                        (tile(if self.audit.chain_ok { "verified" } else { "BROKEN" }, "audit chain", &format!("{} rows", self.audit.rows)))
                    }
                    (card("Revenue by ad", "The expected value of each deal at its stage, on the ad whose click is behind it.", &self.revenue_chart()?, &html! {}))
                    (card("Budget a day, before and after", "Live on the ad platform when the run began, and when it ended.", &self.budget_chart()?, &self.allocation_table()))
                    (card("What was blocked, and why", "How many changes met each reason on the way; what only had to wait was applied later. A change outside a limit is refused, not bent, and a lost reply is never sent again: it is reconciled by reading.",
                        &self.reason_chart()?, &self.change_table()))
                    (card("AI cost by provider, and cache hits", "One sentence for each applied or blocked change; equal cases come from the cache.",
                        &self.cost_chart()?, &self.use_chart()?))
                    @if !self.details.problems.is_empty() {
                        section.card {
                            h2 { "Lines that were skipped" }
                            ul { @for problem in &self.details.problems { li { (problem) } } }
                        }
                    }
                    footer { "Written by " code { (self.details.command) } ". Store: " code { (self.details.store) } }
                }
            }
        };
        Ok(page.into_string())
    }

    fn revenue_chart(&self) -> Result<Markup, Box<dyn Error>> {
        let currency = self.details.currency;
        let mut rows: Vec<_> = self
            .revenue
            .by_ad
            .iter()
            .map(|(ad, minor)| Row {
                label: self.details.ad_names.get(ad).unwrap_or(ad).clone(),
                values: vec![*minor],
            })
            .collect();
        rows.sort_by(|a, b| b.values.cmp(&a.values).then_with(|| a.label.cmp(&b.label)));
        chart(&[("revenue", BLUE)], &rows, &|minor| currency.show(minor))
    }

    fn budget_chart(&self) -> Result<Markup, Box<dyn Error>> {
        let currency = self.details.currency;
        let rows: Vec<_> = self
            .allocation
            .iter()
            .map(|row| Row {
                label: self.owner_name(&row.owner_id),
                values: vec![
                    row.current_minor,
                    self.platform.get(&row.owner_id).copied().unwrap_or(row.current_minor),
                ],
            })
            .collect();
        chart(&[("before", SLATE), ("after", BLUE)], &rows, &|minor| currency.show(minor))
    }

    fn reason_chart(&self) -> Result<Markup, Box<dyn Error>> {
        let rows: Vec<_> = self
            .changes
            .by_reason
            .iter()
            .filter(|(reason, _)| *reason != "reconciled")
            .map(|(reason, count)| Row {
                label: words(reason),
                values: vec![i64::try_from(*count).unwrap_or(i64::MAX)],
            })
            .collect();
        if rows.is_empty() {
            return Ok(html! { p { "Nothing was blocked." } });
        }
        chart(&[("changes", AMBER)], &rows, &|count| count.to_string())
    }

    fn cost_chart(&self) -> Result<Markup, Box<dyn Error>> {
        let rows: Vec<_> = self
            .ai
            .by_provider
            .iter()
            .map(|(name, used)| Row {
                label: name.clone(),
                values: vec![i64::try_from(used.cost_nano_usd).unwrap_or(i64::MAX)],
            })
            .collect();
        chart(&[("cost", BLUE)], &rows, &|nano| dollars(nano.unsigned_abs()))
    }

    fn use_chart(&self) -> Result<Markup, Box<dyn Error>> {
        let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let rows = [
            Row {
                label: "answered by a provider".to_owned(),
                values: vec![count(self.ai.requests - self.ai.cache_hits)],
            },
            Row { label: "answered from the cache".to_owned(), values: vec![count(self.ai.cache_hits)] },
        ];
        chart(&[("requests", GREEN)], &rows, &|requests| requests.to_string())
    }

    fn allocation_table(&self) -> Markup {
        let currency = self.details.currency;
        html! {
            table {
                thead { tr { th { "Owner" } th.n { "Now" } th.n { "Proposed" } th { "Why" } } }
                tbody {
                    @for row in &self.allocation {
                        tr {
                            td { (self.owner_name(&row.owner_id)) br; code { (row.owner_id) } }
                            td.n { (currency.show(row.current_minor)) }
                            td.n { (currency.show(row.proposed_minor)) }
                            td { (row.reason) }
                        }
                    }
                }
            }
        }
    }

    fn change_table(&self) -> Markup {
        let currency = self.details.currency;
        html! {
            table {
                thead { tr { th { "Owner" } th.n { "From" } th.n { "Asked" } th.n { "Set" } th { "Status" } th { "In plain words" } } }
                tbody {
                    @for row in &self.details.changes {
                        tr {
                            td { (self.owner_name(&row.owner_id)) }
                            td.n { (currency.show(row.before)) }
                            td.n { (currency.show(row.requested)) }
                            td.n { @if let Some(applied) = row.applied { (currency.show(applied)) } }
                            td { span class={ "status " (row.status) } { (tables::status(&row.status, &row.reason)) } }
                            td { (row.line) }
                        }
                    }
                }
            }
        }
    }
}

fn layers(report: &Report) -> String {
    let m = &report.matches;
    format!("layer 1: {}, layer 2: {}, layer 3: {}", m.layer1, m.layer2, m.layer3)
}

fn tile(value: &str, name: &str, note: &str) -> Markup {
    html! { div.tile { strong { (value) } span { (name) } small { (note) } } }
}

fn card(title: &str, note: &str, first: &Markup, second: &Markup) -> Markup {
    html! { section.card { h2 { (title) } p.note { (note) } (first) (second) } }
}

fn chart(
    series: &[(&str, plotters::style::RGBColor)],
    rows: &[Row],
    format: &dyn Fn(i64) -> String,
) -> Result<Markup, Box<dyn Error>> {
    let svg = BarChart { series, rows, format }.to_svg()?;
    Ok(html! { figure { (PreEscaped(svg)) } })
}
