//! Tests that start processes of their own, run as a user runs them.

use std::io::{BufRead, BufReader, IsTerminal};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Size;
use crate::card::Card;

/// Tells a person at a terminal what is going on.
pub(crate) fn progress(line: &str) {
    if std::io::stderr().is_terminal() {
        eprintln!("  {line}");
    }
}

/// Real processes that are killed.
pub(crate) fn processes(card: &mut Card, size: Size) {
    if !Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/proof/processes").is_dir() {
        card.not_run.push("processes that are killed: this version has no such test".to_owned());
        return;
    }
    if let Some(lines) = run(card, "processes", size) {
        let told =
            lines.into_iter().filter(|line| line.starts_with("processes ") || line.starts_with("skipped: "));
        for line in told {
            match line.strip_prefix("skipped: ") {
                Some(why) => card.not_run.push(why.to_owned()),
                None => card.processes.push(line),
            }
        }
    }
}

/// Runs a test of the package, and gives what it printed; `None` when it could not be started or failed.
pub(crate) fn run(card: &mut Card, test: &str, size: Size) -> Option<Vec<String>> {
    progress(&format!("cargo test --test {test}"));
    let mut command = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["test", "--quiet", "--all-features", "--test", test, "--", "--nocapture", "--test-threads=1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if size == Size::Full {
        command.env("XYNERGY_PROOF_FULL", "1");
    }
    let Ok(mut child) = command.spawn() else {
        card.not_run.push(format!("the test {test}: cargo is missing"));
        return None;
    };
    // Both pipes are emptied at once, or a full one would stop the child.
    let errors = child.stderr.take().map(|pipe| std::thread::spawn(move || read(pipe)));
    let lines = child.stdout.take().map(read).unwrap_or_default();
    let errors = errors.and_then(|thread| thread.join().ok()).unwrap_or_default();
    if child.wait().is_ok_and(|status| status.success()) {
        return Some(lines);
    }
    let told: Vec<String> = lines.into_iter().chain(errors).collect();
    let told = told[told.len().saturating_sub(30)..].join("\n    ");
    card.violations.push(format!("the test {test} fails:\n    {told}"));
    None
}

fn read(pipe: impl std::io::Read) -> Vec<String> {
    BufReader::new(pipe).lines().map_while(Result::ok).inspect(|line| progress(line)).collect()
}
