//! The report as tables on a terminal.

use comfy_table::{Cell, CellAlignment, Table, presets};

use super::{Report, dollars, words};

fn table(title: &str, header: &[&str]) -> (String, Table) {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(header.to_vec());
    (format!("\n{title}\n"), table)
}

fn right(text: impl ToString) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

impl Report {
    /// One table a stage, and a summary.
    pub(crate) fn to_tables(&self) -> String {
        let currency = self.details.currency;
        let mut out = String::new();
        let mut push = |(title, table): (String, Table)| {
            out.push_str(&title);
            out.push_str(&table.to_string());
            out.push('\n');
        };

        let mut t = table("1  What came in", &["", "taken", "repeated", "rejected"]);
        t.1.add_row([
            Cell::new("clicks"),
            right(self.clicks.ingested),
            right(self.clicks.duplicates),
            right(self.clicks.rejected),
        ]);
        t.1.add_row([
            Cell::new("webhook deliveries"),
            right(self.webhooks.verified),
            right(""),
            right(self.webhooks.rejected),
        ]);
        t.1.add_row([
            Cell::new("CRM events in them"),
            right(self.webhooks.events),
            right(self.webhooks.duplicates),
            right(""),
        ]);
        push(t);

        let mut t = table("2  Which click is behind a deal", &["layer", "confidence", "deals"]);
        let m = &self.matches;
        for (layer, confidence, deals) in [
            ("1  click id or UTM", "1.00", m.layer1),
            ("2  fingerprint", "0.90", m.layer2),
            ("3  address and time", "0.70", m.layer3),
            ("none", "", m.none),
        ] {
            t.1.add_row([Cell::new(layer), right(confidence), right(deals)]);
        }
        push(t);

        let mut t = table("3  Synthetic revenue by ad", &["ad", "name", "revenue"]);
        for (ad, minor) in &self.revenue.by_ad {
            let name = self.details.ad_names.get(ad).map_or("", String::as_str);
            t.1.add_row([Cell::new(ad), Cell::new(name), right(currency.show(*minor))]);
        }
        t.1.add_row([Cell::new("total"), Cell::new(""), right(currency.show(self.revenue.total_minor))]);
        push(t);

        let mut t = table("4  The next budgets", &["owner", "ads", "now", "proposed", "why"]);
        for row in &self.allocation {
            t.1.add_row([
                Cell::new(&row.owner_id),
                Cell::new(self.owner_name(&row.owner_id)),
                right(currency.show(row.current_minor)),
                right(currency.show(row.proposed_minor)),
                Cell::new(wrapped(&row.reason, 60)),
            ]);
        }
        push(t);

        let mut t = table(
            "5  What became of the changes",
            &["owner", "from", "asked", "set", "status", "in plain words"],
        );
        for row in &self.details.changes {
            t.1.add_row([
                Cell::new(&row.owner_id),
                right(currency.show(row.before)),
                right(currency.show(row.requested)),
                right(row.applied.map(|a| currency.show(a)).unwrap_or_default()),
                Cell::new(status(&row.status, &row.reason)),
                Cell::new(wrapped(&row.line, 48)),
            ]);
        }
        push(t);

        let mut t = table("6  What the sentences cost", &["provider", "requests", "cost"]);
        for (provider, used) in &self.ai.by_provider {
            t.1.add_row([Cell::new(provider), right(used.requests), right(dollars(used.cost_nano_usd))]);
        }
        t.1.add_row([Cell::new("cache"), right(self.ai.cache_hits), right("free")]);
        push(t);

        out.push_str(&self.summary());
        out
    }

    fn summary(&self) -> String {
        let currency = self.details.currency;
        let live: i64 = self.platform.values().sum();
        let c = &self.changes;
        format!(
            "\n{} deals worth {}; {} of {} changes applied, {} blocked, {} failed\n\
             {} a day live, at most {} allowed; audit: {} rows, chain {}\n\
             store: {}\n",
            self.matches.layer1 + self.matches.layer2 + self.matches.layer3 + self.matches.none,
            currency.show(self.revenue.total_minor),
            c.completed,
            c.queued,
            c.blocked,
            c.failed,
            currency.show(live),
            currency.show(self.details.total_daily_minor),
            self.audit.rows,
            if self.audit.chain_ok { "verified" } else { "BROKEN" },
            self.details.store,
        )
    }
}

/// A status with its reason where there is one.
pub(super) fn status(status: &str, reason: &str) -> String {
    if reason.is_empty() { status.to_owned() } else { format!("{status}: {}", words(reason)) }
}

/// The text in lines of at most `width` characters, broken at spaces.
fn wrapped(text: &str, width: usize) -> String {
    let (mut out, mut column) = (String::new(), 0);
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}
