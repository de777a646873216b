//! The probability of a match: a trained model in integers, and what it says of one conversion.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use xynergy_core::store::{Around, Candidate, Device, KeyedHash};
use xynergy_core::{Error, ErrorKind, Result, Timestamp};

use super::alike::{Alike, AlikeTable};
use super::calibrate::Calibration;
use super::compare::{AGENT_LEVELS, BINARY_LEVELS, Compared, Frequencies, LAG_BUCKETS, Terms, compare};
use super::posterior::{Posterior, Stated, weighed};
use super::ppm::{ONE, Ppm, micro, unmicro};

/// The form of the stored model: it changes with it.
const FORMAT: u32 = 1;

/// How many other clicks of a network make it busier than the home of few, and busier than an office.
pub(super) const CROWDS: [u64; 2] = [3, 30];

/// The most clicks of a network that are compared; more are counted.
pub const COMPARED_CLICKS: usize = 100;

/// How many candidates a judgement lists, without the one that was asked for; the rest is a sum.
const LISTED: usize = 20;

/// What tells a conversion's click from others on its network: match weights in millionths of a bit, which were learnt from the
/// tenant's own clicks and deals. Everything is an integer, so that the same model decides the same on every machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    format: u32,
    /// How far back it looks for clicks of the same network, in microseconds.
    pub(super) reach: i64,
    /// By how many other clicks the network has in that time: how many of others are to be expected, in millionths.
    pub(super) others: Vec<i64>,
    pub(super) agents: Frequencies,
    pub(super) languages: Frequencies,
    pub(super) campaigns: Frequencies,
    /// By how busy the network is.
    pub(super) crowds: Vec<Crowd>,
}

/// The weights among networks that are about as busy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Crowd {
    /// How probable it is that the click of a conversion is among those of its network.
    pub(super) prior: Ppm,
    pub(super) agent: [i64; AGENT_LEVELS],
    pub(super) language: [i64; BINARY_LEVELS],
    pub(super) campaign: [i64; BINARY_LEVELS],
    /// log2 of how often each level occurs among clicks of others.
    pub(super) agent_of_others: [i64; AGENT_LEVELS],
    pub(super) language_of_others: [i64; BINARY_LEVELS],
    pub(super) lag: [i64; LAG_BUCKETS],
    /// How probable it is that the click lies further back than this bucket.
    pub(super) later: [Ppm; LAG_BUCKETS],
    pub(super) calibration: Calibration,
}

/// The match weights of one click in millionths of a bit: their sum is the whole weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// How rare clicks are on this network.
    pub network: i64,
    /// How much less, or more, the other clicks of this network are like this one than those of others are.
    pub likeness: i64,
    /// Browser and platform.
    pub agent: i64,
    /// The first language.
    pub language: i64,
    /// The campaign that the conversion names.
    pub campaign: i64,
    /// The time between click and conversion.
    pub lag: i64,
}

impl Weights {
    /// The match weight.
    pub fn sum(&self) -> i64 {
        self.parts().iter().fold(0, |sum, (_, bits)| sum.saturating_add(*bits))
    }

    /// Each with its name.
    pub fn parts(&self) -> [(&'static str, i64); 6] {
        [
            ("network", self.network),
            ("likeness", self.likeness),
            ("agent", self.agent),
            ("language", self.language),
            ("campaign", self.campaign),
            ("lag", self.lag),
        ]
    }
}

/// One candidate as the model weighs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weighed<'a> {
    /// The click.
    pub click: &'a Candidate,
    /// Why.
    pub weights: Weights,
    /// How probable it is that it is the click behind the conversion.
    pub probability: Ppm,
}

/// What a model says of one conversion. The probabilities of the listed candidates, `rest` and `none` sum to 1,000,000.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement<'a> {
    /// The version of the model.
    pub version: &'a str,
    /// The candidates, the most probable first.
    pub candidates: Vec<Weighed<'a>>,
    /// How many other clicks the network has.
    pub others: u64,
    /// What follows from the weights, and what is needed to follow it again.
    pub stated: Stated,
}

impl Judgement<'_> {
    /// The probability that this click is behind the conversion; `None` when it is not listed.
    pub fn of(&self, click: KeyedHash) -> Option<Ppm> {
        self.candidates.iter().find(|candidate| candidate.click.key == click).map(|c| c.probability)
    }
}

/// A stored model with its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// The model.
    pub model: Model,
    /// Its name: the same model has the same.
    pub version: String,
}

/// A click with what was compared.
struct Found<'a> {
    click: &'a Candidate,
    compared: Compared,
    terms: [i64; 3],
}

impl Model {
    pub(super) fn new(reach: Duration) -> Self {
        Self {
            format: FORMAT,
            reach: i64::try_from(reach.as_micros()).unwrap_or(i64::MAX),
            others: Vec::new(),
            agents: Frequencies::default(),
            languages: Frequencies::default(),
            campaigns: Frequencies::default(),
            crowds: vec![Crowd::default(); CROWDS.len() + 1],
        }
    }

    /// Names it by its content.
    ///
    /// # Errors
    /// [`Unexpected`](ErrorKind::Unexpected) when it cannot be written.
    pub fn versioned(self) -> Result<Versioned> {
        let text = self.to_json()?;
        Ok(Versioned { version: version_of(&text), model: self })
    }

    /// As it is stored.
    ///
    /// # Errors
    /// [`Unexpected`](ErrorKind::Unexpected) when it cannot be written.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| {
            Error::new(ErrorKind::Unexpected, "attribution.train", "the model cannot be written")
                .with_source(error)
        })
    }

    /// Reads what was stored.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) when it is of another version of this library, or was changed.
    pub fn from_json(text: &str) -> Result<Versioned> {
        let model: Option<Self> = serde_json::from_str(text).ok();
        let whole = |model: &Self| model.format == FORMAT && model.crowds.len() == CROWDS.len() + 1;
        model.filter(whole).map(|model| Versioned { model, version: version_of(text) }).ok_or_else(|| {
            let message =
                "the stored model is not one that this version reads: train again with attribution.train";
            Error::new(ErrorKind::Unsupported, "attribution.match", message)
        })
    }

    /// The time in which it looks for clicks of the same network: first and last moment, both included.
    pub fn around(&self, anchor: Timestamp) -> (Timestamp, Timestamp) {
        (anchor.minus(Duration::from_micros(u64::try_from(self.reach).unwrap_or(0))), anchor)
    }

    /// How many clicks of others are to be expected on a network that has so many besides one, in millionths.
    pub(super) fn expected_others(&self, others: u64) -> i64 {
        let listed = usize::try_from(others).ok().and_then(|at| self.others.get(at)).copied();
        let more =
            i64::try_from(others).unwrap_or(i64::MAX).saturating_mul(i64::from(ONE)).saturating_add(500_000);
        listed.unwrap_or(more).max(1)
    }

    pub(super) fn crowd_of(others: u64) -> usize {
        CROWDS.iter().filter(|most| others > **most).count()
    }

    pub(super) fn terms(&self, terms: &Terms) -> [i64; 3] {
        [
            self.agents.term(terms.agent.as_deref()),
            self.languages.term(terms.language.as_deref()),
            self.campaigns.term(terms.campaign.as_deref()),
        ]
    }

    pub(super) fn weights(
        &self,
        crowd: usize,
        others: u64,
        compared: &Compared,
        terms: [i64; 3],
        alike: Alike,
    ) -> Weights {
        let crowd = &self.crowds[crowd];
        let level = |bits: &[i64], level: Option<u8>| {
            level.and_then(|level| bits.get(usize::from(level))).copied().unwrap_or(0)
        };
        let [agent, language, campaign] = terms;
        let expected = level(&crowd.agent_of_others, compared.agent)
            .saturating_sub(agent)
            .saturating_add(level(&crowd.language_of_others, compared.language))
            .saturating_sub(language);
        Weights {
            network: micro(-libm::log2(unmicro(self.expected_others(others)))),
            likeness: alike.bits(expected),
            agent: level(&crowd.agent, compared.agent).saturating_add(agent),
            language: level(&crowd.language, compared.language).saturating_add(language),
            campaign: level(&crowd.campaign, compared.campaign).saturating_add(campaign),
            lag: level(&crowd.lag, Some(compared.lag)),
        }
    }

    /// The share of true clicks that lie further back than the oldest of those that were compared, where not all were.
    pub(super) fn unlisted(&self, crowd: usize, total: u64, compared: &[Compared]) -> Ppm {
        if total <= compared.len() as u64 {
            return 0;
        }
        let oldest = compared.iter().map(|compared| usize::from(compared.lag)).max();
        oldest.map_or(ONE, |bucket| self.crowds[crowd].later[bucket])
    }
}

impl Versioned {
    /// Weighs the clicks around a conversion. `around` are the clicks of the networks of `devices` in [`around`](Model::around), at most
    /// [`COMPARED_CLICKS`]; `asked` is listed in any case if it is among them. `None` without a device or a click: there is nothing to
    /// weigh then. The order of neither matters.
    pub fn judge<'a>(
        &'a self,
        anchor: Timestamp,
        devices: &[Device],
        campaigns: &BTreeSet<String>,
        around: &'a Around,
        asked: Option<KeyedHash>,
    ) -> Option<Judgement<'a>> {
        let model = &self.model;
        if devices.is_empty() {
            return None;
        }
        let (from, _) = model.around(anchor);
        let mut found: Vec<Found<'_>> = (around.clicks.iter().filter(|click| click.at >= from))
            .filter_map(|click| {
                let (compared, terms) = compare(anchor, devices, campaigns, click)?;
                Some(Found { click, compared, terms: model.terms(&terms) })
            })
            .collect();
        found.sort_by_key(|found| (found.click.key, std::cmp::Reverse(found.click.at)));
        found.dedup_by_key(|found| found.click.key);
        let total = around.total.max(found.len() as u64);
        let others = total.saturating_sub(1);
        let crowd = Model::crowd_of(others);
        let alike = AlikeTable::of(found.iter().map(|found| &found.compared));
        let mut weights: Vec<Weights> = (found.iter())
            .map(|f| model.weights(crowd, others, &f.compared, f.terms, alike.of_one(&f.compared)))
            .collect();
        let order = order(&found, &weights);
        found = permuted(found, &order);
        weights = permuted(weights, &order);
        let compared: Vec<Compared> = found.iter().map(|found| found.compared).collect();
        let bits: Vec<i64> = weights.iter().map(Weights::sum).collect();
        let listed = listed(&found, asked);
        let rest = rest(&bits, &listed);
        let posterior = Posterior {
            prior: model.crowds[crowd].prior,
            bits: listed.iter().map(|at| bits[*at]).collect(),
            rest,
            unlisted: model.unlisted(crowd, total, &compared),
        };
        let said = posterior.said();
        let cap = self.cap(crowd, total, &found, &compared, &alike);
        let curve = model.crowds[crowd].calibration.segment(said);
        let stated = posterior.stated(curve, cap);
        let candidates = listed.iter().zip(&stated.probabilities).map(|(at, probability)| Weighed {
            click: found[*at].click,
            weights: weights[*at],
            probability: *probability,
        });
        Some(Judgement { version: &self.version, candidates: candidates.collect(), others, stated })
    }

    /// What the best candidate would be worth at most on a less busy network, with the most clicks that such a network has and all the
    /// rivals of this one. Without it, one more click could raise a probability by making the network one of another kind.
    fn cap(
        &self,
        crowd: usize,
        total: u64,
        found: &[Found<'_>],
        compared: &[Compared],
        alike: &AlikeTable,
    ) -> Option<Ppm> {
        let model = &self.model;
        if found.is_empty() {
            return None;
        }
        let caps = CROWDS.iter().take(crowd).enumerate().map(|(quieter, most)| {
            let bits = |f: &Found<'_>| {
                let alike = alike.of_one(&f.compared).among(most + 1);
                model.weights(quieter, *most, &f.compared, f.terms, alike).sum()
            };
            let posterior = Posterior {
                prior: model.crowds[quieter].prior,
                bits: found.iter().map(bits).collect(),
                rest: 0,
                unlisted: model.unlisted(quieter, total, compared),
            };
            model.crowds[quieter].calibration.apply(posterior.said())
        });
        caps.min()
    }
}

/// The likeliest first; of equals the latest, then the smallest key.
fn order(found: &[Found<'_>], weights: &[Weights]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by_key(|at| {
        let click = found[*at].click;
        (std::cmp::Reverse(weights[*at].sum()), std::cmp::Reverse(click.at), click.key)
    });
    order
}

fn permuted<T>(all: Vec<T>, order: &[usize]) -> Vec<T> {
    let mut all: Vec<Option<T>> = all.into_iter().map(Some).collect();
    order.iter().filter_map(|at| all[*at].take()).collect()
}

fn listed(found: &[Found<'_>], asked: Option<KeyedHash>) -> Vec<usize> {
    let asked = |at: &usize| Some(found[*at].click.key) == asked;
    (0..found.len()).filter(|at| *at < LISTED || asked(at)).collect()
}

/// The weights of the others, added as what they weigh and quantised.
fn rest(bits: &[i64], listed: &[usize]) -> i64 {
    let listed: BTreeSet<usize> = listed.iter().copied().collect();
    let rest = bits.iter().enumerate().filter(|(at, _)| !listed.contains(at));
    micro(rest.map(|(_, bits)| weighed(*bits)).sum())
}

fn version_of(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let hex: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("fs{FORMAT}-{hex}")
}
