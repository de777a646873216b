//! The evidence of a match, sealed: what was seen, what decided, and a digest that one changed byte breaks.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use xynergy_core::store::{KeyedHash, Match};
use xynergy_core::{Error, ErrorKind, Result, Timestamp};

use super::layers::ChooseBy;
use super::model::{Judgement, Weights};
use super::posterior::{Posterior, Stated};
use super::ppm::Ppm;

const OPERATION: &str = "attribution.verify";

/// Before the digest: the last member of the object.
const DIGEST: &str = ",\"digest\":\"";

/// Hex digits of a digest.
const HEX: usize = 64;

/// The evidence of a match, with nothing in it that identifies a person: clicks by their keys, ads by their ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt<'a> {
    /// The rules that decided.
    pub rule_version: Cow<'a, str>,
    /// By what they were to decide.
    pub choose_by: ChooseBy,
    /// The time of the conversion.
    pub anchor: Timestamp,
    /// What they chose.
    pub found: Option<Chosen<'a>>,
    /// How probable it is, in parts per million.
    pub probability: Option<Ppm>,
    /// How probable it is that there is no click.
    pub p_none: Option<Ppm>,
    /// The candidates within their layer's window, the winner by tier first.
    pub candidates: Vec<Line<'a>>,
    /// How many there were; the receipt lists the first of them.
    pub candidates_seen: u64,
    /// The ad that a first URL names.
    pub ad_of_first_url: Option<Cow<'a, str>>,
    /// Whether what it rests on was forgotten: the ad keeps the credit, whatever would be matched anew.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub credit_stays: bool,
    /// What the model weighed, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ByModel<'a>>,
}

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chosen<'a> {
    /// 1, 2 or 3.
    pub layer: u8,
    /// The click's key; `None` for an ad of a first URL, and for a click that was erased.
    pub click: Option<KeyedHash>,
    /// The ad.
    pub ad_id: Cow<'a, str>,
}

/// A candidate of a layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line<'a> {
    /// 1, 2 or 3.
    pub layer: u8,
    /// When it was clicked.
    pub at: Timestamp,
    /// The click's key: its id may be one that somebody else gave. `None` when the click was erased.
    pub click: Option<KeyedHash>,
    /// The ad.
    pub ad_id: Cow<'a, str>,
}

/// What a model weighed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByModel<'a> {
    /// The model.
    pub version: Cow<'a, str>,
    /// How many other clicks the network has in the model's time.
    pub others: u64,
    /// The candidates, the most probable first.
    pub candidates: Vec<WeighedLine<'a>>,
    /// What follows from their weights.
    pub stated: Stated,
}

/// A candidate of the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeighedLine<'a> {
    /// When it was clicked.
    pub at: Timestamp,
    /// The click's key; `None` when it was erased.
    pub click: Option<KeyedHash>,
    /// The ad.
    pub ad_id: Cow<'a, str>,
    /// Its match weights, in millionths of a bit.
    pub bits: Weights,
}

impl<'a> From<&Judgement<'a>> for ByModel<'a> {
    fn from(judgement: &Judgement<'a>) -> Self {
        let candidates = judgement.candidates.iter().map(|candidate| WeighedLine {
            at: candidate.click.at,
            click: Some(candidate.click.key),
            ad_id: Cow::Borrowed(&candidate.click.ad_id),
            bits: candidate.weights,
        });
        Self {
            version: Cow::Borrowed(judgement.version),
            others: judgement.others,
            candidates: candidates.collect(),
            stated: judgement.stated.clone(),
        }
    }
}

impl Receipt<'_> {
    /// The receipt as it is stored: its members in their order without spaces, and the SHA-256 of that as the last member.
    pub fn seal(&self) -> String {
        // Nothing in it has a key that is no string, so that it can always be written.
        let body = serde_json::to_string(self).unwrap_or_default();
        let digest = hex(&body);
        let open = body.strip_suffix('}').unwrap_or(&body);
        let mut sealed = String::with_capacity(body.len() + DIGEST.len() + HEX + 2);
        for part in [open, DIGEST, &digest, "\"}"] {
            sealed.push_str(part);
        }
        sealed
    }

    /// Decides again from what it lists, by the rules of its version: the probabilities to the millionth, and that no listed candidate is
    /// of a surer layer, or later in the same, than the one that the tiers choose.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) when it comes to something else.
    fn replay(&self) -> Result<()> {
        let rank = |line: &Line<'_>| (line.layer, std::cmp::Reverse(line.at));
        if self.candidates.iter().zip(self.candidates.iter().skip(1)).any(|(a, b)| rank(a) > rank(b)) {
            return Err(broken("its candidates are not in the order of the rules"));
        }
        if let Some(model) = &self.model {
            let stated = &model.stated;
            let posterior = Posterior {
                prior: stated.prior,
                bits: model.candidates.iter().map(|line| line.bits.sum()).collect(),
                rest: stated.rest_weight,
                unlisted: stated.unlisted,
            };
            if posterior.stated(stated.curve.clone(), stated.cap) != *stated
                || self.p_none != Some(stated.none)
            {
                return Err(broken("its weights do not give its probabilities"));
            }
            let key = self.found.as_ref().and_then(|found| found.click);
            let listed = model.candidates.iter().zip(&stated.probabilities);
            let probability = listed.into_iter().find(|(line, _)| line.click == key).map(|(_, p)| *p);
            if key.is_some() && probability != self.probability {
                return Err(broken("its click has another probability than it states"));
            }
        }
        let by_tier = self.candidates.first();
        let decided_by_model = self.model.is_some() && self.choose_by == ChooseBy::Probability;
        let follows = match (&self.found, by_tier) {
            (Some(found), Some(first)) if first.layer == 1 => found.click == first.click,
            (Some(found), _) if self.ad_of_first_url.is_some() => {
                found.click.is_none() && self.ad_of_first_url.as_ref() == Some(&found.ad_id)
            }
            _ if decided_by_model => true,
            (Some(found), Some(first)) => (found.layer, found.click) == (first.layer, first.click),
            (None, None) => true,
            _ => false,
        };
        if follows { Ok(()) } else { Err(broken("its candidates do not give what it says was chosen")) }
    }
}

/// Reads a sealed receipt.
///
/// # Errors
/// [`Corrupt`](ErrorKind::Corrupt) when its digest is not that of its bytes, or it is of another version of this library.
pub fn read(receipt: &str) -> Result<Receipt<'_>> {
    let split = receipt.len().checked_sub(DIGEST.len() + HEX + 2);
    let (body, tail) = split
        .and_then(|at| receipt.split_at_checked(at))
        .ok_or_else(|| broken("it has no digest: it is of an older version"))?;
    let digest = tail.strip_prefix(DIGEST).and_then(|tail| tail.strip_suffix("\"}"));
    let digest = digest.ok_or_else(|| broken("it has no digest: it is of an older version"))?;
    let whole = format!("{body}}}");
    if hex(&whole) != digest {
        return Err(broken("its bytes are not those that were sealed"));
    }
    serde_json::from_str::<Receipt<'static>>(&whole)
        .map_err(|error| broken("it is not of this version").with_source(error))
}

/// Checks that nobody changed a receipt: the digest is that of the bytes, and what it lists leads to what it says was chosen and how
/// probable that is.
///
/// # Errors
/// [`Corrupt`](ErrorKind::Corrupt) that says what does not fit.
pub fn check(receipt: &str) -> Result<()> {
    read(receipt)?.replay()
}

/// Checks that nobody changed a match or its receipt: the digest is that of the bytes, what the receipt lists leads to what it says was
/// chosen and how probable that is, and this is what the match says.
///
/// # Errors
/// [`Corrupt`](ErrorKind::Corrupt) that says what does not fit.
pub fn verify(matched: &Match) -> Result<()> {
    let receipt = read(&matched.receipt)?;
    receipt.replay()?;
    let found = matched.found.as_ref();
    let same = receipt.found.as_ref().map(|found| (found.layer, found.ad_id.as_ref()))
        == found.map(|found| (found.layer.number(), found.ad_id.as_str()))
        && receipt.anchor == matched.anchor
        && receipt.rule_version == matched.rule_version
        && (receipt.probability, receipt.p_none) == (matched.probability, matched.p_none);
    if same { Ok(()) } else { Err(broken("the match says something else than its receipt")) }
}

/// What a receipt is to forget.
#[derive(Clone, Copy, Debug)]
pub struct Forgetting<'a> {
    /// Clicks by their keys.
    pub clicks: &'a BTreeSet<KeyedHash>,
    /// Clicks before this time.
    pub before: Option<Timestamp>,
    /// Whether the person behind the deal is forgotten: the credit stays, whatever it rests on.
    pub person: bool,
}

/// A receipt that has forgotten something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// The receipt, sealed again.
    pub receipt: String,
    /// Whether the click that was chosen is forgotten.
    pub chosen: bool,
}

/// The receipt without the keys of clicks that are forgotten, sealed again: what it says of ads and probabilities stays. `None` when
/// there is nothing to forget in it, or it is no receipt of this version.
pub fn forget(receipt: &str, what: Forgetting<'_>) -> Option<Forgotten> {
    let mut known = read(receipt).ok()?;
    let by_model =
        known.model.iter().flat_map(|model| model.candidates.iter().map(|line| (line.click, line.at)));
    let listed = known.candidates.iter().map(|line| (line.click, line.at)).chain(by_model);
    let mut gone: BTreeSet<KeyedHash> = listed
        .filter(|(_, at)| what.before.is_some_and(|before| *at < before))
        .filter_map(|(click, _)| click)
        .collect();
    gone.extend(what.clicks);
    let mut forgotten = false;
    let mut clear = |key: &mut Option<KeyedHash>| {
        let is_gone = key.is_some_and(|key| gone.contains(&key));
        if is_gone {
            *key = None;
            forgotten = true;
        }
        is_gone
    };
    let chosen = known.found.as_mut().is_some_and(|found| clear(&mut found.click));
    for line in &mut known.candidates {
        clear(&mut line.click);
    }
    for line in known.model.iter_mut().flat_map(|model| &mut model.candidates) {
        clear(&mut line.click);
    }
    let stays = known.credit_stays || (known.found.is_some() && (chosen || what.person));
    let changed = forgotten || stays != known.credit_stays;
    known.credit_stays = stays;
    changed.then(|| Forgotten { receipt: known.seal(), chosen })
}

/// Whether the ad keeps the credit for the deal, because what the receipt rests on was forgotten.
pub fn credit_stays(receipt: &str) -> bool {
    read(receipt).is_ok_and(|receipt| receipt.credit_stays)
}

fn broken(problem: &str) -> Error {
    Error::new(ErrorKind::Corrupt, OPERATION, format!("the receipt does not verify: {problem}"))
}

fn hex(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut hex = String::with_capacity(HEX);
    for byte in Sha256::digest(text.as_bytes()) {
        hex.push(char::from(DIGITS[usize::from(byte >> 4)]));
        hex.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt() -> Receipt<'static> {
        let click = Some(KeyedHash::from_bytes([7; 16]));
        let at = Timestamp::from_millis(1_000);
        Receipt {
            rule_version: "layers-2".into(),
            choose_by: ChooseBy::Tier,
            anchor: Timestamp::from_millis(2_000),
            found: Some(Chosen { layer: 2, click, ad_id: "ad-ä".into() }),
            probability: None,
            p_none: None,
            candidates: vec![Line { layer: 2, at, click, ad_id: "ad-ä".into() }],
            candidates_seen: 1,
            ad_of_first_url: None,
            credit_stays: false,
            model: None,
        }
    }

    #[test]
    fn one_changed_byte_fails() {
        let sealed = receipt().seal();
        assert_eq!(read(&sealed).unwrap(), receipt());
        serde_json::from_str::<serde_json::Value>(&sealed).unwrap();
        for at in 0..sealed.len() {
            for flip in [1_u8, 0x20] {
                let mut bytes = sealed.clone().into_bytes();
                bytes[at] ^= flip;
                if let Ok(changed) = String::from_utf8(bytes) {
                    assert!(read(&changed).is_err(), "byte {at} of {changed}");
                }
            }
        }
        for cut in 0..sealed.len() {
            assert!(sealed.get(..cut).is_none_or(|part| read(part).is_err()));
        }
    }

    #[test]
    fn a_receipt_that_was_sealed_again_must_still_follow() {
        receipt().replay().unwrap();
        let mut other = receipt();
        other.found = None;
        assert!(read(&other.seal()).unwrap().replay().unwrap_err().message().contains("chosen"));
        let mut reordered = receipt();
        let later = Line { at: Timestamp::from_millis(1_500), ..reordered.candidates[0].clone() };
        reordered.candidates.push(later);
        assert!(reordered.replay().unwrap_err().message().contains("order"));
    }

    #[test]
    fn erased_clicks_leave_a_receipt_that_still_verifies() {
        let sealed = receipt().seal();
        let (key, other) = (KeyedHash::from_bytes([7; 16]), KeyedHash::from_bytes([8; 16]));
        let (theirs, others, none) = ([key].into(), [other].into(), BTreeSet::new());
        let what = |clicks, before: Option<i64>, person| Forgetting {
            clicks,
            before: before.map(Timestamp::from_millis),
            person,
        };
        assert!(!credit_stays(&sealed));
        for (what, chosen) in [
            (what(&theirs, None, false), true),
            (what(&none, Some(1_001), false), true),
            (what(&theirs, Some(1_001), true), true),
            (what(&none, None, true), false),
        ] {
            let forgotten = forget(&sealed, what).unwrap();
            assert_eq!(forgotten.chosen, chosen);
            assert_eq!(forgotten.receipt.contains(&key.to_string()), !chosen);
            assert!(credit_stays(&forgotten.receipt));
            check(&forgotten.receipt).unwrap();
            assert_eq!(forget(&forgotten.receipt, what), None, "again finds nothing");
        }
        assert_eq!(forget(&sealed, what(&others, None, false)), None);
        assert_eq!(forget(&sealed, what(&none, Some(1_000), false)), None, "a click of that moment is kept");
    }

    #[test]
    fn a_candidate_that_was_not_chosen_is_forgotten_without_a_word_on_the_credit() {
        let mut more = receipt();
        let other = KeyedHash::from_bytes([8; 16]);
        more.candidates.push(Line { layer: 3, click: Some(other), ..more.candidates[0].clone() });
        let what = Forgetting { clicks: &[other].into(), before: None, person: false };
        let forgotten = forget(&more.seal(), what).unwrap();
        assert!(!forgotten.chosen && !credit_stays(&forgotten.receipt));
        assert!(!forgotten.receipt.contains(&other.to_string()));
        let nothing = Receipt { found: None, candidates: Vec::new(), ..receipt() }.seal();
        assert_eq!(forget(&nothing, Forgetting { person: true, ..what }), None, "no credit, none that stays");
    }
}
