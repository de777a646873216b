//! `changes queue`, `run`, `changes resolve`, `retry` and `reconcile`, against the sandbox.

use std::io::Write;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json as value};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use xynergy::sandbox::{self, AdsFile, CrmFile, Sandbox, SandboxConfig, SandboxLog};

use crate::support::{json, output, stderr, xynergy};

const ADS: &str = include_str!("../../bindings/common/src/sandbox/ads.json");

/// A service with an ad platform, of which no process runs.
struct Idle {
    folder: TempDir,
    runtime: Runtime,
    sandbox: Option<Sandbox>,
}

impl Idle {
    fn new(faults: &Value, execution: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let (ads, _) = AdsFile::parse(ADS).unwrap();
        let (crm, _) = CrmFile::parse(r#"{"deals": {}, "contacts": {}}"#).unwrap();
        let faults = sandbox::parse_faults(&faults.to_string()).unwrap();
        let config = SandboxConfig { faults, log: SandboxLog::Memory, ..SandboxConfig::new(ads, crm) };
        let sandbox = runtime.block_on(sandbox::start(config)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let described = serde_json::to_value(sandbox::config(sandbox.urls())).unwrap();
        let text = format!(
            "version = 1\n[store]\ntype = \"sqlite\"\npath = {:?}\n[execution]\n{execution}\n\
             [meta]\nbase_url = {}\naccount_id = {}\naccess_token = {{ env = \"TOKEN\" }}\n",
            folder.path().join("store.sqlite"),
            described["meta"]["base_url"],
            described["meta"]["account_id"],
        );
        std::fs::write(folder.path().join("service.toml"), text).unwrap();
        let idle = Self { folder, runtime, sandbox: Some(sandbox) };
        output(&mut idle.xynergy(&["migrate"]), 0);
        idle
    }

    fn xynergy(&self, arguments: &[&str]) -> Command {
        let config = self.folder.path().join("service.toml");
        let mut command = xynergy(&[arguments, &["--config", config.to_str().unwrap()]].concat());
        command.env("TOKEN", "a token of the sandbox").env("USER", "ann");
        command
    }

    fn queue(&self, changes: &Value, options: &[&str]) -> Output {
        let mut command = self.xynergy(&[&["changes", "queue"], options].concat());
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(changes.to_string().as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    fn queued(&self, changes: &Value, options: &[&str]) -> Value {
        let done = self.queue(changes, &[options, &["--json"]].concat());
        assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
        serde_json::from_slice::<Value>(&done.stdout).unwrap()
    }

    fn work(&self, options: &[&str]) -> Child {
        let mut command = self.xynergy(&[&["run", "--json"], options].concat());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn listed(&self, options: &[&str]) -> Vec<Value> {
        let listed = json(&mut self.xynergy(&[&["changes", "--json"], options].concat()), 0);
        listed["changes"].as_array().unwrap().clone()
    }

    fn wait_until(&self, what: &str, done: impl Fn() -> bool) {
        let began = Instant::now();
        while !done() {
            assert!(began.elapsed() < Duration::from_secs(30), "never: {what}; {:?}", self.listed(&[]));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn fired(&self) -> u64 {
        let state = self.runtime.block_on(self.sandbox.as_ref().unwrap().state()).unwrap();
        state.faults.iter().map(|fault| fault.fired).sum()
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        if let Some(sandbox) = self.sandbox.take() {
            self.runtime.block_on(sandbox.shutdown());
        }
    }
}

fn change(id: u32, owner: &str, from: i64, to: i64) -> Value {
    value!({"id": format!("{id:032}"), "account_id": "act_1001", "campaign_id": "1", "currency": "USD",
        "owner": {"level": "adset", "id": owner}, "field": "budget", "expected_from": from, "target": to})
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

const EXACT: &str = "preset = \"exact\"";

/// What is on its way when SIGTERM comes is settled, and what was not begun is left for the next worker.
#[test]
fn a_worker_drains_on_sigterm() {
    let slow = value!([{"method": "POST", "path": "/v*/11", "nth": 1, "fault": {"delay_ms": 1_500}}]);
    let idle = Idle::new(&slow, EXACT);
    idle.queued(&value!([change(1, "11", 6_000, 6_600)]), &[]);
    let worker = idle.work(&["--workers", "1"]);
    idle.wait_until("the write is under way", || idle.fired() == 1);
    idle.queued(&value!([change(2, "12", 9_000, 9_900)]), &[]);
    signal(&worker, "-TERM");
    let done = worker.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(143), "{}", stderr(&done));
    assert!(stderr(&done).contains("no new change is taken"), "{}", stderr(&done));
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!((&report["steps"], &report["completed"]), (&value!(1), &value!(1)), "{report}");
    let standing: Vec<_> = idle.listed(&[]).iter().map(|row| row["status"].clone()).collect();
    assert_eq!(standing, ["completed", "pending"]);

    let told = output(&mut idle.xynergy(&["run", "--once"]), 0);
    assert_eq!(told, "1 steps: 1 completed, 0 blocked, 0 failed, 0 without an answer\n");
    output(&mut idle.xynergy(&["verify-audit"]), 0);
}

#[test]
fn a_worker_ends_on_ctrl_c_and_refuses_options_that_could_not_run() {
    let idle = Idle::new(&value!([]), EXACT);
    let worker = idle.work(&["--poll-ms", "50"]);
    idle.queued(&value!(change(1, "11", 6_000, 6_600)), &[]);
    idle.wait_until("it is completed", || idle.listed(&["--status", "completed"]).len() == 1);
    signal(&worker, "-INT");
    assert_eq!(worker.wait_with_output().unwrap().status.code(), Some(130));
    for wrong in ["--workers=0", "--workers=257", "--poll-ms=0"] {
        let done = idle.xynergy(&["run", wrong]).output().unwrap();
        assert_eq!(done.status.code(), Some(2), "{wrong}: {}", stderr(&done));
    }
}

#[test]
fn changes_are_queued_in_steps_and_listed_by_pages() {
    let idle = Idle::new(&value!([]), EXACT);
    let far = value!([change(1, "11", 6_000, 10_000)]);
    let planned = idle.queue(&far, &["--dry-run"]);
    assert!(String::from_utf8_lossy(&planned.stdout).contains("blocked: velocity"), "{planned:?}");
    let planned = idle.queue(&far, &["--dry-run", "--ramp"]);
    let planned = String::from_utf8_lossy(&planned.stdout).into_owned();
    assert!(planned.contains("would be set to 72.00 USD") && planned.contains("digest "), "{planned}");
    assert_eq!(idle.listed(&[]).len(), 0, "a dry run queues nothing");

    let queued = idle.queued(&far, &["--ramp"]);
    let targets: Vec<_> =
        queued["changes"].as_array().unwrap().iter().map(|r| &r["change"]["target"]).collect();
    assert_eq!(targets, [7_200, 8_640, 10_000]);
    let first = json(&mut idle.xynergy(&["changes", "--json", "--limit", "2"]), 0);
    let next = first["next"].as_str().unwrap();
    assert_eq!(
        (first["changes"].as_array().unwrap().len(), &first["changes"][1]["change"]["id"]),
        (2, &value!(next))
    );
    let last = json(&mut idle.xynergy(&["changes", "--json", "--limit", "2", "--after", next]), 0);
    assert_eq!((last["changes"].as_array().unwrap().len(), &last["next"]), (1, &Value::Null));

    let text = output(&mut idle.xynergy(&["changes", "--limit", "2"]), 0);
    assert!(text.contains("(2 of 3)") && text.contains(&format!("more: --after {next}\n")), "{text}");
    let wide = text.lines().filter(|line| line.chars().count() > 80).collect::<Vec<_>>();
    assert!(wide.is_empty(), "above 80 columns: {wide:?}");
    let shown = output(&mut idle.xynergy(&["changes", "show", next]), 0);
    assert!(shown.contains("step 2 of 3 to 100.00 USD"), "{shown}");

    let withdrawn = output(&mut idle.xynergy(&["changes", "cancel", next]), 0);
    assert!(withdrawn.ends_with("withdrawn\n"), "{withdrawn}");
    assert_eq!(idle.listed(&["--reason", "cancelled"]).len(), 2, "and the step after it");
    assert_eq!(idle.xynergy(&["changes", "cancel", next]).output().unwrap().status.code(), Some(1));
    let unknown = idle.xynergy(&["changes", "--reason", "because"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(2), "{}", stderr(&unknown));
}

/// The verdict of reading is not to be had: somebody edited the object in between.
#[test]
fn what_cannot_be_told_is_resolved_by_an_operator_and_sent_again() {
    let torn = value!([
        {"method": "POST", "path": "/v*/11", "nth": 1, "fault": {"cut": "before"}},
        {"method": "GET", "path": "/v*/11", "nth": 3, "fault": {"edit": {"id": "11", "daily_budget_percent": 8}}},
    ]);
    let figures = "policy = { jitter_min_ms = 0, jitter_max_ms = 0, lease_ms = 400, send_timeout_ms = 300, landing_ms = 100, clock_skew_ms = 50 }\n\
        [execution.roles]\nann = [\"operator\"]";
    let idle = Idle::new(&torn, figures);
    idle.queued(&value!([change(1, "11", 6_000, 6_600)]), &[]);
    let id = format!("{:032}", 1);
    let told = output(&mut idle.xynergy(&["run", "--once"]), 0);
    assert!(told.contains("1 without an answer"), "{told}");
    idle.wait_until("a person is asked", || {
        output(&mut idle.xynergy(&["changes", "reconcile"]), 0);
        idle.listed(&["--needs-human"]).len() == 1
    });
    let text = output(&mut idle.xynergy(&["changes", "--needs-human"]), 0);
    assert!(text.contains(&format!("xynergy changes resolve {id} VERDICT --note TEXT\n")), "{text}");

    let resolve = ["changes", "resolve", &id, "not-applied"];
    let without = idle.xynergy(&resolve).output().unwrap();
    assert_eq!(without.status.code(), Some(2), "{}", stderr(&without));
    let noted = [&resolve[..], &["--note", "their log has no such edit"]].concat();
    let stranger = idle.xynergy(&[&noted[..], &["--actor", "bob"]].concat()).output().unwrap();
    assert_eq!(stranger.status.code(), Some(1), "{}", stderr(&stranger));
    assert!(stderr(&stranger).contains("role operator"), "{}", stderr(&stranger));
    let resolved = json(&mut idle.xynergy(&[&noted[..], &["--json"]].concat()), 0);
    assert_eq!(resolved["change"]["reason"], "not_applied");
    assert_eq!(idle.listed(&["--needs-human"]).len(), 0);
    let history = output(&mut idle.xynergy(&["changes", "show", &id]), 0);
    assert!(history.contains("their log has no such edit") && history.contains("by ann"), "{history}");

    let again = output(&mut idle.xynergy(&["changes", "retry", &id]), 0);
    assert!(again.contains("pending") && again.ends_with("queued again\n"), "{again}");
    let twice = idle.xynergy(&["changes", "retry", &id]).output().unwrap();
    assert_eq!(twice.status.code(), Some(1), "{}", stderr(&twice));
}

#[test]
fn wrong_changes_are_refused_by_their_field_and_nothing_is_stored() {
    let idle = Idle::new(&value!([]), EXACT);
    let with = |field: &str, wrong: Value| {
        let mut second = change(2, "12", 9_000, 9_900);
        second[field] = wrong;
        value!([change(1, "11", 6_000, 6_600), second])
    };
    for (field, wrong) in [
        ("target", value!(-1)),
        ("target", value!(0)),
        ("target", value!(1.5)),
        ("target", value!(1e300)),
        ("target", value!(9_223_372_036_854_775_808_u64)),
        ("target", value!("9900")),
        ("currency", value!("XXXX")),
        ("owner", value!({"level": "ad", "id": "101"})),
        ("field", value!("name")),
        ("id", value!("7")),
    ] {
        let done = idle.queue(&with(field, wrong.clone()), &[]);
        assert_eq!(done.status.code(), Some(2), "{field} {wrong}: {}", stderr(&done));
        assert!(stderr(&done).contains(field), "{field} {wrong}: {}", stderr(&done));
    }
    assert_eq!(idle.listed(&[]).len(), 0);
    let missing = idle.xynergy(&["changes", "queue", "no-such-file.json"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(2), "{}", stderr(&missing));
}
