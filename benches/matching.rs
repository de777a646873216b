//! Matches a second, with sealed receipts, against a million clicks in memory: `cargo bench --bench matching`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

use std::sync::Arc;
use std::time::Instant;

use xynergy_attribution::click::{ClickRules, IdentityKey};
use xynergy_attribution::matching::{ChooseBy, ContactProperties, Evidence, Layers, Rules, Windows, choose};
use xynergy_core::crm::Contact;
use xynergy_core::store::memory::MemoryClicks;
use xynergy_core::store::{Click, ClickStore, Personal, Utm};
use xynergy_core::{TenantId, Timestamp};

const CLICKS: u64 = 1_000_000;
const MATCHES: u64 = 400_000;
const DAY: i64 = 24 * 3_600 * 1_000_000;

fn ip(n: u64) -> String {
    format!("198.{}.{}.{}", n / 65_536 % 256, n / 256 % 256, n % 256)
}

fn click(n: u64, key: &IdentityKey) -> Click {
    let at = i64::try_from(n * 2_654_435_761 % 1_000_003).unwrap() * 2_000_000;
    let agent = format!("Agent/{}", n % 40);
    let address = ip(n / 3);
    Click {
        key: key.click(&n.to_string()),
        at: Timestamp::from_micros(at),
        ad_id: format!("ad-{}", n % 100),
        adset_id: format!("set-{}", n % 20),
        campaign_id: format!("campaign-{}", n % 5),
        utm: Utm::default(),
        id_keys: Vec::new(),
        personal: Some(Personal {
            click_id: format!("click-{n}"),
            fingerprint: key.layer2(&address, &agent, "de"),
            address: key.layer3(&address, &agent),
            device: None,
            raw: String::new(),
        }),
    }
}

fn evidence(n: u64, key: &IdentityKey) -> Evidence {
    let property = |name: &str, value: String| (name.to_owned(), Some(value));
    let contact = Contact {
        properties: [
            property("xynergy_ip", ip(n / 3)),
            property("xynergy_user_agent", format!("Agent/{}", n % 40)),
            property("xynergy_accept_language", "de".to_owned()),
            property("xynergy_consent", "true".to_owned()),
        ]
        .into(),
    };
    let rules = ClickRules::default();
    Evidence::of(
        [&contact],
        &ContactProperties::default(),
        std::slice::from_ref(key),
        &rules,
        &Layers::default(),
    )
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let key = IdentityKey::new(&TenantId::default(), &[7; 32]);
    let clicks = Arc::new(MemoryClicks::default());
    let tenant = TenantId::default();
    let mut batch = Vec::new();
    for n in 0..CLICKS {
        batch.push(click(n, &key));
        if batch.len() == 10_000 {
            runtime.block_on(clicks.track(&tenant, &batch, "bench")).unwrap();
            batch.clear();
        }
    }
    let asked: Arc<Vec<Evidence>> = Arc::new((0..100_000).map(|n| evidence(n * 7 % CLICKS, &key)).collect());
    for workers in [1_u64, 2] {
        // The first round warms the indexes.
        for round in 0..2 {
            let start = Instant::now();
            let tasks: Vec<_> = (0..workers)
                .map(|worker| {
                    let (clicks, asked, tenant) = (clicks.clone(), asked.clone(), tenant.clone());
                    runtime.spawn(async move {
                        let (windows, ads) = (Windows::default(), Default::default());
                        let rules = Rules { windows: &windows, choose_by: ChooseBy::Tier, ads: &ads };
                        let anchor = Timestamp::from_micros(24 * DAY);
                        let (from, to) = windows.around(anchor);
                        let (mut found, mut bytes) = (0_u64, 0);
                        for n in (worker..MATCHES).step_by(usize::try_from(workers).unwrap()) {
                            let evidence = &asked[usize::try_from(n).unwrap() % asked.len()];
                            let candidates =
                                clicks.candidates(&tenant, &evidence.keys(), from, to).await.unwrap();
                            let matched = choose(anchor, evidence, &candidates, rules, None);
                            found += u64::from(matched.found.is_some());
                            bytes += matched.receipt.len();
                        }
                        (found, bytes)
                    })
                })
                .collect();
            let mut sums = (0, 0);
            for task in tasks {
                let (found, bytes) = runtime.block_on(task).unwrap();
                sums = (sums.0 + found, sums.1 + bytes);
            }
            let seconds = start.elapsed().as_secs_f64();
            if round == 1 {
                println!(
                    "{workers} worker(s): {:.0} matches/s with receipts, {} of {MATCHES} found, {} bytes a receipt",
                    MATCHES as f64 / seconds,
                    sums.0,
                    sums.1 / usize::try_from(MATCHES).unwrap()
                );
            }
        }
    }
}
