use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::Timestamp;
use xynergy_core::store::{Around, Attributed, Candidate, KeyedHash, Layer, Match};

use super::evidence::Evidence;
use super::model::{Judgement, Versioned};
use super::ppm::{ONE, Ppm};
use super::receipt::{Chosen, Line, Receipt};
use super::windows::Windows;

/// The name of these rules in every match: it changes with them.
pub const RULE_VERSION: &str = "layers-2";

/// How many candidates a receipt lists; more are counted.
const LISTED_CANDIDATES: usize = 20;

/// How often a click id leads to the person who clicked: links are forwarded and redirects copied, so that it is not always.
const CLICK_ID_TRUST: Ppm = 990_000;

/// The account's ads: those that the `utm_content` of a first URL may name.
pub type KnownAds = BTreeMap<String, AdParents>;

/// Where an ad hangs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdParents {
    /// Its ad set.
    pub adset_id: Option<String>,
    /// Its campaign.
    pub campaign_id: Option<String>,
}

/// Which of the candidates becomes the match, where no click id and no ad in a first URL decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChooseBy {
    /// The latest click of the surest layer.
    #[default]
    Tier,
    /// The most probable click, where it is at least as probable as that there is none; by tier until a model is trained.
    Probability,
}

/// What a match goes by.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// How far back a click may lie.
    pub windows: &'a Windows,
    /// What decides.
    pub choose_by: ChooseBy,
    /// The account's ads.
    pub ads: &'a KnownAds,
}

/// A trained model, and the clicks around a conversion that it weighs.
#[derive(Clone, Copy, Debug)]
pub struct Weighing<'a> {
    /// The model.
    pub model: &'a Versioned,
    /// The clicks of the evidence's networks in the [model's time](super::Model::around), at most
    /// [`COMPARED_CLICKS`](super::COMPARED_CLICKS).
    pub around: &'a Around,
}

/// The click behind a conversion at `anchor`: of the best layer the latest, of those the one with the smallest id. An
/// ad that a first URL names comes after the click ids and before layers 2 and 3. With a model the match states how probable the
/// click is, and [`ChooseBy::Probability`] lets that decide in place of layers 2 and 3.
///
/// `candidates` are a click store's for the evidence's keys within [`Windows::around`]; others are ignored. The order of neither
/// matters.
pub fn choose(
    anchor: Timestamp,
    evidence: &Evidence,
    candidates: &[Candidate],
    rules: Rules<'_>,
    weighing: Option<Weighing<'_>>,
) -> Match {
    let ranked = ranked(anchor, &evidence.keys, candidates, rules.windows);
    let named = evidence.contents.iter().find_map(|content| rules.ads.get_key_value(content));
    let by_tier = ranked.first().copied();
    let by_click_id = by_tier.filter(|(layer, _)| *layer == Layer::Layer1);
    let devices: Vec<_> = evidence.devices.iter().cloned().collect();
    let judgement = weighing.filter(|_| by_click_id.is_none() && named.is_none()).and_then(|weighing| {
        let asked = by_tier.map(|(_, click)| click.key);
        weighing.model.judge(anchor, &devices, &evidence.campaigns, weighing.around, asked)
    });
    let chosen = match (by_click_id, named, &judgement) {
        (Some(click), _, _) => Some(click),
        (None, Some(_), _) => None,
        (None, None, Some(judgement)) if rules.choose_by == ChooseBy::Probability => {
            likeliest(judgement).map(|click| (layer_of(&ranked, click.key), click))
        }
        (None, None, _) => by_tier,
    };
    let found = match (chosen, named) {
        (Some((layer, click)), _) => Some(attributed(layer, click)),
        (None, Some((ad_id, parents))) => Some(Attributed {
            layer: Layer::Layer1,
            click_id: None,
            ad_id: ad_id.clone(),
            adset_id: parents.adset_id.clone(),
            campaign_id: parents.campaign_id.clone(),
            keyword: None,
            content: Some(ad_id.clone()),
        }),
        (None, None) => None,
    };
    let (probability, p_none) = match (&judgement, weighing, by_click_id) {
        (Some(judgement), _, _) => {
            (chosen.and_then(|(_, click)| judgement.of(click.key)), Some(judgement.stated.none))
        }
        // Who shares a click id is as likely as anybody else who does.
        (None, Some(_), Some(_)) => {
            let sharers = ranked.iter().filter(|(layer, _)| *layer == Layer::Layer1).count();
            let each = CLICK_ID_TRUST / u32::try_from(sharers).unwrap_or(u32::MAX).max(1);
            (Some(each), Some(ONE - CLICK_ID_TRUST))
        }
        _ => (None, None),
    };
    let receipt = Receipt {
        rule_version: Cow::Borrowed(RULE_VERSION),
        choose_by: rules.choose_by,
        anchor,
        found: found.as_ref().map(|found| Chosen {
            layer: found.layer.number(),
            click: chosen.map(|(_, click)| click.key),
            ad_id: Cow::Borrowed(&found.ad_id),
        }),
        probability,
        p_none,
        candidates: (ranked.iter().take(LISTED_CANDIDATES))
            .map(|(layer, click)| Line {
                layer: layer.number(),
                at: click.at,
                click: Some(click.key),
                ad_id: Cow::Borrowed(&click.ad_id),
            })
            .collect(),
        candidates_seen: ranked.len() as u64,
        ad_of_first_url: named.map(|(ad_id, _)| Cow::Borrowed(ad_id.as_str())),
        credit_stays: false,
        model: judgement.as_ref().map(Into::into),
    }
    .seal();
    Match { found, anchor, rule_version: RULE_VERSION.to_owned(), probability, p_none, receipt }
}

/// The match of a deal for which nothing was looked for.
pub fn nothing(anchor: Timestamp) -> Match {
    let (windows, ads) = (Windows::default(), KnownAds::new());
    let rules = Rules { windows: &windows, choose_by: ChooseBy::Tier, ads: &ads };
    choose(anchor, &Evidence::default(), &[], rules, None)
}

/// The candidates within their windows, the winner by tier first.
fn ranked<'a>(
    anchor: Timestamp,
    keys: &BTreeMap<KeyedHash, Layer>,
    candidates: &'a [Candidate],
    windows: &Windows,
) -> Vec<(Layer, &'a Candidate)> {
    let mut ranked: Vec<(Layer, &Candidate)> = candidates
        .iter()
        .filter_map(|candidate| Some((*keys.get(&candidate.matched)?, candidate)))
        .filter(|(layer, click)| windows.holds(anchor, *layer, click))
        .collect();
    ranked.sort_by(|(layer, a), (other, b)| {
        (layer, Reverse(a.at), &a.id, a.key, a.matched).cmp(&(other, Reverse(b.at), &b.id, b.key, b.matched))
    });
    ranked.dedup_by_key(|(layer, candidate)| (*layer, candidate.key));
    ranked
}

/// The click that the tiers choose.
pub(super) fn best<'a>(
    anchor: Timestamp,
    keys: &BTreeMap<KeyedHash, Layer>,
    candidates: &'a [Candidate],
    windows: &Windows,
) -> Option<(Layer, &'a Candidate)> {
    ranked(anchor, keys, candidates, windows).first().copied()
}

/// The newest candidates that lie outside their windows although they are the latest of their keys, by key: the clicks before them are
/// to be asked for, for one of another channel may lie inside its own.
pub fn outside(
    anchor: Timestamp,
    evidence: &Evidence,
    candidates: &[Candidate],
    windows: &Windows,
) -> BTreeMap<KeyedHash, Timestamp> {
    let outside = candidates.iter().filter(|candidate| {
        evidence.keys.get(&candidate.matched).is_some_and(|layer| !windows.holds(anchor, *layer, candidate))
    });
    outside.map(|candidate| (candidate.matched, candidate.at)).collect()
}

fn likeliest<'a>(judgement: &Judgement<'a>) -> Option<&'a Candidate> {
    let best = judgement.candidates.first()?;
    super::train::chooses(&judgement.stated).then_some(best.click)
}

/// The layer that recognises the click too; the third is what no exact key recognises.
fn layer_of(ranked: &[(Layer, &Candidate)], click: KeyedHash) -> Layer {
    ranked.iter().find(|(_, candidate)| candidate.key == click).map_or(Layer::Layer3, |(layer, _)| *layer)
}

fn attributed(layer: Layer, click: &Candidate) -> Attributed {
    Attributed {
        layer,
        click_id: Some(click.id.clone()),
        ad_id: click.ad_id.clone(),
        adset_id: Some(click.adset_id.clone()),
        campaign_id: Some(click.campaign_id.clone()),
        keyword: click.utm.term.clone(),
        content: click.utm.content.clone(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use xynergy_core::store::{KeyedHash, Utm};

    use super::*;

    const ANCHOR: i64 = 100 * 24 * 3_600 * 1_000_000;
    const DAY_MICROS: i64 = 24 * 3_600 * 1_000_000;

    fn key(layer: u8) -> KeyedHash {
        KeyedHash::from_bytes([layer; 16])
    }

    fn evidence() -> Evidence {
        Evidence {
            keys: [(key(1), Layer::Layer1), (key(2), Layer::Layer2), (key(3), Layer::Layer3)].into(),
            contents: ["ad-b".to_owned(), "ad-a".to_owned(), "unknown".to_owned()].into(),
            ..Evidence::default()
        }
    }

    fn unnamed() -> Evidence {
        Evidence { contents: [].into(), ..evidence() }
    }

    /// A click of `id` that shares the key of `layer`, `before` microseconds before the anchor.
    fn candidate(layer: u8, before: i64, id: &str) -> Candidate {
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(id.bytes()) {
            *to = from;
        }
        Candidate {
            matched: key(layer),
            at: Timestamp::from_micros(ANCHOR - before),
            id: id.into(),
            key: KeyedHash::from_bytes(bytes),
            ad_id: format!("ad of {id}"),
            adset_id: "set".into(),
            campaign_id: "campaign".into(),
            utm: Utm::default(),
            device: None,
        }
    }

    fn ads() -> KnownAds {
        let parents = AdParents { adset_id: Some("set-a".into()), campaign_id: None };
        [("ad-a".to_owned(), parents), ("ad-b".to_owned(), AdParents::default())].into()
    }

    fn choose_at(evidence: &Evidence, candidates: &[Candidate]) -> Match {
        let rules = Rules { windows: &Windows::default(), choose_by: ChooseBy::Tier, ads: &ads() };
        choose(Timestamp::from_micros(ANCHOR), evidence, candidates, rules, None)
    }

    fn winner(candidates: &[Candidate]) -> Option<String> {
        choose_at(&unnamed(), candidates).found.and_then(|f| f.click_id)
    }

    #[test]
    fn windows_are_30_7_and_1_days_with_their_bounds() {
        for (layer, days) in [(1, 30), (2, 7), (3, 1)] {
            let end = days * DAY_MICROS;
            assert_eq!(
                winner(&[candidate(layer, end, "x")]).as_deref(),
                Some("x"),
                "layer {layer}: its first moment"
            );
            assert_eq!(winner(&[candidate(layer, end + 1, "x")]), None, "layer {layer}: before it");
            assert_eq!(
                winner(&[candidate(layer, 0, "x")]).as_deref(),
                Some("x"),
                "layer {layer}: the anchor itself"
            );
            assert_eq!(winner(&[candidate(layer, -1, "x")]), None, "layer {layer}: after the anchor");
        }
        let (from, to) = Windows::default().around(Timestamp::from_micros(ANCHOR));
        assert_eq!((from.micros(), to.micros()), (ANCHOR - 30 * DAY_MICROS, ANCHOR));
    }

    #[test]
    fn the_best_layer_wins_then_the_latest_then_the_smallest_id() {
        let old = candidate(1, 20 * DAY_MICROS, "old");
        let latest = candidate(3, 1, "latest");
        let middle = candidate(2, 5, "middle");
        assert_eq!(winner(&[latest.clone(), middle.clone(), old]).as_deref(), Some("old"));
        assert_eq!(winner(&[latest, middle]).as_deref(), Some("middle"));
        assert_eq!(winner(&[candidate(2, 5, "a"), candidate(2, 4, "b")]).as_deref(), Some("b"));
        assert_eq!(
            winner(&[candidate(2, 5, "b"), candidate(2, 5, "a"), candidate(2, 5, "c")]).as_deref(),
            Some("a")
        );
    }

    #[test]
    fn a_named_ad_comes_after_the_click_ids_and_before_the_rest() {
        let by_id = choose_at(&evidence(), &[candidate(1, 9, "x"), candidate(2, 1, "y")]);
        assert_eq!(by_id.method(), "click_id");
        let named = choose_at(&evidence(), &[candidate(2, 1, "y")]);
        let found = named.found.clone().unwrap();
        assert_eq!((found.layer, found.ad_id.as_str(), found.click_id), (Layer::Layer1, "ad-a", None));
        assert_eq!(found.adset_id.as_deref(), Some("set-a"));
        assert_eq!((named.method(), named.confidence_permille()), ("url", 1000));
        let outside = choose_at(&evidence(), &[candidate(1, 31 * DAY_MICROS, "x")]);
        assert_eq!(outside.method(), "url", "a click id outside its window is none");
    }

    #[test]
    fn tiers_have_their_confidence_and_method() {
        for (layer, method, confidence) in
            [(1, "click_id", 1000), (2, "fingerprint", 900), (3, "probabilistic", 700)]
        {
            let matched = choose_at(&unnamed(), &[candidate(layer, 1, "x")]);
            assert_eq!((matched.method(), matched.confidence_permille()), (method, confidence));
        }
        let none = choose_at(&unnamed(), &[]);
        assert_eq!((none.method(), none.confidence_permille(), none.layer()), ("none", 0, None));
        let foreign = Candidate { matched: key(9), ..candidate(1, 1, "x") };
        assert_eq!(winner(&[foreign]), None, "a key that nobody asked for is no evidence");
    }

    #[test]
    fn receipts_list_the_evidence_without_the_hosts_ids() {
        let candidate = |layer, id: &str| Candidate { ad_id: "ad-1".into(), ..candidate(layer, 7, id) };
        let mut all: Vec<_> = (0..50).map(|n| candidate(3, &format!("private-{n:02}"))).collect();
        all.push(candidate(2, "private-x"));
        let matched = choose_at(&unnamed(), &all);
        let receipt: serde_json::Value = serde_json::from_str(&matched.receipt).unwrap();
        assert_eq!(receipt["candidates_seen"], 51);
        assert_eq!(receipt["candidates"].as_array().unwrap().len(), LISTED_CANDIDATES);
        assert_eq!(receipt["candidates"][0]["layer"], 2);
        assert_eq!(receipt["candidates"][0]["at"], "1970-04-10T23:59:59.999993Z");
        assert_eq!(receipt["rule_version"], RULE_VERSION);
        assert!(!matched.receipt.contains("private"), "{}", matched.receipt);
        assert_eq!((matched.probability, matched.p_none), (None, None), "no model, no probability");
        super::super::receipt::verify(&matched).unwrap();
    }

    /// The rules again, as loops.
    fn by_the_rules(candidates: &[Candidate]) -> Option<(u8, String)> {
        for (layer, days) in [(1, 30), (2, 7), (3, 1)] {
            let mut best: Option<&Candidate> = None;
            for click in candidates {
                let before = ANCHOR - click.at.micros();
                if click.matched != key(layer) || before < 0 || before > days * DAY_MICROS {
                    continue;
                }
                let better = best.is_none_or(|b| click.at > b.at || (click.at == b.at && click.id < b.id));
                if better {
                    best = Some(click);
                }
            }
            if let Some(click) = best {
                return Some((layer, click.id.clone()));
            }
        }
        None
    }

    fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
        let edge = prop_oneof![Just(0), Just(DAY_MICROS), Just(7 * DAY_MICROS), Just(30 * DAY_MICROS)];
        let one = (1u8..5, edge, -1i64..=1, "[ab]{1,2}");
        proptest::collection::vec(
            one.prop_map(|(layer, edge, by, id)| candidate(layer, edge + by, &id)),
            0..12,
        )
    }

    proptest! {
        #[test]
        fn any_candidates_in_any_order_go_by_the_rules(
            (given, shuffled) in candidates().prop_flat_map(|c| (Just(c.clone()), Just(c).prop_shuffle()))
        ) {
            let matched = choose_at(&unnamed(), &given);
            let found = matched.found.as_ref().map(|f| (f.layer.number(), f.click_id.clone().unwrap()));
            prop_assert_eq!(found, by_the_rules(&given));
            prop_assert_eq!(matched, choose_at(&unnamed(), &shuffled));
        }
    }
}
