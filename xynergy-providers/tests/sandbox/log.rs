use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use xynergy_core::ErrorKind;
use xynergy_core::env::ManualClock;
use xynergy_providers::sandbox::record::{Entry, Field, FieldValue, Record};
use xynergy_providers::sandbox::{SandboxConfig, SandboxLog, SandboxState, start};

use crate::support::{World, ads, crm, noon, start_on};

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(noon()))
}

fn lines(path: &Path) -> Vec<Record> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The state less what a restart does not keep.
async fn settled(world: &World) -> SandboxState {
    world.sandbox.state().await.unwrap()
}

#[tokio::test]
async fn the_lines_are_on_disk_when_the_answer_arrives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.sandbox");
    let world = start_on(&path, &clock()).await.unwrap();
    for budget in [3000, 3100] {
        assert_eq!(world.client.set("s1", budget).await, 200);
        let records = lines(&path);
        let [.., effect, request] = records.as_slice() else { panic!("{records:?}") };
        assert!(
            matches!(&effect.entry, Entry::Effect(line) if line.change.after == FieldValue::Minor(budget))
        );
        assert!(matches!(&request.entry, Entry::Request(line) if line.status == Some(200)));
    }
    let served = world.client.get("/_sandbox/log").await.text;
    assert_eq!(served, std::fs::read_to_string(&path).unwrap());
}

#[tokio::test]
async fn the_state_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.sandbox");
    let clock = clock();
    let world = start_on(&path, &clock).await.unwrap();
    let rules = json!({"rules": [
        {"path": "/v*/s2", "nth": 2, "fault": {"late_ms": 120_000}},
        {"path": "/v*/s2", "nth": 3, "fault": {"status": 500}},
    ]});
    world.client.post("/_sandbox/faults", &rules).await;
    for budget in 2601..2606 {
        world.client.set("s1", budget).await;
    }
    world.client.post("/_sandbox/edit", &json!({"id": "c2", "daily_budget": 9100})).await;
    assert_eq!(world.client.set("s2", 5100).await, 200);
    world.client.try_form("/v26.0/s2", "daily_budget=5200").await.unwrap_err();
    let before = settled(&world).await;
    let activities = world.client.get("/v26.0/act_77/activities").await.text;
    world.sandbox.shutdown().await;

    let world = start_on(&path, &clock).await.unwrap();
    let after = settled(&world).await;
    assert_eq!(SandboxState { seq: before.seq, requests: before.requests, ..after.clone() }, before);
    assert_eq!(
        (after.seq, after.requests),
        (before.seq + 1, before.requests + 1),
        "the look at the activities"
    );
    assert_eq!(world.client.get("/v26.0/act_77/activities").await.text, activities);
    assert_eq!(world.client.set("s1", 2700).await, 400, "still blocked");
    assert_eq!(world.client.set("s2", 5300).await, 500, "the third of its kind");
    assert!(world.sandbox.next_due().is_some());
    world.advance(120);
    assert_eq!(world.budget("s2").await, 5200, "the late effect landed");
}

#[tokio::test]
async fn a_torn_last_line_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.sandbox");
    let clock = clock();
    let world = start_on(&path, &clock).await.unwrap();
    world.client.set("s1", 3000).await;
    world.sandbox.shutdown().await;
    let whole = std::fs::read(&path).unwrap();
    let mut file = std::fs::File::options().append(true).open(&path).unwrap();
    file.write_all(br#"{"seq":3,"at":"2026-03-01T12:00:00Z","kind":"eff"#).unwrap();
    drop(file);
    let world = start_on(&path, &clock).await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), whole);
    assert_eq!(world.client.set("s1", 3100).await, 200);
    assert_eq!(lines(&path).iter().map(|r| r.seq).collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[tokio::test]
async fn a_log_that_cannot_be_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.sandbox");
    let clock = clock();
    let world = start_on(&path, &clock).await.unwrap();
    world.client.set("s1", 3000).await;
    world.client.set("s1", 3100).await;
    world.sandbox.shutdown().await;
    let text = std::fs::read_to_string(&path).unwrap();
    let all: Vec<&str> = text.lines().collect();
    let cases = [
        (all.iter().map(|line| line.replace("\"seq\":2", "\"seq\"")).collect::<Vec<_>>(), "line 2 "),
        (all.iter().map(|line| line.replace("\"after\":3000", "\"after\":2999")).collect(), "line 3 "),
        ([&all[..1], &all[2..]].concat().into_iter().map(str::to_owned).collect(), "line 2 "),
        (
            all.iter().map(|line| line.replace("\"object_id\":\"s1\"", "\"object_id\":\"zz\"")).collect(),
            "line 1 ",
        ),
    ];
    for (lines, word) in cases {
        std::fs::write(&path, lines.join("\n") + "\n").unwrap();
        let error = start_on(&path, &clock).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.message().contains(word), "{word}: {error}");
    }
}

#[tokio::test]
async fn a_log_has_one_sandbox_and_a_port_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.sandbox");
    let world = start_on(&path, &clock()).await.unwrap();
    assert_eq!(start_on(&path, &clock()).await.err().unwrap().kind(), ErrorKind::Conflict);
    let listen = world.sandbox.urls().base.strip_prefix("http://").unwrap().parse().unwrap();
    let error = start(SandboxConfig { listen, ..SandboxConfig::new(ads(), crm()) }).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Unavailable && error.message().contains("another port"), "{error}");
    let nowhere = SandboxLog::File(folder.path().join("no/such/run.sandbox"));
    let error = start(SandboxConfig { log: nowhere, ..SandboxConfig::new(ads(), crm()) }).await.unwrap_err();
    assert!(error.message().contains("run.sandbox cannot be opened"), "{error}");
}

#[tokio::test]
async fn no_credential_reaches_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.sandbox");
    let world = start_on(&path, &clock()).await.unwrap();
    let token = "EAABhidden";
    let base = &world.client.base;
    let ask = json!({"model": "m", "messages": [{"role": "user", "content": "my password is EAABhidden"}]});
    for request in [
        world.client.http.get(format!("{base}/v26.0/s1?access_token={token}&appsecret_proof={token}")),
        world
            .client
            .http
            .post(format!("{base}/v26.0/s1"))
            .body(format!("daily_budget=3000&access_token={token}")),
        world
            .client
            .http
            .post(format!("{base}/v26.0/s1"))
            .bearer_auth(token)
            .body(format!("{token}={token}")),
        world
            .client
            .http
            .post(format!("{base}/v26.0/s1"))
            .bearer_auth(token)
            .body(format!("{{\"x\":\"{token}\"}}")),
        world
            .client
            .http
            .post(format!("{base}/v1/chat/completions"))
            .bearer_auth(token)
            .body(ask.to_string()),
        world.client.http.get(format!("{base}/crm/v3/objects/deals/101?hapikey={token}")).bearer_auth(token),
        world
            .client
            .http
            .post(format!("{base}/_sandbox/sign"))
            .bearer_auth(token)
            .body(format!("{{\"x\":\"{token}\"}}")),
    ] {
        world.client.try_send(request).await.unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(world.budget("s1").await, 3000);
    assert!(text.lines().count() >= 7 && !text.contains("hidden") && !text.contains("Bearer"), "{text}");
    assert!(text.contains("access_token=***"), "{text}");
}

#[tokio::test]
async fn writes_at_once_keep_the_limit_and_the_order_of_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.sandbox");
    let world = start_on(&path, &clock()).await.unwrap();
    let mut writes = tokio::task::JoinSet::new();
    for budget in 0..16 {
        let client = world.client.clone();
        writes.spawn(async move { client.set("s1", 3000 + budget).await });
    }
    let statuses = writes.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 4);
    let records = lines(&path);
    assert!(records.iter().map(|r| r.seq).eq(1..=20), "4 effects and 16 requests");
    assert_eq!(folded(&records)["s1"], world.budget("s1").await);
}

#[tokio::test]
async fn the_systems_clock_never_runs_behind_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.sandbox");
    let open = async || {
        let config =
            SandboxConfig { log: SandboxLog::File(path.clone()), ..SandboxConfig::new(ads(), crm()) };
        start(config).await.unwrap()
    };
    let sandbox = open().await;
    let began = sandbox.state().await.unwrap().now;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let clock = format!("{}/_sandbox/clock", sandbox.urls().base);
    http.post(clock).body("{\"advance_ms\": 86400000}").send().await.unwrap();
    sandbox.shutdown().await;
    let sandbox = open().await;
    assert!(sandbox.state().await.unwrap().now >= began.plus(Duration::from_secs(86_400)));
}

#[derive(Clone, Debug)]
enum Step {
    Set(&'static str, i64),
    Status(&'static str, &'static str),
    Edit(&'static str, i64),
    Rules(usize),
    Read(&'static str),
    Ask,
    Advance(u64),
    Reset,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let owner = prop_oneof![Just("s1"), Just("s2"), Just("c2"), Just("s3"), Just("a1")];
    let rare = prop_oneof![3 => Just(Step::Restart), 1 => Just(Step::Reset)];
    prop_oneof![
        8 => (owner.clone(), 50..9000_i64).prop_map(|(id, budget)| Step::Set(id, budget)),
        3 => (owner.clone(), prop_oneof![Just("ACTIVE"), Just("PAUSED"), Just("ODD")]).prop_map(|(id, s)| Step::Status(id, s)),
        3 => (owner.clone(), -60..60_i64).prop_map(|(id, percent)| Step::Edit(id, percent)),
        2 => (0..4_usize).prop_map(Step::Rules),
        3 => owner.prop_map(Step::Read),
        1 => Just(Step::Ask),
        3 => (0..5000_u64).prop_map(Step::Advance),
        2 => rare,
    ]
}

fn rules(index: usize) -> Value {
    let sets = [
        json!([]),
        json!([{"method": "POST", "path": "/v*/s1", "nth": [1, 3], "fault": {"late_ms": 900_000}},
               {"path": "*", "nth": 4, "fault": {"cut": "before"}}]),
        json!([{"method": "POST", "path": "*", "nth": [2, 3], "fault": {"cut": "after"}},
               {"path": "/v*/s2", "nth": 1, "fault": {"late_ms": 0}}]),
        json!([{"path": "/v*/*", "nth": [1, 2], "fault": {"edit": {"id": "s1", "daily_budget_percent": 3}}},
               {"path": "*", "nth": [2, 5], "fault": {"graph_error": {"code": 2}}}]),
    ];
    json!({"rules": sets[index]})
}

async fn take(world: World, path: &Path, step: &Step) -> World {
    let client = &world.client;
    match step {
        // A cut is as good as an answer here.
        Step::Set(id, budget) => {
            drop(client.try_form(&format!("/v26.0/{id}"), &format!("daily_budget={budget}")).await);
        }
        Step::Status(id, status) => {
            drop(client.try_form(&format!("/v26.0/{id}"), &format!("status={status}")).await);
        }
        Step::Edit(id, percent) => {
            drop(
                client.try_post("/_sandbox/edit", &json!({"id": id, "daily_budget_percent": percent})).await,
            );
        }
        Step::Rules(index) => drop(client.try_post("/_sandbox/faults", &rules(*index)).await),
        Step::Read(id) => drop(client.try_send(client.request("GET", &format!("/v26.0/{id}"))).await),
        Step::Ask => drop(client.try_post("/v1/chat/completions", &json!({"model": "m"})).await),
        Step::Advance(seconds) => world.clock.advance(Duration::from_secs(*seconds)),
        Step::Reset => drop(client.try_post("/_sandbox/reset", &json!({})).await),
        Step::Restart => {
            let clock = world.clock.clone();
            world.sandbox.shutdown().await;
            return start_on(path, &clock).await.unwrap();
        }
    }
    world
}

/// Budgets by a fold that knows nothing but the ads file and the lines: effects, and resets.
fn folded(records: &[Record]) -> BTreeMap<String, i64> {
    let begin = || -> BTreeMap<String, i64> {
        ads().owners().into_iter().map(|(id, owner)| (id, owner.daily_budget_minor)).collect()
    };
    let mut budgets = begin();
    for record in records {
        match &record.entry {
            Entry::Effect(line) if line.change.field == Field::DailyBudget => {
                let FieldValue::Minor(after) = line.change.after else { panic!("{line:?}") };
                let before = budgets.insert(line.change.object_id.clone(), after).map(FieldValue::Minor);
                assert_eq!(before.as_ref(), Some(&line.change.before));
            }
            Entry::Control(line) if line.reset => budgets = begin(),
            _ => {}
        }
    }
    budgets
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_state_is_the_fold_of_the_log(steps in proptest::collection::vec(step(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("run.sandbox");
            let mut world = start_on(&path, &clock()).await.unwrap();
            for step in &steps {
                world = take(world, &path, step).await;
            }
            let before = settled(&world).await;
            let (clock, due) = (world.clock.clone(), world.sandbox.next_due());
            world.sandbox.shutdown().await;
            let records = lines(&path);
            prop_assert_eq!(folded(&records), before.budgets.clone());
            prop_assert!(records.iter().map(|r| r.seq).eq(1..=before.seq));
            prop_assert!(records.is_sorted_by_key(|r| r.at));

            let world = start_on(&path, &clock).await.unwrap();
            prop_assert_eq!(world.sandbox.next_due(), due);
            prop_assert_eq!(settled(&world).await, before);
            Ok(())
        })?;
    }

    #[test]
    fn a_log_torn_anywhere_continues_from_its_whole_lines(steps in proptest::collection::vec(step(), 1..12), at in 0.0..1.0_f64) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("run.sandbox");
            let clock = clock();
            let mut world = start_on(&path, &clock).await.unwrap();
            for step in &steps {
                world = take(world, &path, step).await;
            }
            world.sandbox.shutdown().await;
            let mut bytes = std::fs::read(&path).unwrap();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
            bytes.truncate((bytes.len() as f64 * at) as usize);
            std::fs::write(&path, &bytes).unwrap();
            let whole = bytes.iter().filter(|b| **b == b'\n').count();

            let world = start_on(&path, &clock).await.unwrap();
            prop_assert_eq!(lines(&path).len(), whole);
            let world = take(world, &path, &Step::Read("s1")).await;
            let budgets = settled(&world).await.budgets;
            world.sandbox.shutdown().await;
            let records = lines(&path);
            prop_assert!(records.len() > whole);
            prop_assert_eq!(folded(&records), budgets);
            Ok(())
        })?;
    }
}
