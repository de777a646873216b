use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use xynergy_core::Timestamp;
use xynergy_core::store::{Attributed, Candidate, Layer, Match};

use super::evidence::Evidence;

/// The name of these rules in every match: it changes with them.
pub const RULE_VERSION: &str = "layers-1";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How many candidates a receipt lists; more are counted.
const LISTED_CANDIDATES: usize = 20;

/// The account's ads: those that the `utm_content` of a first URL may name.
pub type KnownAds = BTreeMap<String, AdParents>;

/// Where an ad hangs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdParents {
    /// Its ad set.
    pub adset_id: Option<String>,
    /// Its campaign.
    pub campaign_id: Option<String>,
}

/// How far before the conversion a click may lie, the bound included.
const fn reach(layer: Layer) -> Duration {
    match layer {
        Layer::Layer1 => DAY.saturating_mul(30),
        Layer::Layer2 => DAY.saturating_mul(7),
        Layer::Layer3 => DAY,
    }
}

/// The time in which a click can match a conversion at `anchor` at all: first and last moment, both included.
pub fn window(anchor: Timestamp) -> (Timestamp, Timestamp) {
    (anchor.minus(reach(Layer::Layer1)), anchor)
}

/// The click behind a conversion at `anchor`: of the best layer the latest, of those the one with the smallest id. An
/// ad that a first URL names comes after the click ids and before layers 2 and 3.
///
/// `candidates` are a click store's for the evidence's keys in [`window`]; others are ignored. The order of neither
/// matters.
pub fn choose(anchor: Timestamp, evidence: &Evidence, candidates: &[Candidate], ads: &KnownAds) -> Match {
    let mut ranked: Vec<(Layer, &Candidate)> = candidates
        .iter()
        .filter_map(|candidate| Some((*evidence.keys.get(&candidate.matched)?, candidate)))
        .filter(|(layer, c)| c.at <= anchor && c.at >= anchor.minus(reach(*layer)))
        .collect();
    ranked.sort_by(|(layer, a), (other, b)| {
        (layer, Reverse(a.at), &a.id, a.key, a.matched).cmp(&(other, Reverse(b.at), &b.id, b.key, b.matched))
    });
    ranked.dedup_by_key(|(layer, candidate)| (*layer, candidate.key));

    let named = evidence.contents.iter().find_map(|content| ads.get_key_value(content));
    let found = match (ranked.first().copied(), named) {
        (Some((Layer::Layer1, click)), _) => Some(attributed(Layer::Layer1, click)),
        (_, Some((ad_id, parents))) => Some(Attributed {
            layer: Layer::Layer1,
            click_id: None,
            ad_id: ad_id.clone(),
            adset_id: parents.adset_id.clone(),
            campaign_id: parents.campaign_id.clone(),
        }),
        (Some((layer, click)), None) => Some(attributed(layer, click)),
        (None, None) => None,
    };
    let receipt = receipt(anchor, &ranked, named.map(|(ad_id, _)| ad_id.as_str()));
    Match { found, anchor, rule_version: RULE_VERSION.to_owned(), receipt }
}

fn attributed(layer: Layer, click: &Candidate) -> Attributed {
    Attributed {
        layer,
        click_id: Some(click.id.clone()),
        ad_id: click.ad_id.clone(),
        adset_id: Some(click.adset_id.clone()),
        campaign_id: Some(click.campaign_id.clone()),
    }
}

#[derive(Serialize)]
struct Receipt<'a> {
    rule_version: &'static str,
    anchor: Timestamp,
    /// The candidates within their layer's window, the winner first.
    candidates: Vec<Line<'a>>,
    candidates_seen: usize,
    ad_of_first_url: Option<&'a str>,
}

#[derive(Serialize)]
struct Line<'a> {
    layer: u8,
    at: Timestamp,
    /// The click's key: its id may be one that somebody else gave.
    click: String,
    ad_id: &'a str,
}

impl<'a> Line<'a> {
    fn new(layer: Layer, click: &'a Candidate) -> Self {
        Self { layer: layer.number(), at: click.at, click: click.key.to_string(), ad_id: &click.ad_id }
    }
}

fn receipt(anchor: Timestamp, ranked: &[(Layer, &Candidate)], ad_of_first_url: Option<&str>) -> String {
    let receipt = Receipt {
        rule_version: RULE_VERSION,
        anchor,
        candidates: ranked
            .iter()
            .take(LISTED_CANDIDATES)
            .map(|(layer, click)| Line::new(*layer, click))
            .collect(),
        candidates_seen: ranked.len(),
        ad_of_first_url,
    };
    serde_json::to_string(&receipt).unwrap_or_default()
}
