//! What two visits have in common.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use xynergy_core::Timestamp;
use xynergy_core::store::{Candidate, Device};

use super::ppm::micro;

const MINUTE: i64 = 60_000_000;

/// The ends of the buckets of the time between click and conversion, in microseconds: the last bucket has none.
pub(super) const LAGS: [i64; 8] = [
    5 * MINUTE,
    30 * MINUTE,
    2 * 60 * MINUTE,
    6 * 60 * MINUTE,
    12 * 60 * MINUTE,
    24 * 60 * MINUTE,
    2 * 24 * 60 * MINUTE,
    4 * 24 * 60 * MINUTE,
];

/// How many buckets there are.
pub(super) const LAG_BUCKETS: usize = LAGS.len() + 1;

/// Browser and platform: none, one or both agree.
pub(super) const AGENT_LEVELS: usize = 3;

/// Agrees or not.
pub(super) const BINARY_LEVELS: usize = 2;

/// An agreement on something rare says at most so much more than one on something common, in millionths of a bit.
const MOST_TERM: i64 = 8_000_000;

/// One conversion and one click, compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Compared {
    pub(super) agent: Option<u8>,
    pub(super) language: Option<u8>,
    pub(super) campaign: Option<u8>,
    pub(super) lag: u8,
}

/// Compares a click with the device of the conversion that it fits best, of those on its network, and says which it was and the campaign
/// that agrees; `None` where there is none, and for a click after the conversion.
pub(super) fn compare<'a>(
    at: Timestamp,
    devices: &[Device],
    campaigns: &BTreeSet<String>,
    click: &'a Candidate,
) -> Option<(Compared, usize, Option<&'a str>)> {
    let theirs = click.device.as_ref()?;
    let lag = lag_bucket(at.micros().checked_sub(click.at.micros())?)?;
    let same_network = devices.iter().enumerate().filter(|(_, device)| device.network == theirs.network);
    let levels = same_network
        .map(|(place, device)| (agent_level(device, theirs), language_level(device, theirs), place));
    let (agent, language, best) = levels.max_by(|a, b| {
        let levels = (a.0, a.1).cmp(&(b.0, b.1));
        levels.then_with(|| devices[b.2].cmp(&devices[a.2]))
    })?;
    let campaign = if campaigns.is_empty() { None } else { campaign_of(click, campaigns) };
    let told = (!campaigns.is_empty()).then(|| u8::from(campaign.is_some()));
    Some((Compared { agent, language, campaign: told, lag }, best, campaign))
}

/// The campaign of the click that the conversion names, by the platform's id or by `utm_campaign`.
pub(super) fn campaign_of<'a>(click: &'a Candidate, campaigns: &BTreeSet<String>) -> Option<&'a str> {
    let names = [Some(click.campaign_id.as_str()), click.utm.campaign.as_deref()];
    names.into_iter().flatten().find(|name| campaigns.contains(*name))
}

/// Whether two values are equal; nothing where one is missing.
fn equal<T: PartialEq>(a: Option<T>, b: Option<T>) -> Option<bool> {
    a.zip(b).map(|(a, b)| a == b)
}

/// The level of browser and platform.
pub(super) fn agent_of(browser: Option<bool>, platform: Option<bool>) -> Option<u8> {
    match (browser, platform) {
        (None, None) => None,
        (browser, platform) => Some([browser, platform].into_iter().flatten().map(u8::from).sum()),
    }
}

fn agent_level(a: &Device, b: &Device) -> Option<u8> {
    agent_of(equal(a.browser.as_ref(), b.browser.as_ref()), equal(a.platform.as_ref(), b.platform.as_ref()))
}

fn language_level(a: &Device, b: &Device) -> Option<u8> {
    equal(a.language.as_ref(), b.language.as_ref()).map(u8::from)
}

/// A device by the numbers of its values; 0 is a missing one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Numbered {
    pub(super) browser: u32,
    pub(super) platform: u32,
    pub(super) language: u32,
}

impl Numbered {
    /// The levels of agent and language.
    pub(super) fn levels(&self, other: &Self) -> (Option<u8>, Option<u8>) {
        let told = |number: u32| (number != 0).then_some(number);
        let same = |a: u32, b: u32| equal(told(a), told(b));
        let agent = agent_of(same(self.browser, other.browser), same(self.platform, other.platform));
        (agent, same(self.language, other.language).map(u8::from))
    }
}

pub(super) fn agent_term(device: &Device) -> Option<String> {
    Some(format!("{} on {}", device.browser.as_ref()?, device.platform.as_ref()?))
}

/// The bucket of so many microseconds; `None` when they are negative.
pub(super) fn lag_bucket(lag: i64) -> Option<u8> {
    (lag >= 0).then(|| LAGS.iter().zip(0_u8..).find(|(end, _)| lag < **end).map_or(8, |(_, bucket)| bucket))
}

/// The share of a reach that each bucket covers.
#[allow(clippy::cast_precision_loss)]
pub(super) fn lag_widths(reach: i64) -> [f64; LAG_BUCKETS] {
    let mut widths = [0.0; LAG_BUCKETS];
    let mut from = 0;
    for (at, width) in widths.iter_mut().enumerate() {
        let to = LAGS.get(at).copied().unwrap_or(i64::MAX).min(reach);
        *width = (to.saturating_sub(from)) as f64 / reach.max(1) as f64;
        from = from.max(to);
    }
    widths
}

/// How common values are among the clicks, in millionths of a bit: what Splink calls term frequencies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Frequencies {
    /// log2 of the chance that two clicks agree.
    agree: i64,
    /// log2 of the share of a value that is not listed.
    unlisted: i64,
    /// log2 of the share of each common value.
    listed: BTreeMap<String, i64>,
}

/// Values beyond so many are as rare as one that was never seen.
const MOST_LISTED: usize = 256;

impl Frequencies {
    /// From how often each value occurs.
    #[allow(clippy::cast_precision_loss)]
    pub(super) fn of(counts: &BTreeMap<String, u64>) -> Self {
        let total = counts.values().sum::<u64>() as f64;
        if total == 0.0 {
            return Self::default();
        }
        let agree: f64 = counts.values().map(|count| (*count as f64 / total) * (*count as f64 / total)).sum();
        let mut ranked: Vec<_> = counts.iter().collect();
        ranked.sort_by_key(|(value, count)| (std::cmp::Reverse(**count), (*value).clone()));
        let bits = |share: f64| micro(libm::log2(share));
        Self {
            agree: bits(agree),
            unlisted: bits(0.5 / total),
            listed: (ranked.into_iter().take(MOST_LISTED))
                .map(|(value, count)| (value.clone(), bits(*count as f64 / total)))
                .collect(),
        }
    }

    /// The common values.
    pub(super) fn listed(&self) -> impl Iterator<Item = &str> {
        self.listed.keys().map(String::as_str)
    }

    /// How much more, or less, an agreement on this value says than one on any value, in millionths of a bit.
    pub(super) fn term(&self, value: Option<&str>) -> i64 {
        let Some(value) = value else { return 0 };
        if self.listed.is_empty() {
            return 0;
        }
        let share = self.listed.get(value).copied().unwrap_or(self.unlisted);
        self.agree.saturating_sub(share).clamp(-MOST_TERM, MOST_TERM)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_cover_the_reach() {
        for (lag, bucket) in [(0, 0), (5 * MINUTE - 1, 0), (5 * MINUTE, 1), (i64::MAX, 8)] {
            assert_eq!(lag_bucket(lag), Some(bucket));
        }
        assert_eq!(lag_bucket(-1), None);
        for hours in [1, 24, 168, 720] {
            let sum: f64 = lag_widths(hours * 60 * MINUTE).iter().sum();
            assert!((sum - 1.0).abs() < 1e-12, "{hours} h: {sum}");
        }
    }

    #[test]
    fn the_rare_says_more_than_the_common() {
        let counts = [("common".to_owned(), 90), ("rare".to_owned(), 10)].into();
        let frequencies = Frequencies::of(&counts);
        let [rare, common, unseen] = ["rare", "common", "new"].map(|value| frequencies.term(Some(value)));
        assert!(unseen > rare && rare > 0 && common < 0, "{unseen} {rare} {common}");
        assert_eq!((frequencies.term(None), Frequencies::default().term(Some("x"))), (0, 0));
    }
}
