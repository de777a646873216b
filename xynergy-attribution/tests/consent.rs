//! What nobody consented to is in no stored byte.
#![allow(clippy::unwrap_used)]

use serde_json::json;
use xynergy_attribution::click::{IdentityKey, parse_line};
use xynergy_core::TenantId;
use xynergy_core::store::{Click, ClickStore};
use xynergy_providers::store::sqlite::SqliteStore;

/// The identifiers of person `n`, of three digits: none of them is a part of another.
fn identifiers(n: usize) -> Vec<String> {
    vec![
        format!("198.51.100.{n}"),
        format!("2001:db8:77:{n}::1"),
        format!("Agent-of-{n}/1.0"),
        format!("x-language-{n}"),
        format!("IwAR_facebook-{n}"),
        format!("Cj0K_google-{n}"),
        format!("secret-path-{n}"),
        format!("host-click-{n}"),
        format!("shoe-size-{n}"),
    ]
}

fn line(n: usize, consent: bool) -> String {
    let [v4, v6, agent, language, facebook, google, path, click, extra] = identifiers(n).try_into().unwrap();
    let mut line = json!({
        "ts": "2026-03-01T12:00:00Z", "ad_id": "ad-1", "adset_id": "set-1", "campaign_id": "campaign-1",
        "url": format!("https://shop.example/{path}?fbclid={facebook}&gclid={google}&utm_source=utm-{n}"),
        "ip": if n.is_multiple_of(2) { v4 } else { v6 },
        "user_agent": agent, "accept_language": language, "consent": consent, "note": extra,
    });
    if n.is_multiple_of(3) {
        line["click_id"] = json!(click);
    }
    line.to_string()
}

fn clicks(consent: bool, range: std::ops::Range<usize>) -> Vec<Click> {
    let key = IdentityKey::new(&TenantId::default(), &[9; 32]);
    range.map(|n| parse_line(line(n, consent).as_bytes(), &key).unwrap()).collect()
}

/// Every byte of every file in the store's folder: the database, its write-ahead log and its index.
fn stored_bytes(directory: &tempfile::TempDir) -> Vec<u8> {
    let files = std::fs::read_dir(directory.path()).unwrap();
    let contents: Vec<_> = files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(contents.len() > 1, "the write-ahead log is among them");
    contents.concat()
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn a_click_without_consent_leaves_no_identifier_in_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("xynergy.sqlite")).await.unwrap();
    let tenant = TenantId::default();
    store.track(&tenant, &clicks(false, 100..160), "run").await.unwrap();
    store.track(&tenant, &clicks(true, 160..163), "run").await.unwrap();
    let bytes = stored_bytes(&directory);
    for n in 100..160 {
        assert!(contains(&bytes, &format!("utm-{n}")), "the UTM parameters are kept");
        for identifier in identifiers(n) {
            assert!(!contains(&bytes, &identifier), "{identifier} is stored");
        }
    }
    for identifier in [
        "198.51.100.160",
        "Agent-of-161",
        "x-language-160",
        "secret-path-161",
        "shoe-size-161",
        "host-click-162",
    ] {
        assert!(contains(&bytes, identifier), "{identifier}: with consent it is kept");
    }
}
