//! The lines that the README shows.

use std::path::Path;
use std::process::Command;

use crate::support::{output, xynergy};

#[test]
fn the_readmes_session_runs_in_an_empty_folder() {
    let folder = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_xynergy")).parent().unwrap();
    let mut path = program.as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    // The command's clean environment, for a shell.
    for (name, value) in xynergy(&[]).get_envs() {
        assert!(value.is_none());
        shell.env_remove(name);
    }
    shell.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/command_line.sh"));
    let told = output(shell.current_dir(folder.path()).env("PATH", path), 0);
    for part in ["drifted", "on account:act_1001", "kill switches: all off", "rows: verified", "\"healthy\""]
    {
        assert!(told.contains(part), "{part} is missing: {told}");
    }
    assert!(folder.path().join("closed_loop.html").is_file());
}
