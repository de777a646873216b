//! The stated error of the token estimate, on texts with known counts.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::path::PathBuf;

use serde_json::Value;
use xynergy_core::tokens::count_text;

#[test]
fn the_estimate_is_within_a_fifth_on_prose_code_and_json() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/tokens/golden.jsonl");
    let Ok(lines) = std::fs::read_to_string(&path) else {
        println!("skipped: ../shared/data/tokens is absent");
        return;
    };
    let mut measured = 0;
    for row in lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let kind = row["kind"].as_str().unwrap();
        let exact = row["o200k_base"].as_u64().unwrap();
        if exact < 100 || kind == "edge" || kind.starts_with("random") {
            continue;
        }
        let estimate = count_text(row["text"].as_str().unwrap());
        assert!(
            estimate * 5 >= exact * 4 && estimate * 5 <= exact * 6,
            "{} ({kind}): {estimate} of {exact}",
            row["id"]
        );
        measured += 1;
    }
    assert!(measured > 20, "too few texts: {measured}");
}

#[test]
fn hostile_text_is_counted_in_linear_time() {
    let spaces = " ".repeat(10_000_000);
    assert_eq!(count_text(&spaces), 1);
    assert!(count_text(&"a".repeat(10_000_000)) > 0);
}
