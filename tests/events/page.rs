use std::collections::BTreeSet;

const PAGE: &str = include_str!("../../docs/observing.md");

/// A row of the table of events.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) from: &'static str,
    /// The fields of the payload; those with `?` may be absent.
    fields: Vec<&'static str>,
    pub(crate) has_cause: bool,
}

impl Row {
    pub(crate) fn required(&self) -> BTreeSet<String> {
        self.fields.iter().filter(|name| !name.ends_with('?')).map(|name| (*name).to_owned()).collect()
    }

    pub(crate) fn all(&self) -> BTreeSet<String> {
        self.fields.iter().map(|name| name.trim_end_matches('?').to_owned()).collect()
    }
}

/// What the page says of a type.
pub(crate) fn row(event_type: &str) -> Row {
    let (_, table) = PAGE.split_once("| event | from | when | payload | caused by |").unwrap();
    let mut fields: Vec<&str> = Vec::new();
    for line in table.lines().skip(2).map_while(|line| line.strip_prefix("| ")?.strip_suffix(" |")) {
        let cells: Vec<&str> = line.split(" | ").collect();
        let own = match cells[3].strip_prefix("the same") {
            Some(more) => more,
            None => {
                fields.clear();
                cells[3]
            }
        };
        fields.extend(own.split('`').skip(1).step_by(2));
        if cells[0].trim_matches('`') == event_type {
            return Row { from: cells[1].trim_matches('`'), fields, has_cause: cells[4] != "-" };
        }
    }
    panic!("the page does not tell {event_type}");
}
