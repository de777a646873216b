//! A database of each earlier version, with rows in it, brought to this one.

use refinery::Target;
use xynergy_core::crm::CrmChange;
use xynergy_core::spend::SpendLedger;
use xynergy_core::store::{ClickStore, EntryCause, KeyedHash, Layer, RevenueStore, StateStore};
use xynergy_core::{TenantId, Timestamp};
use xynergy_providers::store::postgres::schema;

use crate::support::Place;

mod embedded {
    refinery::embed_migrations!("migrations/postgres");
}

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// Brings a schema to an older version.
async fn migrate_to(place: &Place, version: i32) {
    let mut client = place.client().await;
    client.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS \"{}\"", place.config.schema)).await.unwrap();
    let runner = embedded::migrations::runner().set_grouped(true).set_target(Target::Version(version));
    runner.run_async(&mut client).await.unwrap();
}

/// Clicks `(n, time, ad)`; all share key 9. Before 1970, at both ends of a day, of today, and decades ahead.
fn clicks() -> [(u8, i64, &'static str); 6] {
    [
        (1, -1, "ad-1"),
        (2, 0, "ad-1"),
        (3, 20_000 * DAY - 1, "ad-2"),
        (4, 20_000 * DAY, "ad-2"),
        (5, 20_770 * DAY + 5, "ad-1"),
        (6, 50_000 * DAY, "ad-3"),
    ]
}

/// Writes rows as a version wrote them, into every table that it had.
async fn fill(place: &Place, version: i32) {
    let client = place.client().await;
    let mut sql = "INSERT INTO state_documents VALUES ('a', 'c', 'k', 3, 'kept');".to_owned();
    if version >= 2 {
        sql += "INSERT INTO ad_accounts (tenant_id, account_id, high_water, currency, max_minor) VALUES ('a', 'act', 5, 'EUR', 7);
                INSERT INTO kill_switches VALUES ('a', 'account:act', 'on');";
    }
    if version >= 3 {
        for (n, at, ad) in clicks() {
            let day = at.div_euclid(DAY);
            let (more, of_day) =
                if version >= 5 { (", day, device", format!(", {day}, NULL")) } else { ("", String::new()) };
            sql += &format!(
                "INSERT INTO clicks (tenant_id, key, clicked_at, ad_id, adset_id, campaign_id, utm_term, click_id, raw{more})
                 VALUES ('a', decode(repeat('{n:02x}', 16), 'hex'), {at}, '{ad}', 'set', 'campaign', E'a \"term\" é\\x01', 'click-{n}', '{{}}'{of_day});
                 INSERT INTO click_keys VALUES ('a', {day}, decode(repeat('09', 16), 'hex'), {at}, decode(repeat('{n:02x}', 16), 'hex'));
                 INSERT INTO click_days VALUES ('a', {day}) ON CONFLICT DO NOTHING;"
            );
            if version >= 5 {
                sql += &format!(
                    "INSERT INTO click_counts VALUES ('a', {day}, '{ad}', 'set', 'campaign', 0, 1)
                     ON CONFLICT (tenant_id, day, ad_id, adset_id, campaign_id, slot) DO UPDATE SET clicks = click_counts.clicks + 1;"
                );
            }
        }
        // A click that no key leads to, of another tenant.
        let of_day = if version >= 5 { (", day", ", 20700") } else { ("", "") };
        sql += &format!(
            "INSERT INTO clicks (tenant_id, key, clicked_at, ad_id, adset_id, campaign_id{})
             VALUES ('b', decode(repeat('07', 16), 'hex'), {}, 'ad-7', 'set', 'campaign'{});
             INSERT INTO click_ingests VALUES ('a', 'old', 0, 4), ('a', 'old', 1, 2);
             INSERT INTO crm_event_ingests VALUES ('a', 'old', 0, 2);",
            of_day.0,
            20_700 * DAY,
            of_day.1
        );
        sql += if version >= 6 {
            "INSERT INTO crm_events (tenant_id, key, occurred_at, event_id, raw, recorded_at, deals, change) VALUES
                ('a', decode(repeat('00', 16), 'hex'), 5000, '1', '{}', 5000, '[\"7\"]', '{\"type\": \"stage\", \"stage\": \"a \\\"stage\\\"\"}'),
                ('a', decode(repeat('01', 16), 'hex'), 6000, '2', '{}', 6000, '[]', NULL);
             INSERT INTO crm_event_deals VALUES ('a', '7', decode(repeat('00', 16), 'hex'));"
        } else {
            "INSERT INTO crm_events (tenant_id, key, occurred_at, event_id, deal_id, stage, raw) VALUES
                ('a', decode(repeat('00', 16), 'hex'), 5000, '1', '7', 'a \"stage\"', '{}'),
                ('a', decode(repeat('01', 16), 'hex'), 6000, '2', NULL, NULL, '{}');"
        };
        sql += "INSERT INTO deals (tenant_id, deal_id, events, events_seen, stage, value_minor, layer, click_id, ad_id, anchor,
                                   rule_version, receipt)
                VALUES ('a', '7', 1, 1, 'a \"stage\"', 50000, 2, 'click-5', 'ad-1', 5000, 'layers-1', '{}'),
                       ('a', '8', 1, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
                INSERT INTO revenue_entries (tenant_id, deal_id, position, event_key, occurred_at, stage_from, stage_to, delta_minor)
                VALUES ('a', '7', 0, decode(repeat('00', 16), 'hex'), 5000, NULL, 'a \"stage\"', 50000);";
    }
    if version >= 4 {
        sql += "INSERT INTO spend_accounts VALUES ('a', 1, '[]');
                INSERT INTO spend_cells VALUES ('a', 60000000, 'p', 'm', '{tenant}', 2, 0, 30, 900);";
    }
    if version >= 7 {
        sql = format!("SELECT open_click_days(ARRAY[19999, 20000, 20700, 20770]);\n{sql}");
        sql += "INSERT INTO click_days VALUES ('b', 20700);";
    }
    client.batch_execute(&sql).await.unwrap();
}

async fn has_every_row(place: &Place, version: i32) {
    let (store, a) = (place.open().await, TenantId::new("a").unwrap());
    let newest = i32::try_from(schema(&place.config).unwrap().version).unwrap();
    assert_eq!(store.applied().len(), usize::try_from(newest - version).unwrap());
    let document = store.get(&a, "c", "k").await.unwrap().unwrap();
    assert_eq!((document.version, document.value.as_str()), (3, "kept"));
    let client = place.client().await;
    if version >= 2 {
        let account =
            client.query_one("SELECT high_water, currency, max_minor FROM ad_accounts", &[]).await.unwrap();
        assert_eq!((account.get(0), account.get(1), account.get(2)), (5_i64, "EUR", 7_i64));
        let switches = client.query("SELECT 1 FROM kill_switches WHERE value = 'on'", &[]).await.unwrap();
        assert_eq!(switches.len(), 1);
    }
    if version >= 4 {
        let (minute, until) = (Timestamp::from_micros(60_000_000), Some(Timestamp::from_micros(0)));
        assert_eq!(store.spend(&a, until, minute).await.unwrap().cost_nano_usd, 900);
    }
    if version < 3 {
        assert_eq!(store.count(&a, None).await.unwrap(), 0);
        return;
    }

    let (from, to) = (Timestamp::from_micros(i64::MIN), Timestamp::from_micros(i64::MAX));
    let key = KeyedHash::from_bytes([9; 16]);
    for (n, at, ad) in clicks() {
        let moment = Timestamp::from_micros(at);
        let found = store.candidates(&a, &[key], moment, moment).await.unwrap();
        assert_eq!(found.len(), 1, "click {n} of version {version}");
        let click = &found[0];
        assert_eq!(
            (click.id.as_str(), click.ad_id.as_str(), click.at),
            (format!("click-{n}").as_str(), ad, moment)
        );
        assert_eq!(click.key, KeyedHash::from_bytes([n; 16]));
        assert_eq!((click.adset_id.as_str(), click.campaign_id.as_str()), ("set", "campaign"));
        assert!(click.utm.term.as_deref().unwrap().starts_with("a \"term\" é"));
    }
    assert_eq!(store.candidates(&a, &[key], from, to).await.unwrap()[0].id, "click-6");
    let counts = store.clicks_by_ad(&a, from, to).await.unwrap();
    let counts: Vec<_> =
        counts.iter().map(|row| (row.day.micros() / DAY, row.ad_id.as_str(), row.clicks)).collect();
    let days =
        [(-1, "ad-1"), (0, "ad-1"), (19_999, "ad-2"), (20_000, "ad-2"), (20_770, "ad-1"), (50_000, "ad-3")];
    assert_eq!(counts, days.map(|(day, ad)| (day, ad, 1)));
    assert_eq!(store.count(&a, Some("old")).await.unwrap(), 6);

    let event = store.events(&a, "7").await.unwrap().remove(0);
    assert_eq!(event.change, Some(CrmChange::Stage { stage: "a \"stage\"".into() }));
    assert_eq!((event.recorded_at, event.deals), (Timestamp::from_micros(5000), vec!["7".to_owned()]));
    assert_eq!(store.events_after(&a, None, 9).await.unwrap().len(), 1, "the other concerns no deal");
    assert_eq!(store.count_events(&a, Some("old")).await.unwrap(), 2);
    assert_eq!(store.pending_deals(&a, 9).await.unwrap(), ["8"]);
    let deal = store.deals(&a).await.unwrap().remove(0);
    assert_eq!((deal.stage.as_deref(), deal.value_minor), (Some("a \"stage\""), 50_000));
    assert_eq!((deal.entries[0].cause, deal.values_seen, deal.problem), (EntryCause::Stage, 0, None));
    let found = deal.matched.found.unwrap();
    assert_eq!(
        (found.layer, found.click_id.as_deref(), found.ad_id.as_str()),
        (Layer::Layer2, Some("click-5"), "ad-1")
    );

    // What was carried over is pruned and erased as what came since.
    let b = TenantId::new("b").unwrap();
    assert_eq!(store.prune(&b, Timestamp::from_micros(20_701 * DAY)).await.unwrap().clicks, 1);
    assert_eq!(store.prune(&a, Timestamp::from_micros(20_000 * DAY)).await.unwrap().clicks, 3);
    assert_eq!(store.erase(&a, &[key]).await.unwrap().clicks.len(), 3);
    assert!(store.candidates(&a, &[key], from, to).await.unwrap().is_empty());
}

#[tokio::test]
async fn every_row_of_every_earlier_version_is_found() {
    let Some(place) = Place::new() else { return };
    let newest = i32::try_from(schema(&place.config).unwrap().version).unwrap();
    drop(place);
    for version in 1..=newest {
        let Some(place) = Place::new() else { return };
        migrate_to(&place, version).await;
        fill(&place, version).await;
        has_every_row(&place, version).await;
    }
}
