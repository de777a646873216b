use std::sync::Arc;

use xynergy_core::config::EnvSecrets;
use xynergy_core::env::{Entropy, SystemEntropy};
use xynergy_core::store::Utm;

use super::*;
use crate::store::postgres::{DatabaseUrl, PostgresConfig};

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

fn hash(kind: u8, n: u16) -> KeyedHash {
    let mut bytes = [kind; 16];
    bytes[..2].copy_from_slice(&n.to_be_bytes());
    KeyedHash::from_bytes(bytes)
}

/// A lookup opens the tables of its window and no others, and searches them by their index.
#[tokio::test]
async fn a_lookup_opens_the_days_of_its_window_alone() {
    let Ok(url) = std::env::var("XYNERGY_TEST_POSTGRES") else { return };
    let mut random = [0; 8];
    SystemEntropy.fill(&mut random);
    let schema = format!("plan_{:016x}", u64::from_le_bytes(random));
    let config = PostgresConfig { schema: schema.clone(), ..PostgresConfig::new(DatabaseUrl::Text(url)) };
    let store = PostgresStore::open(&config, Arc::new(EnvSecrets)).await.unwrap();
    let (tenant, client) = (TenantId::default(), store.connection().await.unwrap());
    let now = "SELECT floor(extract(epoch FROM now()) / 86400)::bigint";
    let now: i64 = client.query_one(now, &[]).await.unwrap().get(0);
    let click = |n: u16| Click {
        key: hash(1, n),
        at: Timestamp::from_micros((now - i64::from(n % 90)) * DAY + i64::from(n)),
        ad_id: "ad".into(),
        adset_id: "set".into(),
        campaign_id: "campaign".into(),
        utm: Utm::default(),
        id_keys: vec![hash(2, n)],
        personal: None,
    };
    let clicks: Vec<Click> = (0..900).map(click).collect();
    store.track(&tenant, &clicks, "run").await.unwrap();

    client
        .batch_execute(&format!(
            "PREPARE lookup (text, bytea[], bigint, bigint, integer, integer) AS {LATEST_OF_KEYS}"
        ))
        .await
        .unwrap();
    let (first, last) = (now - 6, now);
    let explain = format!(
        "EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off)
         EXECUTE lookup ('default', ARRAY['\\x{}'::bytea], {}, {}, {first}, {last})",
        hash(2, 5),
        first * DAY,
        (last + 1) * DAY,
    );
    let plan = client.query(&explain, &[]).await.unwrap();
    client.batch_execute(&format!("DROP SCHEMA \"{schema}\" CASCADE")).await.unwrap();
    let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
    let text = plan.join("\n");
    let scans: Vec<&String> =
        plan.iter().filter(|line| line.contains("Scan") && line.contains(" on click")).collect();
    assert!(scans.iter().all(|line| line.contains("Index")), "{text}");
    assert!(text.contains("click_days_pkey"), "the tenant's days:\n{text}");
    let of_days: Vec<_> = scans.iter().filter(|line| !line.contains("click_days")).collect();
    assert_eq!(of_days.len(), 7, "one search in each of seven days:\n{text}");
    let read = of_days.iter().filter(|line| !line.contains("never executed")).count();
    assert_eq!(read, 6, "from the last day back to that of the click:\n{text}");
}
