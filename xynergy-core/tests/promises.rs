//! The account of what is promised says what the code does.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use serde_json::Value;
use xynergy_core::Timestamp;
use xynergy_core::execution::{ExecutionMetrics, Policy};
use xynergy_core::metrics::{Outstanding, text};

const PAGE: &str = include_str!("../src/execution/PROMISES.md");

/// The cells of the rows of every table, without their first and last bar.
fn rows() -> impl Iterator<Item = Vec<&'static str>> {
    PAGE.lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|row| row.split(" | ").collect())
}

fn names(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_figure_of_the_policy_is_told_with_its_default() {
    let Value::Object(policy) = serde_json::to_value(Policy::standard()).unwrap() else { unreachable!() };
    let mut told = BTreeMap::new();
    for cells in rows().filter(|cells| cells.len() == 3) {
        let values = cells[1].split(", ").map(|value| value.split(' ').next().unwrap_or_default());
        told.extend(names(cells[0]).into_iter().zip(values));
    }
    for (name, value) in policy {
        let shown = told.get(name.as_str()).unwrap_or_else(|| panic!("{name} is not in the page"));
        assert_eq!(shown.replace(',', ""), value.to_string(), "{name}");
    }
}

#[test]
fn every_figure_that_is_exported_is_told() {
    let outstanding = Outstanding::default();
    let metrics = ExecutionMetrics::new().unwrap();
    let changes = Some((&metrics, Some(&outstanding)));
    let text = text(changes, None, Timestamp::from_millis(0)).unwrap();
    let told: Vec<&str> =
        rows().flat_map(|cells| names(cells[0])).map(|name| name.split('{').next().unwrap()).collect();
    let exported = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    for name in exported {
        assert!(told.contains(&name), "{name} is not in the page");
    }
    for name in told.iter().filter(|name| name.starts_with("xynergy_")) {
        // A family without a series is not in the text.
        let is_empty = ["xynergy_execution_steps_total", "xynergy_execution_changes_open"].contains(name);
        assert!(is_empty || text.contains(&format!("# TYPE {name} ")), "{name} is not exported");
    }
}
