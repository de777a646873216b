//! The probability of a match: a trained model in integers, and what it says of one conversion.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use xynergy_core::store::{Around, Candidate, Device, KeyedHash};
use xynergy_core::{Error, ErrorKind, Result, Timestamp};

use super::alike::{Alike, AlikeTable};
use super::calibrate::Calibration;
use super::compare::{AGENT_LEVELS, BINARY_LEVELS, Compared, Frequencies, LAG_BUCKETS, agent_term, compare};
use super::posterior::{Posterior, Stated, share_of, weighed};
use super::ppm::{ONE, Ppm, micro, ppm, unmicro};

/// The form of the stored model: it changes with it.
const FORMAT: u32 = 2;

/// How many other clicks of a network make it busier than the home of few, and busier than an office. Finer groups have curves that err
/// more, and the least of them would be taken where a less busy network caps.
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

    /// The match weight without the likeness, and the likeness.
    pub(super) fn apart(&self) -> (i64, i64) {
        (Self { likeness: 0, ..*self }.sum(), self.likeness)
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
#[derive(Clone, Debug, PartialEq)]
pub struct Versioned {
    /// The model.
    pub model: Model,
    /// Its name: the same model has the same.
    pub version: String,
    /// What its weights are as factors.
    factors: Factors,
}

/// A click with what was compared.
struct Found<'a> {
    click: &'a Candidate,
    compared: Compared,
    terms: [i64; 3],
    bits: i64,
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
        Ok(Versioned { version: version_of(&text), factors: Factors::of(&self), model: self })
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
        let versioned =
            |model: Self| Versioned { version: version_of(text), factors: Factors::of(&model), model };
        model.filter(whole).map(versioned).ok_or_else(|| {
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

    /// The weights of a click but for [`likeness`](Self::likeness), with `network` as [`network`](Self::network).
    pub(super) fn weights(
        &self,
        crowd: usize,
        network: i64,
        compared: &Compared,
        [agent, language, campaign]: [i64; 3],
    ) -> Weights {
        let crowd = &self.crowds[crowd];
        let level = |bits: &[i64], level: Option<u8>| {
            level.and_then(|level| bits.get(usize::from(level))).copied().unwrap_or(0)
        };
        Weights {
            network,
            likeness: 0,
            agent: level(&crowd.agent, compared.agent).saturating_add(agent),
            language: level(&crowd.language, compared.language).saturating_add(language),
            campaign: level(&crowd.campaign, compared.campaign).saturating_add(campaign),
            lag: level(&crowd.lag, Some(compared.lag)),
        }
    }

    /// What it weighs that a network has so many clicks besides one.
    pub(super) fn network(&self, others: u64) -> i64 {
        micro(-libm::log2(unmicro(self.expected_others(others))))
    }

    /// How much less, or more, the clicks of this network are like this one than those of others are.
    pub(super) fn likeness(&self, crowd: usize, compared: &Compared, terms: [i64; 3], alike: Alike) -> i64 {
        let crowd = &self.crowds[crowd];
        let level = |bits: &[i64], level: Option<u8>| {
            level.and_then(|level| bits.get(usize::from(level))).copied().unwrap_or(0)
        };
        let [agent, language, _] = terms;
        let expected = level(&crowd.agent_of_others, compared.agent)
            .saturating_sub(agent)
            .saturating_add(level(&crowd.language_of_others, compared.language))
            .saturating_sub(language);
        alike.bits(expected)
    }

    /// The share of true clicks that lie further back than the oldest of those that were compared, where not all were.
    pub(super) fn unlisted(&self, crowd: usize, total: u64, compared: usize, oldest: Option<u8>) -> Ppm {
        if total <= compared as u64 {
            return 0;
        }
        oldest.map_or(ONE, |bucket| self.crowds[crowd].later[usize::from(bucket)])
    }
}

impl Versioned {
    /// Weighs the clicks around a conversion. `around` are the clicks of the networks of `devices` in [`around`](Model::around), at most
    /// [`COMPARED_CLICKS`]; `asked` is listed in any case if it is among them. `None` without a device: there is nothing to compare
    /// then. The order of neither matters.
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
        let known: Vec<Known> = devices.iter().map(|device| Known::of(model, device)).collect();
        let mut found: Vec<Found<'_>> = (around.clicks.iter().filter(|click| click.at >= from))
            .filter_map(|click| {
                let (compared, device, campaign) = compare(anchor, devices, campaigns, click)?;
                let terms = known[device].terms(&compared, model.campaigns.term(campaign));
                Some(Found { click, compared, terms, bits: 0 })
            })
            .collect();
        found.sort_unstable_by_key(|found| {
            (found.click.key, std::cmp::Reverse(found.click.at), found.click.matched)
        });
        found.dedup_by_key(|found| found.click.key);
        let total = around.total.max(found.len() as u64);
        let others = total.saturating_sub(1);
        let crowd = Model::crowd_of(others);
        let network = model.network(others);
        for found in &mut found {
            found.bits = model.weights(crowd, network, &found.compared, found.terms).sum();
        }
        // The likeliest first; of equals the latest, then the smallest key.
        found.sort_unstable_by_key(|found| {
            (std::cmp::Reverse(found.bits), std::cmp::Reverse(found.click.at), found.click.key)
        });
        let alike = AlikeTable::of(found.iter().map(|found| &found.compared));
        let listed = listed(&found, asked);
        let mut likenesses = Likenesses::default();
        let weights: Vec<Weights> = (listed.iter())
            .map(|at| {
                let Found { compared, terms, .. } = &found[*at];
                let likeness = likenesses
                    .of(compared, *terms, || model.likeness(crowd, compared, *terms, alike.of_one(compared)));
                Weights { likeness, ..model.weights(crowd, network, compared, *terms) }
            })
            .collect();
        let unlisted = found.iter().enumerate().skip(LISTED).filter(|(at, _)| !listed.contains(at));
        let oldest = found.iter().map(|found| found.compared.lag).max();
        let posterior = Posterior {
            prior: model.crowds[crowd].prior,
            bits: weights.iter().map(Weights::apart).collect(),
            rest: micro(unlisted.map(|(_, found)| weighed(found.bits)).sum()),
            unlisted: model.unlisted(crowd, total, found.len(), oldest),
        };
        let cap = self.cap(crowd, total, &found, oldest, &alike);
        let stated = posterior.calibrated(&model.crowds[crowd].calibration, cap);
        let candidates = listed.iter().zip(weights).zip(&stated.probabilities);
        let candidates = candidates.map(|((at, weights), probability)| Weighed {
            click: found[*at].click,
            weights,
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
        oldest: Option<u8>,
        alike: &AlikeTable,
    ) -> Option<Ppm> {
        let model = &self.model;
        let best = found.first()?;
        let alike = alike.of_one(&best.compared);
        // The levels are the same in every crowd, and so are the terms as factors.
        let terms: Vec<f64> = found.iter().map(|found| weighed(found.terms.iter().sum())).collect();
        let caps = CROWDS.iter().take(crowd).enumerate().map(|(quieter, most)| {
            let factors = &self.factors.0[quieter];
            let likeness =
                model.likeness(quieter, &best.compared, best.terms, alike.among(most.saturating_add(1)));
            let scale = factors.prior * factors.network * weighed(likeness);
            let mass = |(found, terms): (&Found<'_>, &f64)| scale * terms * factors.of(&found.compared);
            let own = mass((best, terms.first().unwrap_or(&1.0)));
            let all: f64 = found.iter().zip(&terms).map(mass).sum();
            let unlisted = model.unlisted(quieter, total, found.len(), oldest);
            let rest = factors.prior * f64::from(unlisted) / f64::from(ONE);
            let said = ppm(own / (all + rest + 1.0 - factors.prior));
            model.crowds[quieter].calibration.apply(said)
        });
        caps.min()
    }
}

/// How much more an agreement on the values of a device says than on any.
struct Known {
    agent: i64,
    language: i64,
}

impl Known {
    fn of(model: &Model, device: &Device) -> Self {
        Self {
            agent: model.agents.term(agent_term(device).as_deref()),
            language: model.languages.term(device.language.as_deref()),
        }
    }

    /// What agrees is the same on both sides.
    fn terms(&self, compared: &Compared, campaign: i64) -> [i64; 3] {
        let agent = if compared.agent == Some(2) { self.agent } else { 0 };
        let language = if compared.language == Some(1) { self.language } else { 0 };
        [agent, language, campaign]
    }
}

/// What a likeness depends on: the levels of agent and language, and what their values say more.
type Kind = (Option<u8>, Option<u8>, i64, i64);

/// The likenesses that were computed: few differ.
#[derive(Default)]
struct Likenesses(Vec<(Kind, i64)>);

impl Likenesses {
    fn of(&mut self, compared: &Compared, [agent, language, _]: [i64; 3], find: impl FnOnce() -> i64) -> i64 {
        let place = (compared.agent, compared.language, agent, language);
        if let Some((_, known)) = self.0.iter().find(|(known, _)| *known == place) {
            return *known;
        }
        let found = find();
        self.0.push((place, found));
        found
    }
}

/// The weights by level as factors, by crowd: what another crowd would say of many clicks is a product of few numbers.
#[derive(Clone, Debug, PartialEq)]
struct Factors(Vec<CrowdFactors>);

#[derive(Clone, Debug, PartialEq)]
struct CrowdFactors {
    prior: f64,
    /// With the most clicks that such a network has.
    network: f64,
    agent: [f64; AGENT_LEVELS],
    language: [f64; BINARY_LEVELS],
    campaign: [f64; BINARY_LEVELS],
    lag: [f64; LAG_BUCKETS],
}

impl Factors {
    fn of(model: &Model) -> Self {
        let crowds = model.crowds.iter().enumerate().map(|(at, crowd)| CrowdFactors {
            prior: share_of(crowd.prior),
            network: CROWDS.get(at).map_or(1.0, |most| weighed(model.network(*most))),
            agent: crowd.agent.map(weighed),
            language: crowd.language.map(weighed),
            campaign: crowd.campaign.map(weighed),
            lag: crowd.lag.map(weighed),
        });
        Self(crowds.collect())
    }
}

impl CrowdFactors {
    fn of(&self, compared: &Compared) -> f64 {
        let at = |factors: &[f64], level: Option<u8>| {
            level.and_then(|level| factors.get(usize::from(level))).copied().unwrap_or(1.0)
        };
        at(&self.agent, compared.agent)
            * at(&self.language, compared.language)
            * at(&self.campaign, compared.campaign)
            * at(&self.lag, Some(compared.lag))
    }
}

fn listed(found: &[Found<'_>], asked: Option<KeyedHash>) -> Vec<usize> {
    let later = found.iter().enumerate().skip(LISTED);
    let asked = later.filter(|(_, found)| Some(found.click.key) == asked).map(|(at, _)| at);
    (0..found.len().min(LISTED)).chain(asked).collect()
}

fn version_of(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let hex: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("fs{FORMAT}-{hex}")
}
