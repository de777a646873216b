//! Runs the cases of `tests/vectors/*.json` as `README.md` beside them says. What it runs them against is a [`Subject`]: the engine of
//! the bindings, or the Rust library itself.

mod matching;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(crate) use matching::mismatch;
pub(crate) use values::merge;
use values::{Names, resolve};

/// How long a case may take: none waits longer than a few seconds for real time.
const CASE: Duration = Duration::from_secs(60);
/// How long a host may take to see what it is to see, as that its work was cancelled.
const SEEN: Duration = Duration::from_secs(5);

/// One file of cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[allow(dead_code, reason = "for people")]
    about: String,
    #[serde(default)]
    values: BTreeMap<String, Value>,
    #[serde(default)]
    setup: Value,
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    client: Value,
    #[serde(default)]
    not_in: BTreeSet<String>,
    because: Option<String>,
    expect_error: Option<Value>,
    #[serde(default)]
    steps: Vec<Step>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Step {
    call: Option<String>,
    clock: Option<Value>,
    advance_ms: Option<i64>,
    sandbox: Option<String>,
    host: Option<String>,
    close: bool,
    reopen: bool,
    scope: Value,
    args: Option<Value>,
    timeout_ms: Option<u64>,
    cancel_after_ms: Option<u64>,
    take: Option<usize>,
    eventually: bool,
    times: Option<usize>,
    expect: Option<Value>,
    expect_error: Option<Value>,
    save: BTreeMap<String, String>,
    not_in: BTreeSet<String>,
    because: Option<String>,
}

/// What a client is built from. `README.md` says what each field means.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Setup {
    pub(crate) config: Option<Value>,
    pub(crate) config_toml: Option<String>,
    pub(crate) secrets: Option<BTreeMap<String, String>>,
    pub(crate) seed: Option<u64>,
    pub(crate) now: Option<String>,
    pub(crate) sandbox: Option<Value>,
    pub(crate) hosts: Hosts,
    pub(crate) host_timeout_ms: Option<u64>,
}

/// The scripted objects of the host, each in its place.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Hosts {
    pub(crate) providers: BTreeMap<String, Script>,
    pub(crate) caches: BTreeMap<String, Script>,
    pub(crate) stores: BTreeMap<String, Script>,
    pub(crate) crms: BTreeMap<String, Script>,
    pub(crate) ad_platforms: BTreeMap<String, Script>,
    pub(crate) secrets: Option<Script>,
}

/// What a scripted object does: the name of a behaviour, and its parameters.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Script {
    pub(crate) script: String,
    #[serde(flatten)]
    pub(crate) parameters: Map<String, Value>,
}

/// One call as a subject makes it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) scope: Scope,
    pub(crate) args: Value,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) cancel_after_ms: Option<u64>,
    /// Of a stream: so many pieces are read, and it is abandoned then.
    pub(crate) take: Option<usize>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Scope {
    pub(crate) tenant: Option<String>,
    pub(crate) actor: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) traceparent: Option<String>,
}

/// What the cases run against. Errors are the one shape of every language, as JSON.
pub(crate) trait Subject: Sized {
    /// The name by which cases exclude it.
    const LANGUAGE: &'static str;

    fn build(setup: Setup) -> impl Future<Output = Result<Self, Value>>;
    fn call(&self, call: Call) -> impl Future<Output = Result<Value, Value>>;
    /// Sets the frozen clock, or moves it.
    fn clock(&self, to: Option<&str>, advance_ms: i64);
    /// `state` or `next_due` of the sandbox; due effects land before.
    fn sandbox(&self, what: &str) -> impl Future<Output = Value>;
    /// What a scripted object has seen: `{calls, cancelled}`.
    fn seen(&self, host: &str) -> Value;
    fn close(&self) -> impl Future<Output = ()>;
    /// Closes the client and builds another one from the same setup; sandbox, clock and scripted objects stay.
    fn reopen(&mut self) -> impl Future<Output = Result<(), Value>>;
    /// Ends what was begun for the case.
    fn end(self) -> impl Future<Output = ()>;
}

/// What became of a run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) passed: usize,
    pub(crate) skipped: Vec<String>,
    pub(crate) failures: Vec<String>,
    pub(crate) called: BTreeSet<String>,
}

/// Runs every file of the folder, and fails with all that differs.
pub(crate) async fn run_all<S: Subject>(folder: &Path) -> Report {
    let mut report = Report::default();
    for path in files(folder) {
        let text = std::fs::read_to_string(&path).unwrap();
        let file: File = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let mut names = BTreeSet::new();
        for case in &file.cases {
            assert!(names.insert(&case.name), "{stem}: {:?} is there twice", case.name);
            let name = format!("{stem}: {}", case.name);
            if left_out::<S>(&name, &case.not_in, case.because.as_ref()) {
                report.skipped.push(name);
                continue;
            }
            let ran = tokio::time::timeout(CASE, run_case::<S>(&file, case, &name, &mut report)).await;
            match ran.unwrap_or_else(|_| Err("it did not end".to_owned())) {
                Ok(()) => report.passed += 1,
                Err(problem) => report.failures.push(format!("{name}: {problem}")),
            }
        }
    }
    report
}

/// The one file that is to be run, when not all are.
pub(crate) fn chosen() -> Option<String> {
    std::env::var("XYNERGY_VECTORS").ok().filter(|name| !name.is_empty())
}

/// The files of cases, by name.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let chosen = chosen();
    let mut files: Vec<PathBuf> = entries
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .filter(|path| !path.ends_with("surface.json") && !path.ends_with("matchers.json"))
        .filter(|path| {
            chosen.as_ref().is_none_or(|c| path.file_stem().is_some_and(|stem| stem == c.as_str()))
        })
        .collect();
    files.sort();
    files
}

fn left_out<S: Subject>(name: &str, not_in: &BTreeSet<String>, because: Option<&String>) -> bool {
    assert_eq!(not_in.is_empty(), because.is_none(), "{name}: `not_in` and `because` belong together");
    not_in.contains(S::LANGUAGE)
}

async fn run_case<S: Subject>(
    file: &File,
    case: &Case,
    name: &str,
    report: &mut Report,
) -> Result<(), String> {
    let mut names: Names = file.values.clone();
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    names.insert("folder".to_owned(), folder.path().display().to_string().into());
    for value in file.values.values() {
        resolve(value, &names).map_err(|e| format!("values: {e}"))?;
    }
    let setup = resolve(&merge(&file.setup, &case.client), &names)?;
    let setup: Setup = if setup.is_null() {
        Setup::default()
    } else {
        serde_json::from_value(setup).map_err(|e| format!("client: {e}"))?
    };
    let mut subject = match (S::build(setup).await, &case.expect_error) {
        (Ok(subject), None) => subject,
        (Ok(_), Some(_)) => return Err("the client was built, and should not have been".to_owned()),
        (Err(error), Some(expected)) => {
            return error_mismatch(&resolve(expected, &names)?, &error).map_or(Ok(()), Err);
        }
        (Err(error), None) => return Err(format!("the client was not built: {error}")),
    };
    let mut ended = Ok(());
    for (index, step) in case.steps.iter().enumerate() {
        let at = format!("{name}, step {}", index + 1);
        if left_out::<S>(&at, &step.not_in, step.because.as_ref()) {
            report.skipped.push(at);
            continue;
        }
        report.called.extend(step.call.clone());
        if let Err(problem) = run_step(&mut subject, step, &mut names).await {
            let what = step.call.as_deref().unwrap_or("");
            ended = Err(format!("step {} {what}: {problem}", index + 1));
            break;
        }
    }
    subject.end().await;
    ended
}

async fn run_step<S: Subject>(subject: &mut S, step: &Step, names: &mut Names) -> Result<(), String> {
    if step.clock.is_some() || step.advance_ms.is_some() {
        let to = step.clock.as_ref().map(|to| resolve(to, names)).transpose()?;
        subject.clock(to.as_ref().and_then(Value::as_str), step.advance_ms.unwrap_or(0));
        subject.sandbox("state").await;
        return Ok(());
    }
    if step.close {
        subject.close().await;
        return Ok(());
    }
    if step.reopen {
        return subject.reopen().await.map_err(|error| format!("it was not built again: {error}"));
    }
    if let Some(what) = &step.sandbox {
        return judge(step, &Ok(subject.sandbox(what).await), names);
    }
    if let Some(host) = &step.host {
        let deadline = tokio::time::Instant::now() + SEEN;
        loop {
            let judged = judge(step, &Ok(subject.seen(host)), names);
            if judged.is_ok() || tokio::time::Instant::now() > deadline {
                return judged;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    let method =
        step.call.clone().ok_or("a step is call, clock, advance_ms, sandbox, host, close or reopen")?;
    let scope = resolve(&step.scope, names)?;
    let call = Call {
        method,
        scope: if scope.is_null() {
            Scope::default()
        } else {
            serde_json::from_value(scope).map_err(|e| e.to_string())?
        },
        args: resolve(step.args.as_ref().unwrap_or(&json!({})), names)?,
        timeout_ms: step.timeout_ms,
        cancel_after_ms: step.cancel_after_ms,
        take: step.take,
    };
    let deadline = tokio::time::Instant::now() + SEEN;
    while step.eventually && tokio::time::Instant::now() < deadline {
        if judge(step, &subject.call(call.clone()).await, names).is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let calls = (0..step.times.unwrap_or(1)).map(|_| subject.call(call.clone()));
    for outcome in futures_util::future::join_all(calls).await {
        judge(step, &outcome, names)?;
    }
    Ok(())
}

/// Compares what came with what should, and saves what later steps need.
fn judge(step: &Step, outcome: &Result<Value, Value>, names: &mut Names) -> Result<(), String> {
    let problem = match (&step.expect, &step.expect_error, outcome) {
        (_, Some(expected), Err(error)) => error_mismatch(&resolve(expected, names)?, error),
        (_, Some(_), Ok(value)) => Some(format!("it should have failed, and gave {value}")),
        (Some(expected), None, Ok(value)) => mismatch(&resolve(expected, names)?, value, ""),
        (None, None, Ok(_)) => None,
        (_, None, Err(error)) => Some(format!("it failed: {error}")),
    };
    if let Some(problem) = problem {
        return Err(problem);
    }
    for (name, pointer) in &step.save {
        let value = outcome.as_ref().ok().and_then(|value| value.pointer(pointer));
        names.insert(name.clone(), value.ok_or_else(|| format!("there is nothing at {pointer:?}"))?.clone());
    }
    Ok(())
}

/// Of an error the given parts are compared: `message_contains` with the message, the others with the field of their name.
fn error_mismatch(expected: &Value, error: &Value) -> Option<String> {
    for (name, wanted) in expected.as_object()? {
        let problem = if name == "message_contains" {
            mismatch(&json!({"$contains": wanted}), &error["message"], "message")
        } else {
            mismatch(wanted, &error[name], name)
        };
        if let Some(problem) = problem {
            return Some(format!("{problem}; the error is {error}"));
        }
    }
    None
}

/// The methods of `surface.json` that no case calls.
pub(crate) fn never_called(folder: &Path, called: &BTreeSet<String>) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("surface.json")).unwrap();
    let surface: Value = serde_json::from_str(&text).unwrap();
    surface["methods"].as_object().unwrap().keys().filter(|name| !called.contains(*name)).cloned().collect()
}

/// Holds the matchers to `matchers.json`, which every runner obeys: a matcher that accepts anything would let every case pass.
pub(crate) fn check_matchers(folder: &Path) {
    let text = std::fs::read_to_string(folder.join("matchers.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    for case in &cases {
        let found = mismatch(&case["expect"], &case["value"], "");
        assert_eq!(found.is_none(), case["matches"] == true, "{case}: {found:?}");
    }
    assert!(cases.len() > 20);
}

/// Prints what was left out, and fails with everything that differs.
pub(crate) fn conclude<S: Subject>(report: &Report) {
    println!("{}: {} cases passed, {} left out", S::LANGUAGE, report.passed, report.skipped.len());
    for skipped in &report.skipped {
        println!("  left out: {skipped}");
    }
    assert!(report.passed + report.failures.len() > 0, "there is no case to run");
    assert!(report.failures.is_empty(), "\n{}", report.failures.join("\n"));
}
