//! The command `xynergy` as a user starts it.
#![allow(clippy::unwrap_used)]

use std::process::Command;

#[test]
fn the_version_is_the_packages() {
    let done = Command::new(env!("CARGO_BIN_EXE_xynergy")).arg("--version").output().unwrap();
    assert_eq!(String::from_utf8(done.stdout).unwrap(), format!("xynergy {}\n", env!("CARGO_PKG_VERSION")));
}
