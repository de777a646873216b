//! `migrate`, `changes`, `approve`, `kill`, `verify-audit` and `health` on a service's store.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use serde_json::Value;
use xynergy::ads::{ChangeField, MemoryPlatform, Owner};
use xynergy::execution::{AdChange, ChangeId};
use xynergy::{Client, Config, StoreConfig};

use crate::support::{Service, json, on, output, stderr, xynergy};

#[test]
fn a_store_is_migrated_once_and_its_sql_can_be_had_instead() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("new.sqlite");
    let sql = output(&mut on(&store, &["migrate", "--print-sql"]), 0);
    assert!(sql.contains("CREATE TABLE ad_change_history"), "{sql}");
    assert!(!store.exists(), "printing made the file");
    // What was printed makes a store that needs nothing more.
    Connection::open(folder.path().join("own.sqlite")).unwrap().execute_batch(&sql).unwrap();
    let own = json(&mut on(&folder.path().join("own.sqlite"), &["migrate", "--json"]), 0);
    assert_eq!(own["applied"], serde_json::json!([]), "{own}");

    let first = json(&mut on(&store, &["migrate", "--json"]), 0);
    assert_eq!(first["applied"][0], "V1__state");
    let again = output(&mut on(&store, &["migrate"]), 0);
    assert_eq!(again, format!("the store is at version {}: up to date\n", first["version"]));
    let text = output(&mut on(&store, &["changes"]), 0);
    assert!(text.contains("0 changes"), "{text}");
}

#[test]
fn changes_are_listed_filtered_and_shown() {
    let service = Service::new();
    let all = json(&mut service.xynergy(&["changes", "--json"]), 0);
    let rows = all["changes"].as_array().unwrap();
    assert!(rows.len() > 3, "{all}");
    assert_eq!(all["kills"], serde_json::json!([]));
    assert!(rows.iter().all(|row| row.get("token").is_none()), "a lease's token is nobody's business");
    assert_eq!(json(&mut service.xynergy(&["changes", "list", "--json"]), 0), all, "list is the default");

    for status in ["completed", "blocked", "pending"] {
        let some = json(&mut service.xynergy(&["changes", "--json", "--status", status]), 0);
        let wanted: Vec<&Value> = rows.iter().filter(|row| row["status"] == status).collect();
        assert_eq!(some["changes"].as_array().unwrap().iter().collect::<Vec<_>>(), wanted, "{status}");
    }
    let change = &rows[0]["change"];
    let count = |arguments: &[&str]| {
        let filtered = json(&mut service.xynergy(&[&["changes", "--json"], arguments].concat()), 0);
        filtered["changes"].as_array().unwrap().len()
    };
    assert_eq!(count(&["--account", change["account_id"].as_str().unwrap()]), rows.len());
    assert_eq!(count(&["--account", "act_0"]), 0);
    assert_eq!(count(&["--allocation", change["allocation_id"].as_str().unwrap()]), rows.len());
    assert_eq!(count(&["--allocation", "another"]), 0);
    assert_eq!(count(&["--tenant", "another"]), 0);

    let text = output(&mut service.xynergy(&["changes"]), 0);
    let id = change["id"].as_str().unwrap();
    let entry: Vec<&str> = text.lines().skip_while(|line| !line.contains(id)).take(3).collect();
    let cents = change["target"].as_i64().unwrap();
    assert!(entry[1].contains(&format!("to {}.{:02} USD", cents / 100, cents % 100)), "{entry:?}");
    assert!(text.contains(&format!("{} changes: ", rows.len())), "{text}");

    let shown = json(&mut service.xynergy(&["changes", "show", id, "--json"]), 0);
    assert_eq!(shown["change"], *change);
    let history = shown["history"].as_array().unwrap();
    assert!(!history.is_empty() && history.iter().all(|row| row["change_id"] == id), "{history:?}");
    let text = output(&mut service.xynergy(&["changes", "show", id]), 0);
    assert!(text.contains(id) && text.contains("intent") && text.contains("USD"), "{text}");

    let done = service.xynergy(&["changes", "show", &"0".repeat(32)]).output().unwrap();
    assert_eq!(done.status.code(), Some(1), "{}", stderr(&done));
    assert!(stderr(&done).contains("no such change"), "{}", stderr(&done));
}

/// A service that has queued two changes under `execution.require_approval`; the digest that they wait under.
fn awaiting_approval(store: &Path) -> String {
    let change = |owner: &str, target| AdChange {
        id: ChangeId::derive(&[owner]),
        account_id: "act_1".to_owned(),
        campaign_id: "c1".to_owned(),
        owner: Owner::ad_set(owner),
        field: ChangeField::Budget,
        expected_from: 100_000,
        target,
        currency: "JPY".parse().unwrap(),
        allocation_id: None,
        causation_id: None,
        reason: "a test".to_owned(),
        expires_at: None,
        ramp: None,
    };
    let changes = vec![change("s1", 90_000), change("s2", 110_000)];
    let mut config = Config { store: StoreConfig::Sqlite { path: store.to_owned() }, ..Config::default() };
    config.execution.require_approval = true;
    let platform = Arc::new(MemoryPlatform::new("act_1", "JPY".parse().unwrap()));
    let client = Client::builder(config).ad_platform(platform).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let rows = runtime.block_on(client.execution().queue(changes)).unwrap();
    rows[0].approval.as_ref().unwrap().digest.clone()
}

#[test]
fn what_waits_for_an_approval_is_approved_once_by_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("service.sqlite");
    let digest = awaiting_approval(&store);
    let listed = output(&mut on(&store, &["changes"]), 0);
    assert!(listed.contains(&format!("2 wait for: xynergy approve {digest}\n")), "{listed}");
    assert!(listed.contains("90,000 JPY") && listed.contains("2 not over yet"), "{listed}");

    let nobody = &mut on(&store, &["approve", &digest]);
    let nobody = nobody.env_remove("USER").env_remove("LOGNAME").env_remove("USERNAME").output().unwrap();
    assert_eq!(nobody.status.code(), Some(2));
    assert!(stderr(&nobody).contains("--actor"), "{}", stderr(&nobody));
    let elsewhere =
        on(&store, &["approve", &digest, "--actor", "ada", "--tenant", "another"]).output().unwrap();
    assert_eq!(elsewhere.status.code(), Some(1), "{}", stderr(&elsewhere));

    let approved = json(&mut on(&store, &["approve", &digest, "--actor", "ada", "--json"]), 0);
    let rows = approved["approved"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "{approved}");
    assert!(rows.iter().all(|row| row["approval"]["approved_by"] == "ada"), "{approved}");
    let again = on(&store, &["approve", &digest, "--actor", "ada"]).output().unwrap();
    assert_eq!(again.status.code(), Some(1), "{}", stderr(&again));

    assert!(!output(&mut on(&store, &["changes"]), 0).contains("wait for"));
    let id = rows[0]["change"]["id"].as_str().unwrap();
    let shown = output(&mut on(&store, &["changes", "show", id]), 0);
    assert!(shown.contains("approved by ada"), "{shown}");
    output(&mut on(&store, &["verify-audit"]), 0);
}

/// The name of the environment counts where none is given.
#[test]
fn an_approval_says_what_was_approved_to_a_person() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("service.sqlite");
    let digest = awaiting_approval(&store);
    let told = output(on(&store, &["approve", &digest]).env("USER", "grace"), 0);
    assert!(told.contains("110,000 JPY") && told.ends_with("2 changes approved by grace\n"), "{told}");
}

#[test]
fn a_kill_switch_is_seen_until_it_is_off() {
    let service = Service::new();
    let kills = |arguments: &[&str]| {
        json(&mut service.xynergy(&[arguments, &["--json"]].concat()), 0)["kills"].clone()
    };
    assert_eq!(kills(&["kill", "on"]), serde_json::json!(["tenant"]));
    assert_eq!(
        kills(&["kill", "on", "--account", "act_1001"]),
        serde_json::json!(["account:act_1001", "tenant"])
    );
    let owner = ["--owner", "act_1001", "adset", "120210000000000012"];
    kills(&[&["kill", "on"], &owner as &[&str]].concat());
    assert_eq!(
        kills(&[&["kill", "status"], &owner as &[&str]].concat()),
        serde_json::json!(["owner:act_1001:adset:120210000000000012"])
    );
    assert_eq!(kills(&["changes"]).as_array().unwrap().len(), 3);
    assert_eq!(kills(&["kill", "status", "--tenant", "another"]), serde_json::json!([]));
    let text = output(&mut service.xynergy(&["changes"]), 0);
    assert!(text.starts_with("kill switch on: "), "{text}");
    assert!(output(&mut service.xynergy(&["kill", "status"]), 0).contains("on tenant\n"));

    kills(&["kill", "off"]);
    kills(&[&["kill", "off"], &owner as &[&str]].concat());
    assert_eq!(kills(&["kill", "off", "--account", "act_1001"]), serde_json::json!([]));
    assert!(!output(&mut service.xynergy(&["changes"]), 0).contains("kill switch"));
}

#[test]
fn a_tampered_audit_is_found_at_its_row() {
    let service = Service::new();
    let whole = json(&mut service.xynergy(&["verify-audit", "--json"]), 0);
    assert_eq!((&whole["chain_ok"], &whole["first_bad"]), (&Value::Bool(true), &Value::Null));
    let rows = whole["rows"].as_u64().unwrap();
    assert_eq!(output(&mut service.xynergy(&["verify-audit"]), 0), format!("{rows} rows: verified\n"));

    let store = Connection::open(service.store()).unwrap();
    store
        .execute_batch(
            "DROP TRIGGER ad_change_history_no_update;
             UPDATE ad_change_history SET to_value = to_value + 1 WHERE seq = 5;",
        )
        .unwrap();
    let broken = json(&mut service.xynergy(&["verify-audit", "--json"]), 1);
    assert_eq!(broken["chain_ok"], false);
    assert_eq!(broken["first_bad"], "act_1001#5: it was altered");
    let text = output(&mut service.xynergy(&["verify-audit"]), 1);
    assert_eq!(text, format!("{rows} rows: BROKEN at act_1001#5: it was altered\n"));
    // Another tenant's chain is its own.
    output(&mut service.xynergy(&["verify-audit", "--tenant", "another"]), 0);
}

#[test]
fn health_fails_when_anything_is_away() {
    let service = Service::new();
    let well = json(&mut service.xynergy(&["health", "--json"]), 0);
    assert_eq!((&well["status"], &well["checks"]["store"]["status"]), (&"healthy".into(), &"healthy".into()));
    assert!(output(&mut service.xynergy(&["health"]), 0).ends_with("xynergy: healthy\n"));

    // A port that nothing listens on.
    let away = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = service.path("away.toml");
    let text = format!(
        "version = 1\n[store]\ntype = \"sqlite\"\npath = {:?}\n\
         [meta]\nbase_url = \"http://{away}\"\naccount_id = \"act_1\"\naccess_token = {{ env = \"TOKEN\" }}\n",
        service.store()
    );
    std::fs::write(&config, text).unwrap();
    let asked = |format: &[&str]| {
        let mut command = xynergy(&[&["health", "--config", config.to_str().unwrap()], format].concat());
        command.env("TOKEN", "s3cret-token");
        command
    };
    let ill = json(&mut asked(&["--json"]), 1);
    assert_eq!(
        (&ill["status"], &ill["checks"]["ad_platform"]["status"]),
        (&"degraded".into(), &"unhealthy".into())
    );
    let text = output(&mut asked(&[]), 1);
    assert!(text.contains("ad_platform") && text.ends_with("xynergy: degraded\n"), "{text}");
    assert!(!text.contains("s3cret") && !ill.to_string().contains("s3cret"), "{text}");
}
