//! Matches a second, with sealed receipts, against a million clicks in memory: `cargo bench --bench matching`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

use std::sync::Arc;
use std::time::Instant;

use xynergy_attribution::click::{ClickRules, ClientHints, IdentityKey, Visit};
use xynergy_attribution::matching::{
    COMPARED_CLICKS, ChooseBy, Collection, ContactProperties, Evidence, KnownAds, Layers, Rules, Versioned,
    Weighing, Windows, choose,
};
use xynergy_core::crm::Contact;
use xynergy_core::store::memory::MemoryClicks;
use xynergy_core::store::{Around, Click, ClickStore, Personal, Utm};
use xynergy_core::{TenantId, Timestamp};

const CLICKS: u64 = 1_000_000;
const MATCHES: u64 = 400_000;
const HOUR: i64 = 3_600 * 1_000_000;
const DAY: i64 = 24 * HOUR;

/// Deals that the model learns from, every second of a known click.
const LEARNT: u64 = 4_000;

/// Three clicks an address for two thirds of them, a hundred for the others.
fn ip(n: u64) -> String {
    let n = if n.is_multiple_of(3) { 1_000_000 + n / 300 } else { n / 4 };
    format!("198.{}.{}.{}", n / 65_536 % 256, n / 256 % 256, n % 256)
}

fn agent(n: u64) -> String {
    format!("Mozilla/5.0 (Windows NT 6.1; rv:1{}.0) Gecko/20100101 Firefox/1{}.0", n % 40 + 10, n % 40 + 10)
}

fn rules() -> ClickRules {
    ClickRules { keep_devices: true, ..ClickRules::default() }
}

fn click(n: u64, key: &IdentityKey) -> Click {
    let at = i64::try_from(n * 2_654_435_761 % 1_000_003).unwrap() * 2_000_000;
    let (agent, address) = (agent(n), ip(n));
    let visit = Visit::new(&address, None, &agent, "de", &ClientHints::new(), &rules());
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
            fingerprint: visit.fingerprint(key),
            address: visit.address(key),
            device: visit.device(key),
            raw: String::new(),
        }),
    }
}

fn evidence(n: u64, key: &IdentityKey) -> Evidence {
    let property = |name: &str, value: String| (name.to_owned(), Some(value));
    let contact = Contact {
        properties: [
            property("xynergy_ip", ip(n)),
            property("xynergy_user_agent", agent(n)),
            property("xynergy_accept_language", "de".to_owned()),
            property("xynergy_consent", "true".to_owned()),
        ]
        .into(),
    };
    Evidence::of(
        [&contact],
        &ContactProperties::default(),
        std::slice::from_ref(key),
        &rules(),
        &Layers::default(),
    )
}

async fn trained(clicks: &MemoryClicks, tenant: &TenantId, key: &IdentityKey) -> Versioned {
    let mut collection = Collection::new(Windows::default());
    for deal in 0..LEARNT {
        let n = deal * 241 % CLICKS;
        let own = click(n, key);
        // Most convert within days, and every second's click id is known.
        let anchor = Timestamp::from_micros(own.at.micros() + i64::try_from(deal % 97).unwrap() * HOUR);
        let known = (deal % 2 == 0).then_some(own.key);
        let signals = evidence(n, key).signals(anchor, known).unwrap();
        let from = anchor.minus(collection.reach());
        let around = clicks.around(tenant, &signals.networks(), from, anchor, COMPARED_CLICKS).await.unwrap();
        collection.add(&format!("{deal:05}"), &signals, &around, &[], &[]);
    }
    let (model, report) = collection.train(200).unwrap();
    println!("trained on {} deals, {} masked: {:?}", report.conversions, report.masked, report.judged);
    model.versioned().unwrap()
}

/// The choosing alone, of candidates and clicks around that were fetched before.
fn alone(clicks: &MemoryClicks, tenant: &TenantId, asked: &[Evidence], model: &Versioned) {
    let (windows, ads) = (Windows::default(), KnownAds::default());
    let rules = Rules { windows: &windows, choose_by: ChooseBy::Probability, ads: &ads };
    let anchor = Timestamp::from_micros(24 * DAY);
    let (from, to) = windows.around(anchor);
    let (first, _) = model.model.around(anchor);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let fetched: Vec<_> = asked
        .iter()
        .take(20_000)
        .map(|evidence| {
            runtime.block_on(async {
                let candidates = clicks.candidates(tenant, &evidence.keys(), from, to).await.unwrap();
                let networks = evidence.networks();
                (candidates, clicks.around(tenant, &networks, first, to, COMPARED_CLICKS).await.unwrap())
            })
        })
        .collect();
    let start = Instant::now();
    let (mut bytes, mut weighed) = (0, 0);
    for (evidence, (candidates, around)) in asked.iter().zip(&fetched) {
        let weighing = Weighing { model, around };
        bytes += choose(anchor, evidence, candidates, rules, Some(weighing)).receipt.len();
        weighed += around.clicks.len();
    }
    let seconds = start.elapsed().as_secs_f64();
    let matches = fetched.len() as f64;
    println!(
        "choosing alone: {:.0} matches/s, {:.1} clicks weighed and {:.0} bytes of receipt a match",
        matches / seconds,
        weighed as f64 / matches,
        bytes as f64 / matches
    );
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
    let model = Arc::new(runtime.block_on(trained(&clicks, &tenant, &key)));
    alone(&clicks, &tenant, &asked, &model);
    for (choose_by, workers) in
        [(ChooseBy::Tier, 1_u64), (ChooseBy::Tier, 2), (ChooseBy::Probability, 1), (ChooseBy::Probability, 2)]
    {
        // The first round warms the indexes.
        for round in 0..2 {
            let start = Instant::now();
            let tasks: Vec<_> = (0..workers)
                .map(|worker| {
                    let (clicks, asked, tenant) = (clicks.clone(), asked.clone(), tenant.clone());
                    let model = (choose_by == ChooseBy::Probability).then(|| model.clone());
                    runtime.spawn(async move {
                        let (windows, ads) = (Windows::default(), KnownAds::default());
                        let rules = Rules { windows: &windows, choose_by, ads: &ads };
                        let anchor = Timestamp::from_micros(24 * DAY);
                        let (from, to) = windows.around(anchor);
                        let (mut found, mut bytes) = (0_u64, 0);
                        for n in (worker..MATCHES).step_by(usize::try_from(workers).unwrap()) {
                            let evidence = &asked[usize::try_from(n).unwrap() % asked.len()];
                            let candidates =
                                clicks.candidates(&tenant, &evidence.keys(), from, to).await.unwrap();
                            let mut around = Around::default();
                            if let Some(model) = &model {
                                let (from, to) = model.model.around(anchor);
                                let networks = evidence.networks();
                                around = clicks
                                    .around(&tenant, &networks, from, to, COMPARED_CLICKS)
                                    .await
                                    .unwrap();
                            }
                            let weighing = model.as_ref().map(|model| Weighing { model, around: &around });
                            let matched = choose(anchor, evidence, &candidates, rules, weighing);
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
                    "by {choose_by:?}, {workers} worker(s): {:.0} matches/s with receipts, {} of {MATCHES} found, {} bytes a receipt",
                    MATCHES as f64 / seconds,
                    sums.0,
                    sums.1 / usize::try_from(MATCHES).unwrap()
                );
            }
        }
    }
}
