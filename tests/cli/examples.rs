//! `demo`, `ask` and `sandbox`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use crate::support::{json, output, xynergy};

#[test]
fn the_demo_says_the_same_in_memory_and_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let (page, store) = (folder.path().join("page.html"), folder.path().join("run.sqlite"));
    let demo =
        |store: &str| xynergy(&["demo", "--json", "--store", store, "--report", page.to_str().unwrap()]);
    let in_memory = output(&mut demo("memory"), 0);
    assert_eq!(output(&mut demo(&format!("sqlite:{}", store.display())), 0), in_memory);
    let report: serde_json::Value = serde_json::from_str(&in_memory).unwrap();
    assert_eq!(report["audit"]["chain_ok"], true);
    assert!(report["changes"]["completed"].as_u64().unwrap() > 0, "{report}");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("<code>xynergy demo</code>"), "the page names the command that wrote it");
}

/// An installed command has no target directory to write to.
#[test]
fn the_demos_own_store_is_a_new_file_that_its_output_names() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = xynergy(&["demo"]);
    let text = output(demo.current_dir(folder.path()).env("TMPDIR", folder.path()), 0);
    let store = text.lines().find_map(|line| line.strip_prefix("store: ")).unwrap();
    assert!(std::path::Path::new(store.trim()).is_file(), "{store}");
    assert!(store.contains("xynergy-demo-"), "{store}");
    assert!(folder.path().join("closed_loop.html").is_file());
    assert!(text.contains("USD") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn ask_is_answered_without_keys() {
    let answer = json(&mut xynergy(&["ask", "Say hello"]), 0);
    assert_eq!(answer["outcome"], "complete");
    assert_ne!(answer["text"], "");
    let streamed = output(&mut xynergy(&["ask", "--stream", "Say hello"]), 0);
    assert!(streamed.ends_with('\n') && !streamed.trim().is_empty(), "{streamed:?}");
}

#[test]
fn the_sandbox_serves_until_ctrl_c() {
    let mut sandbox = xynergy(&["sandbox", "--port", "0"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(sandbox.stdout.take().unwrap());
    let mut first = String::new();
    told.read_line(&mut first).unwrap();
    let address = first.split_whitespace().find_map(|word| word.strip_prefix("http://")).unwrap();
    let mut asked = TcpStream::connect(address).unwrap();
    asked.write_all(b"GET /_sandbox/ HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    asked.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("Xynergy sandbox"), "{answer}");
    interrupt(&sandbox);
    assert_eq!(sandbox.wait().unwrap().code(), Some(0), "Ctrl-C is its ordinary end");
}

/// A provider that never answers does not hold the user.
#[test]
fn ctrl_c_ends_a_question_with_130() {
    let folder = tempfile::tempdir().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = folder.path().join("silent.toml");
    let address = silent.local_addr().unwrap();
    std::fs::write(
        &config,
        format!("version = 1\n[ai.providers.silent]\ntype = \"openai_compatible\"\nbase_url = \"http://{address}/v1\"\nmodel = \"m\"\n"),
    )
    .unwrap();
    let mut ask = xynergy(&["ask", "Hello?", "--config", config.to_str().unwrap()]).spawn().unwrap();
    let _asked = silent.accept().unwrap();
    interrupt(&ask);
    assert_eq!(ask.wait().unwrap().code(), Some(130));
}

fn interrupt(process: &Child) {
    let sent = Command::new("kill").args(["-INT", &process.id().to_string()]).status().unwrap();
    assert!(sent.success());
}
