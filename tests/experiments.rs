//! Experiments, predictions and models through the client: workers at once, on both embedded stores.
#![allow(clippy::unwrap_used, clippy::print_stdout)]
#![cfg(all(feature = "allocation", feature = "sqlite"))]

use serde_json::json;
use xynergy::evaluation::{LoggedDecision, TargetPolicy, policy_of};
use xynergy::experiments::ExperimentEvent;
use xynergy::predict::{CtrAd, CtrOptions, CtrRow};
use xynergy::{Client, Config, ErrorKind};

fn clients() -> (Vec<Client>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.db");
    let sqlite = format!("version = 1\n[store]\ntype = \"sqlite\"\npath = {:?}", file.to_str().unwrap());
    let configs = ["version = 1", &sqlite];
    (configs.map(|config| Client::new(Config::from_toml(config).unwrap()).unwrap()).into(), folder)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_that_record_at_once_lose_nothing() {
    let (clients, _folder) = clients();
    for client in clients {
        client.migrate(false).await.unwrap();
        let spec = serde_json::from_value(json!({
            "experiment_id": "e",
            "arms": [{"arm_id": "old", "share_ppm": 500_000}, {"arm_id": "new", "share_ppm": 500_000}],
            "control": "old",
            "metric": {"name": "revenue", "kind": "value"},
            "planned_units": 1000,
        }))
        .unwrap();
        client.experiments().start(spec).await.unwrap();
        let workers: Vec<_> = (0..8)
            .map(|worker| {
                let client = client.clone();
                tokio::spawn(async move {
                    for batch in 0..5 {
                        // Each unit is recorded by two workers, once with the same event.
                        let events: Vec<_> = (0..20)
                            .map(|n| {
                                let unit = (worker / 2) * 100 + batch * 20 + n;
                                ExperimentEvent {
                                    event_id: format!("order {unit}"),
                                    unit_id: format!("unit {unit}"),
                                    metric: Some("revenue".into()),
                                    value_minor: Some(unit + 1),
                                }
                            })
                            .collect();
                        client.experiments().record("e", &events).await.unwrap();
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.await.unwrap();
        }
        let status = client.experiments().status("e").await.unwrap();
        let units: u64 = status.arms.iter().map(|arm| arm.unit_count).sum();
        let value: f64 = status.arms.iter().map(|arm| arm.mean.unwrap() * arm.unit_count as f64).sum();
        assert_eq!(units, 400);
        assert!((value - f64::from(400 * 401 / 2)).abs() < 1e-6, "{value}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn versions_that_are_trained_at_once_are_all_kept() {
    let (clients, _folder) = clients();
    for client in clients {
        client.migrate(false).await.unwrap();
        let rows: Vec<CtrRow> = serde_json::from_value(
            json!([{"features": {"format": "video"}, "clicks": 1}, {"features": {}, "clicks": 0}]),
        )
        .unwrap();
        let trained = futures_util::future::join_all((0..5).map(|_| {
            let (client, rows) = (client.clone(), rows.clone());
            async move {
                client.allocation().train_ctr(&rows, &CtrOptions::default(), None).await.unwrap().version
            }
        }))
        .await;
        let mut versions = trained.clone();
        versions.sort_unstable();
        assert_eq!(versions, [1, 2, 3, 4, 5]);
        let ads: Vec<CtrAd> =
            serde_json::from_value(json!([{"ad_id": "a", "features": {"format": "video"}}])).unwrap();
        let error = client.allocation().predict_ctr(&ads, None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let models = client.allocation().activate_ctr(Some(4)).await.unwrap();
        assert_eq!((models.active_version, models.versions.len()), (Some(4), 5));
        assert_eq!(client.allocation().predict_ctr(&ads, None).await.unwrap()[0].version, 4);
    }
}

#[tokio::test]
async fn a_proposed_allocation_stands_before_the_gate() {
    let client = Client::new(Config::from_toml("version = 1").unwrap()).unwrap();
    let ad = |id: &str, deals: i64| {
        json!({"ad_id": id, "active": true, "impressions": 20_000, "clicks": 300, "spend_minor": 100_000,
            "deals": deals, "value_minor": deals * 100_000})
    };
    let request = serde_json::from_value(json!({
        "currency": "USD",
        "owners": [{"owner_id": "1", "level": "adset", "current_minor": 5000, "ads": [ad("good", 40), ad("bad", 2)]}],
        "constraints": {"total_daily_minor": 5000, "min_minor": 100, "max_minor": 100_000},
        "seed": 7,
        "draws": 1000,
    }))
    .unwrap();
    let allocation = client.allocation().select("a", &request).await.unwrap();
    let proposed = policy_of(&allocation);
    assert!(proposed.actions["good"] > 0.8, "{proposed:?}");
    let log: Vec<LoggedDecision> = (0..4000)
        .map(|n| LoggedDecision {
            action: if n % 2 == 0 { "good" } else { "bad" }.into(),
            propensity: 0.5,
            reward: if n % 2 == 0 { f64::from(n % 10) } else { 1.0 },
            ..LoggedDecision::default()
        })
        .collect();
    let turned = TargetPolicy {
        actions: [("good".to_owned(), 0.1), ("bad".to_owned(), 0.9)].into(),
        ..TargetPolicy::default()
    };
    let options = xynergy::evaluation::EvaluationOptions::default();
    client.allocation().gate(&log, &proposed, None, &options).unwrap().require_allowed().unwrap();
    let refused =
        client.allocation().gate(&log, &turned, None, &options).unwrap().require_allowed().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::LimitExceeded);
}
