//! The independent judge: `tests/python/execution_invariants.py`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use crate::database::Store;
use crate::field;

/// What it found.
#[derive(Debug, Deserialize)]
pub(crate) struct Verdict {
    /// One line for each invariant that does not hold.
    pub(crate) problems: Vec<String>,
    /// What landed outside of the promise and was not noticed.
    pub(crate) notes: Vec<String>,
    /// How often each path was taken.
    pub(crate) paths: BTreeMap<String, u64>,
}

/// The Python that has what the judge needs: `XYNERGY_TEST_PYTHON`, or the one of the system.
fn python() -> String {
    std::env::var("XYNERGY_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

/// Whether the judge can read what is in PostgreSQL.
#[cfg(feature = "postgres")]
pub(crate) fn reads_postgres() -> bool {
    let asked = Command::new(python()).args(["-c", "import psycopg"]).output();
    asked.is_ok_and(|asked| asked.status.success())
}

pub(crate) fn judge(log: &Path, store: &Store, kills: &Path) -> Verdict {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/execution_invariants.py");
    let policy = serde_json::to_string(&field::policy()).unwrap();
    let done = Command::new(python())
        .arg(script)
        .arg(log)
        .arg(store.address())
        .args(["--policy", &policy, "--json", "--kills"])
        .arg(kills)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&done.stdout);
    serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("the judge: {text}{}", String::from_utf8_lossy(&done.stderr)))
}
