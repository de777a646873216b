//! How fast Meta may be asked, from what its usage headers say.
//!
//! Meta counts the calls of an app and of each account over a sliding hour and says after each call how much of that is used.
//! Above [`SPACED`] percent reads are spaced out; above [`FULL`] percent, or when Meta says that access is lost for a while,
//! nothing is sent until it should be regained.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use xynergy_core::{TenantId, Timestamp};

/// Above so many percent reads are spaced out.
const SPACED: u32 = 75;

/// Above so many percent nothing is sent.
const FULL: u32 = 95;

/// The distance between two reads for each percent above [`SPACED`].
const GAP_PER_PERCENT: Duration = Duration::from_millis(100);

/// The longest that a read waits for its turn; a longer wait is the caller's.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// How long what Meta said holds, and how long nothing is sent where it names no time: its counters decay in as much.
const DECAY: Duration = Duration::from_secs(300);

/// How many objects' accounts are remembered.
const MAX_REMEMBERED: usize = 50_000;

/// What was seen of every tenant's quotas, in this process.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    quotas: HashMap<(TenantId, Quota), Usage>,
    /// The accounts of objects, so that a call that names an object alone is counted where it belongs.
    accounts: HashMap<(TenantId, String), String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Quota {
    /// Of the tenant's token's app.
    App,
    /// Of the account of this number.
    Account(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Usage {
    percent: u32,
    seen_at: Timestamp,
    /// Nothing is sent before.
    regained_at: Timestamp,
    /// The next read's turn.
    next_read: Timestamp,
}

impl Usage {
    /// A clock that was set back would make every wait as long as the jump: what was said counts from now.
    fn rebase(&mut self, now: Timestamp) {
        if now < self.seen_at {
            self.regained_at = now.plus(self.regained_at.since(self.seen_at));
            self.seen_at = now;
            self.next_read = now;
        }
    }
}

/// What one answer says of one quota.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Said {
    percent: u32,
    wait: Duration,
}

impl Pace {
    /// How long to wait before a call may be sent; `Err` when it is not to be sent, with the time after which it may be.
    pub(super) fn admit(
        &self,
        tenant: &TenantId,
        account: Option<&str>,
        is_read: bool,
        now: Timestamp,
    ) -> Result<Duration, Duration> {
        let mut seen = self.lock();
        let quotas = [Some(Quota::App), account.map(|number| Quota::Account(number.to_owned()))];
        let keys: Vec<_> = quotas.into_iter().flatten().map(|quota| (tenant.clone(), quota)).collect();
        for key in &keys {
            if let Some(usage) = seen.quotas.get_mut(key) {
                usage.rebase(now);
            }
        }
        let known = keys.iter().filter_map(|key| seen.quotas.get(key));
        let (mut wait, mut gap) = (Duration::ZERO, Duration::ZERO);
        let mut blocked = Duration::ZERO;
        for usage in known {
            // A clock that was ahead must not hold anything up for longer than was asked.
            blocked = blocked.max(usage.regained_at.since(now).min(usage.regained_at.since(usage.seen_at)));
            let over = usage.percent.saturating_sub(SPACED);
            if is_read && over > 0 && now >= usage.seen_at && now.since(usage.seen_at) < DECAY {
                wait = wait.max(usage.next_read.since(now));
                gap = gap.max(GAP_PER_PERCENT * over);
            }
        }
        if !blocked.is_zero() {
            return Err(blocked);
        }
        if wait > LONGEST_WAIT {
            return Err(wait);
        }
        if !gap.is_zero() {
            for key in &keys {
                if let Some(usage) = seen.quotas.get_mut(key) {
                    usage.next_read = now.plus(wait + gap);
                }
            }
        }
        Ok(wait)
    }

    /// Takes in the usage headers of an answer. One that cannot be read says nothing.
    pub(super) fn observe(
        &self,
        tenant: &TenantId,
        account: Option<&str>,
        headers: &HeaderMap,
        now: Timestamp,
    ) {
        let mut seen = self.lock();
        for (quota, said) in said(headers, account) {
            let key = (tenant.clone(), quota);
            let wait = match said {
                Said { wait, .. } if !wait.is_zero() => wait,
                Said { percent, .. } if percent > FULL => DECAY,
                _ => Duration::ZERO,
            };
            let next_read = seen.quotas.get(&key).map_or(now, |usage| usage.next_read);
            let usage = Usage { percent: said.percent, seen_at: now, regained_at: now.plus(wait), next_read };
            seen.quotas.insert(key, usage);
        }
    }

    /// Remembers which account an object is in.
    pub(super) fn remember(&self, tenant: &TenantId, object: &str, account: &str) {
        let mut seen = self.lock();
        if seen.accounts.len() >= MAX_REMEMBERED {
            seen.accounts.clear();
        }
        seen.accounts.insert((tenant.clone(), object.to_owned()), account.to_owned());
    }

    /// The account of an object, if it is known.
    pub(super) fn account_of(&self, tenant: &TenantId, object: &str) -> Option<String> {
        self.lock().accounts.get(&(tenant.clone(), object.to_owned())).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A header with the usage of an app, or of one use of an account.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Counts {
    #[serde(rename = "type")]
    use_case: String,
    call_count: f64,
    total_cputime: f64,
    total_time: f64,
    /// Minutes.
    estimated_time_to_regain_access: f64,
}

impl Counts {
    fn said(&self) -> Said {
        let most = self.call_count.max(self.total_cputime).max(self.total_time);
        let minutes = percent(self.estimated_time_to_regain_access);
        Said { percent: percent(most), wait: Duration::from_secs(u64::from(minutes) * 60) }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AccountCounts {
    acc_id_util_pct: f64,
    /// Seconds.
    reset_time_duration: f64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct InsightCounts {
    app_id_util_pct: f64,
    acc_id_util_pct: f64,
}

/// The highest that an answer says of each quota.
fn said(headers: &HeaderMap, account: Option<&str>) -> HashMap<Quota, Said> {
    let mut all: HashMap<Quota, Said> = HashMap::new();
    let mut take = |quota: Quota, said: Said| {
        let most = all.entry(quota).or_default();
        most.percent = most.percent.max(said.percent);
        most.wait = most.wait.max(said.wait);
    };
    if let Some(app) = json::<Counts>(headers, "x-app-usage") {
        take(Quota::App, app.said());
    }
    let business: Option<BTreeMap<String, Vec<Counts>>> = json(headers, "x-business-use-case-usage");
    for (number, uses) in business.unwrap_or_default() {
        // The quotas of messages, pages and audiences are others'.
        for counts in uses.iter().filter(|c| c.use_case.is_empty() || c.use_case.starts_with("ads_")) {
            take(Quota::Account(number.clone()), counts.said());
        }
    }
    let insights: Option<InsightCounts> = json(headers, "x-fb-ads-insights-throttle");
    if let Some(insights) = &insights {
        take(Quota::App, Said { percent: percent(insights.app_id_util_pct), wait: Duration::ZERO });
    }
    if let Some(account) = account {
        let quota = || Quota::Account(account.to_owned());
        if let Some(insights) = &insights {
            take(quota(), Said { percent: percent(insights.acc_id_util_pct), wait: Duration::ZERO });
        }
        if let Some(counts) = json::<AccountCounts>(headers, "x-ad-account-usage") {
            let percent_used = percent(counts.acc_id_util_pct);
            // The time until the counter is reset is said at any usage.
            let reset = Duration::from_secs(u64::from(percent(counts.reset_time_duration)));
            let wait = if percent_used > FULL { reset } else { Duration::ZERO };
            take(quota(), Said { percent: percent_used, wait });
        }
    }
    all
}

/// A number of a header as a whole one, rounded up; what is no sensible number is 0.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is clamped to what fits"
)]
fn percent(number: f64) -> u32 {
    if number.is_finite() { number.clamp(0.0, 1_000_000.0).ceil() as u32 } else { 0 }
}

fn json<T: DeserializeOwned>(headers: &HeaderMap, name: &str) -> Option<T> {
    serde_json::from_slice(headers.get(name)?.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn app(percent: u32) -> HeaderMap {
        headers(&[(
            "x-app-usage",
            &format!(r#"{{"call_count":{percent},"total_cputime":1,"total_time":2}}"#),
        )])
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_772_366_400_000 + seconds * 1_000)
    }

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).unwrap()
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_clock_that_is_set_back_holds_nothing_up_for_longer_than_was_asked() {
        let pace = Pace::default();
        pace.observe(&tenant("a"), None, &app(90), at(86_400));
        assert_eq!(pace.admit(&tenant("a"), None, true, at(0)), Ok(Duration::ZERO));
        pace.observe(&tenant("a"), None, &app(101), at(86_400));
        assert_eq!(pace.admit(&tenant("a"), None, true, at(0)), Err(DECAY));
    }

    #[test]
    fn nothing_is_held_up_below_the_mark() {
        let pace = Pace::default();
        pace.observe(&tenant("a"), None, &app(75), at(0));
        for _ in 0..100 {
            assert_eq!(pace.admit(&tenant("a"), None, true, at(0)), Ok(Duration::ZERO));
        }
    }

    #[test]
    fn reads_are_spaced_out_above_it_and_writes_are_not() {
        let pace = Pace::default();
        let (a, b) = (tenant("a"), tenant("b"));
        pace.observe(&a, None, &app(85), at(0));
        let admit = |is_read| pace.admit(&a, Some("77"), is_read, at(0));
        let waits: Vec<_> = (0..4).map(|_| admit(true)).collect();
        assert_eq!(waits, [Ok(Duration::ZERO), Ok(SECOND), Ok(2 * SECOND), Ok(3 * SECOND)]);
        assert_eq!(admit(false), Ok(Duration::ZERO));
        assert_eq!(pace.admit(&b, Some("77"), true, at(0)), Ok(Duration::ZERO), "another tenant's quota");
        for _ in 0..7 {
            assert!(admit(true).is_ok());
        }
        assert_eq!(admit(true), Err(11 * SECOND), "too long to wait here");
        assert_eq!(pace.admit(&a, None, true, at(300)), Ok(Duration::ZERO), "what was said is stale");
    }

    #[test]
    fn nothing_is_sent_when_the_quota_is_used_up() {
        let pace = Pace::default();
        let a = tenant("a");
        pace.observe(&a, None, &app(96), at(0));
        for is_read in [true, false] {
            assert_eq!(pace.admit(&a, None, is_read, at(100)), Err(200 * SECOND));
        }
        assert_eq!(pace.admit(&a, None, true, at(300)), Ok(Duration::ZERO));
        pace.observe(&a, None, &app(10), at(300));
        assert_eq!(pace.admit(&a, None, true, at(301)), Ok(Duration::ZERO));
    }

    #[test]
    fn each_account_has_its_own_quota_and_its_time_to_regain() {
        let pace = Pace::default();
        let a = tenant("a");
        let business = headers(&[(
            "x-business-use-case-usage",
            r#"{"77":[{"type":"ads_management","call_count":50,"estimated_time_to_regain_access":5}],
                "78":[{"type":"messenger","call_count":100,"estimated_time_to_regain_access":9}]}"#
                .replace('\n', " ")
                .as_str(),
        )]);
        pace.observe(&a, Some("77"), &business, at(0));
        assert_eq!(pace.admit(&a, Some("77"), false, at(60)), Err(240 * SECOND));
        assert_eq!(pace.admit(&a, Some("78"), false, at(60)), Ok(Duration::ZERO), "messages are not ads");
        assert_eq!(pace.admit(&a, None, false, at(60)), Ok(Duration::ZERO));
        let account =
            headers(&[("x-ad-account-usage", r#"{"acc_id_util_pct":99.2,"reset_time_duration":120}"#)]);
        pace.observe(&a, Some("79"), &account, at(0));
        assert_eq!(pace.admit(&a, Some("79"), true, at(20)), Err(100 * SECOND));
        let calm =
            headers(&[("x-ad-account-usage", r#"{"acc_id_util_pct":9.67,"reset_time_duration":100}"#)]);
        pace.observe(&a, Some("79"), &calm, at(20));
        assert_eq!(pace.admit(&a, Some("79"), true, at(20)), Ok(Duration::ZERO));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_lengthen_a_wait() {
        let pace = Pace::default();
        let a = tenant("a");
        let then = Timestamp::default();
        pace.observe(&a, None, &app(10), at(0));
        assert_eq!(pace.admit(&a, None, true, then), Ok(Duration::ZERO));
        pace.observe(&a, None, &app(85), at(0));
        assert_eq!(pace.admit(&a, None, true, then), Ok(Duration::ZERO));
        pace.observe(&a, None, &app(99), at(0));
        assert_eq!(pace.admit(&a, None, true, then), Err(DECAY));
        assert_eq!(pace.admit(&a, None, true, then.plus(DECAY)), Ok(Duration::ZERO));
    }

    #[test]
    fn headers_that_cannot_be_read_say_nothing() {
        let pace = Pace::default();
        let a = tenant("a");
        for (name, value) in [
            ("x-app-usage", "{invalid:json}"),
            ("x-ad-account-usage", r#"{"acc_id_util_pct"9.67}"#),
            ("x-app-usage", r#"{"call_count":"many"}"#),
            ("x-app-usage", r#"{"call_count":-5}"#),
            ("x-business-use-case-usage", r#"[]"#),
        ] {
            pace.observe(&a, Some("77"), &headers(&[(name, value)]), at(0));
            assert_eq!(pace.admit(&a, Some("77"), true, at(0)), Ok(Duration::ZERO), "{value}");
        }
    }

    #[test]
    fn an_objects_account_is_remembered_by_tenant() {
        let pace = Pace::default();
        pace.remember(&tenant("a"), "s1", "77");
        assert_eq!(pace.account_of(&tenant("a"), "s1").as_deref(), Some("77"));
        assert_eq!(pace.account_of(&tenant("b"), "s1"), None);
    }
}
