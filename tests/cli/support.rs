//! Starting the command, and a store that it has something to say about.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// The command with nothing of the caller's environment that configures it.
pub(crate) fn xynergy(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xynergy"));
    for name in [
        "ABACUS_API_KEY",
        "ANTHROPIC_API_KEY",
        "CLICOLOR_FORCE",
        "DATABASE_URL",
        "HUBSPOT_CLIENT_SECRET",
        "INTERNAL_AI_URL",
        "META_ACCESS_TOKEN",
        "META_AD_ACCOUNT_ID",
        "NO_COLOR",
        "OPENAI_API_KEY",
    ] {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}

/// What a command printed, once it ended with `code`.
pub(crate) fn output(command: &mut Command, code: i32) -> String {
    let done = command.output().unwrap();
    assert_eq!(done.status.code(), Some(code), "{command:?}: {}", stderr(&done));
    String::from_utf8(done.stdout).unwrap()
}

/// The same as a JSON document.
pub(crate) fn json(command: &mut Command, code: i32) -> serde_json::Value {
    serde_json::from_str(&output(command, code)).unwrap()
}

pub(crate) fn stderr(done: &Output) -> String {
    String::from_utf8_lossy(&done.stderr).into_owned()
}

/// A folder with the store of a finished run.
pub(crate) struct Service {
    pub(crate) folder: TempDir,
}

impl Service {
    pub(crate) fn new() -> Self {
        let service = Self { folder: tempfile::tempdir().unwrap() };
        let store = format!("sqlite:{}", service.store().display());
        let report = service.path("report.html");
        let demo = ["demo", "--json", "--store", &store, "--report", report.to_str().unwrap()];
        output(&mut xynergy(&demo), 0);
        service
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path("run.sqlite")
    }

    /// The command on this store.
    pub(crate) fn xynergy(&self, arguments: &[&str]) -> Command {
        on(&self.store(), arguments)
    }
}

/// The command on a store.
pub(crate) fn on(store: &Path, arguments: &[&str]) -> Command {
    let mut command = xynergy(arguments);
    command.env("DATABASE_URL", format!("sqlite:{}", store.display()));
    command
}
