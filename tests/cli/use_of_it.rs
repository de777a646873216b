//! Help, wrong use, colours, pipes, and the command as a function.

use std::ffi::OsString;
use std::process::Stdio;

use crate::support::{Service, on, output, stderr, xynergy};

const COMMANDS: [&str; 10] =
    ["demo", "ask", "sandbox", "migrate", "changes", "approve", "kill", "run", "verify-audit", "health"];

#[test]
fn every_command_is_listed_and_explains_itself() {
    let whole = output(&mut xynergy(&["--help"]), 0);
    for command in COMMANDS {
        assert!(whole.lines().any(|line| line.trim_start().starts_with(command)), "{command}: {whole}");
        let help = output(&mut xynergy(&[command, "--help"]), 0);
        assert!(help.contains(&format!("Usage: xynergy {command}")), "{help}");
        assert!(help.lines().count() > 5 && !help.contains('\u{1b}'), "{help}");
    }
    assert!(whole.contains("Exit codes: 0 done, 1 failed, 2 wrong use, 130 Ctrl-C, 143 SIGTERM."), "{whole}");
    assert_eq!(output(&mut xynergy(&["--version"]), 0), format!("xynergy {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_use_ends_with_2_and_one_line_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("empty.sqlite");
    output(&mut on(&store, &["migrate"]), 0);
    let newer = folder.path().join("newer.toml");
    std::fs::write(&newer, "version = 99\n").unwrap();
    let unknown = folder.path().join("unknown.toml");
    std::fs::write(&unknown, "version = 1\n[aii]\n").unwrap();
    let (newer, unknown) = (newer.to_str().unwrap(), unknown.to_str().unwrap());
    let cases: [(&[&str], &str); 21] = [
        (&[], "requires a subcommand"),
        (&["frobnicate"], "frobnicate"),
        (&["demo", "--seed", "many"], "many"),
        (&["demo", "--clicks", "nowhere.ndjson"], "nowhere.ndjson"),
        (&["demo", "--apply"], "--platform meta"),
        (&["ask"], "<PROMPT>"),
        (&["ask", "x", "--config", unknown], "aii"),
        (&["sandbox", "--ads", "nowhere.json"], "--ads"),
        (&["changes", "--status", "done"], "choose pending"),
        (&["changes", "--tenant", "a/b"], "tenant"),
        (&["changes", "--config", "nowhere.toml"], "nowhere.toml"),
        (&["changes", "--config", newer], "version: 99"),
        (&["changes", "show", "1"], "32 hex digits"),
        (&["approve"], "<DIGEST>"),
        (&["approve", "12", "--actor", "me"], "64 hex digits"),
        (&["kill"], "<SWITCH>"),
        (&["kill", "maybe"], "on, off, status"),
        (&["kill", "on", "--owner", "act_1", "ad", "3"], "adset or campaign"),
        (&["kill", "on", "--account", "1", "--owner", "act_1", "adset", "3"], "cannot be used with"),
        (&["verify-audit", "--frob"], "--frob"),
        (&["migrate", "--config", unknown], "aii"),
    ];
    for (arguments, named) in cases {
        let done = on(&store, arguments).current_dir(folder.path()).output().unwrap();
        let told = stderr(&done);
        assert_eq!(done.status.code(), Some(2), "{arguments:?}: {told}");
        assert_eq!(told.trim().lines().count(), 1, "{arguments:?}: {told}");
        assert!(told.starts_with("xynergy") && told.contains(named), "{arguments:?}: {told}");
        assert!(done.stdout.is_empty(), "{arguments:?}");
    }
}

/// A mistyped path must not look like a service in which nothing happened, nor memory like a store.
#[test]
fn a_store_that_is_not_there_is_refused_and_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("typo.sqlite");
    for command in
        [&["changes"] as &[&str], &["kill", "status"], &["kill", "on"], &["verify-audit"], &["health"]]
    {
        let done = on(&store, command).output().unwrap();
        assert_eq!(done.status.code(), Some(2), "{command:?}");
        assert!(stderr(&done).contains("typo.sqlite is not there"), "{}", stderr(&done));
        assert!(!store.exists(), "{command:?} made a store");
        let done = xynergy(command).output().unwrap();
        assert_eq!(done.status.code(), Some(2), "{command:?}");
        assert!(stderr(&done).contains("memory"), "{}", stderr(&done));
    }
}

#[test]
fn colours_are_for_terminals_and_for_those_who_insist() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("empty.sqlite");
    output(&mut on(&store, &["migrate"]), 0);
    let status = || on(&store, &["kill", "status"]);
    let plain = output(&mut status(), 0);
    assert_eq!(plain, "kill switches: all off\n");
    let insisted = output(status().env("CLICOLOR_FORCE", "1"), 0);
    assert!(insisted.contains('\u{1b}') && insisted.contains("all off"), "{insisted:?}");
    assert_eq!(output(status().env("NO_COLOR", "1"), 0), plain);
}

#[test]
fn a_reader_that_is_gone_is_no_failure() {
    let service = Service::new();
    let commands: [&[&str]; 5] =
        [&["--help"], &["changes"], &["changes", "--json"], &["ask", "hello"], &["verify-audit"]];
    for command in commands {
        let mut process =
            service.xynergy(command).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(process.stdout.take());
        let done = process.wait_with_output().unwrap();
        assert_eq!(done.status.code(), Some(0), "{command:?}: {}", stderr(&done));
        assert!(!stderr(&done).contains("panicked"), "{command:?}: {}", stderr(&done));
    }
}

/// As the Python and Node packages call it: from threads of a process that lives on.
#[test]
fn it_is_a_function_that_returns() {
    let folder = tempfile::tempdir().unwrap();
    let call = |arguments: &[&str]| {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        std::thread::spawn(move || xynergy::cli::main(arguments))
    };
    let page = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let demo = |page: &str| call(&["xynergy", "demo", "--json", "--store", "memory", "--report", page]);
    let calls = [
        (call(&["xynergy", "--version"]), 0),
        (call(&["/usr/bin/python3", "frobnicate"]), 2),
        (demo(&page("one.html")), 0),
        (demo(&page("two.html")), 0),
    ];
    for (running, code) in calls {
        assert_eq!(running.join().unwrap(), code);
    }
    assert!(folder.path().join("two.html").is_file());
}
