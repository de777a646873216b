//! Learning a model from the tenant's own clicks and deals: expectation and maximisation over conversions with at most one click each,
//! and calibration on deals whose click is known and hidden on purpose.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::store::{Around, Candidate, Device, KeyedHash};
use xynergy_core::{Error, Result};

use super::alike::AlikeTable;
use super::calibrate::{Calibration, Judged, expected_calibration_error};
use super::compare::{Compared, Frequencies, Numbered, agent_term, campaign_of, lag_bucket};
use super::estimate::{Conversion, Pair, Truth, estimate};
use super::layers::best;
use super::model::{CROWDS, Model};
use super::posterior::{Posterior, Stated};
use super::ppm::{ONE, Ppm, ppm};
use super::signals::Signals;
use super::windows::Windows;

const OPERATION: &str = "attribution.train";

/// How many masked conversions it takes by default.
pub const LEAST_MASKED: usize = 200;

/// Fewer than so many masked conversions never do.
const FEWEST_MASKED: usize = 30;

/// The parts of the cross-fitting: each is judged by a model that has not seen it.
const FOLDS: usize = 5;

/// Bins of the calibration error.
const BINS: usize = 15;

/// A curve is made of at least so many judged conversions.
const LEAST_CURVE: f64 = 400.0;

/// So many conversions are needed to tell how many have a click behind them.
const LEAST_OPEN: f64 = 100.0;

/// What a training found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Trained {
    /// The model's name: matches that it judged tell it.
    pub model_version: String,
    /// The conversions with a consented device that it learnt from.
    pub conversions: u64,
    /// Those of them whose click is known by its id; it was hidden to judge what is found without it.
    pub masked: u64,
    /// How the two ways to choose do on masked conversions that the judging model had not seen.
    pub judged: Gain,
}

/// What choosing by probability brings over choosing by tier, in parts per million of the conversions: each masked conversion counts as
/// one with its click and as one whose click is gone, in the proportion that the conversions without a click id show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gain {
    /// Right by tier: the click, or that there is none.
    pub tier: u32,
    /// Right by probability.
    pub probability: u32,
    /// The second less the first.
    pub gain: i32,
    /// The lower end of the gain's 95 % interval (paired).
    pub gain_low: i32,
    /// Its upper end.
    pub gain_high: i32,
    /// The expected calibration error of the probability, over 15 bins of equal mass.
    pub calibration_error: u32,
    /// The same by how many other clicks the network has: up to 3, up to 30, more; nothing where there are no conversions.
    pub calibration_error_by_crowd: Vec<Option<u32>>,
}

/// What is learnt from: conversions as compact comparisons, so that a million clicks fit.
#[derive(Debug)]
pub struct Collection {
    windows: Windows,
    reach: Duration,
    names: Interner,
    networks: BTreeMap<KeyedHash, u32>,
    /// How often each agent, language and campaign occurs among the clicks.
    agents: BTreeMap<String, u64>,
    languages: BTreeMap<String, u64>,
    campaigns: BTreeMap<String, u64>,
    seen: BTreeMap<String, Seen>,
}

#[derive(Debug)]
struct Seen {
    total: u64,
    devices: Vec<(u32, Numbered)>,
    clicks: Vec<SeenClick>,
    truth: Truth,
    tier: TierChoice,
}

#[derive(Clone, Copy, Debug)]
struct SeenClick {
    network: u32,
    device: Numbered,
    lag: u8,
    campaign: Option<u8>,
    campaign_name: u32,
}

/// Whether the tiers were right with the click hidden, and with it gone.
#[derive(Clone, Copy, Debug, Default)]
struct TierChoice {
    with: bool,
    without: bool,
}

/// Numbers for names; 0 is none.
#[derive(Debug, Default)]
struct Interner(BTreeMap<String, u32>);

impl Interner {
    fn number(&mut self, name: Option<&str>) -> u32 {
        let Some(name) = name else { return 0 };
        if let Some(known) = self.0.get(name) {
            return *known;
        }
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX).saturating_add(1);
        self.0.insert(name.to_owned(), next);
        next
    }
}

impl Collection {
    /// Nothing yet.
    pub fn new(windows: Windows) -> Self {
        let reach = windows.probability_reach();
        Self {
            windows,
            reach,
            names: Interner::default(),
            networks: BTreeMap::new(),
            agents: BTreeMap::new(),
            languages: BTreeMap::new(),
            campaigns: BTreeMap::new(),
            seen: BTreeMap::new(),
        }
    }

    /// The model's reach: the clicks of a conversion's networks are wanted from `anchor` back to there.
    pub fn reach(&self) -> Duration {
        self.reach
    }

    /// Adds a deal. `around` are the clicks of its networks within the reach, `by_tier` those of its keys of layers 2 and 3, and
    /// `by_tier_without` what these would be if its known click were not there. A deal without a device is left out. The order in which
    /// deals are added does not matter.
    pub fn add(
        &mut self,
        deal_id: &str,
        signals: &Signals,
        around: &Around,
        by_tier: &[Candidate],
        by_tier_without: &[Candidate],
    ) {
        if signals.devices.is_empty() {
            return;
        }
        let devices: Vec<(u32, Numbered)> =
            signals.devices.iter().map(|device| (self.network(device), self.numbered(device))).collect();
        let mut around_it: Vec<&Candidate> = around.clicks.iter().collect();
        around_it.sort_by_key(|click| (click.key, std::cmp::Reverse(click.at)));
        around_it.dedup_by_key(|click| click.key);
        around_it.sort_by_key(|click| (std::cmp::Reverse(click.at), click.key));
        // The campaign was in the URL with the click id: what is hidden with it is no evidence either.
        let campaigns = if signals.click.is_some() { None } else { Some(&signals.campaigns) };
        let mut clicks = Vec::with_capacity(around_it.len());
        let mut truth = if signals.click.is_some() { Truth::Absent } else { Truth::Unknown };
        for click in around_it {
            let lag = signals.anchor.micros().checked_sub(click.at.micros()).and_then(lag_bucket);
            let (Some(lag), Some(device)) = (lag, &click.device) else { continue };
            let network = self.network(device);
            if !devices.iter().any(|(own, _)| *own == network) {
                continue;
            }
            if Some(click.key) == signals.click {
                truth = Truth::At(clicks.len());
            }
            let named = campaigns.filter(|names| !names.is_empty()).map(|names| campaign_of(click, names));
            count(&mut self.agents, agent_term(device));
            count(&mut self.languages, device.language.clone());
            count(&mut self.campaigns, Some(click.campaign_id.clone()));
            clicks.push(SeenClick {
                network,
                device: self.numbered(device),
                lag,
                campaign: named.map(|found| u8::from(found.is_some())),
                campaign_name: self.names.number(named.flatten()),
            });
        }
        let total = around.total.max(clicks.len() as u64);
        let tier = self.tier_choice(signals, by_tier, by_tier_without);
        self.seen.insert(deal_id.to_owned(), Seen { total, devices, clicks, truth, tier });
    }

    fn network(&mut self, device: &Device) -> u32 {
        let next = u32::try_from(self.networks.len()).unwrap_or(u32::MAX);
        *self.networks.entry(device.network).or_insert(next)
    }

    fn numbered(&mut self, device: &Device) -> Numbered {
        Numbered {
            browser: self.names.number(device.browser.as_deref()),
            platform: self.names.number(device.platform.as_deref()),
            language: self.names.number(device.language.as_deref()),
        }
    }

    fn tier_choice(&self, signals: &Signals, with: &[Candidate], without: &[Candidate]) -> TierChoice {
        let chosen = |candidates: &mut dyn Iterator<Item = &Candidate>| {
            let candidates: Vec<Candidate> = candidates.cloned().collect();
            best(signals.anchor, &signals.keys, &candidates, &self.windows).map(|(_, click)| click.key)
        };
        let without = signals.without_click(without);
        TierChoice {
            with: chosen(&mut with.iter()) == signals.click,
            without: chosen(&mut without.into_iter()).is_none(),
        }
    }

    /// Learns. Returns the model and what it is worth; the same conversions give the same bytes.
    ///
    /// # Errors
    /// [`InvalidInput`](xynergy_core::ErrorKind::InvalidInput) when fewer than `least_masked` conversions have a known click and a device,
    /// or `least_masked` is under 30.
    pub fn train(&self, least_masked: usize) -> Result<(Model, Trained)> {
        let masked = self.seen.values().filter(|seen| seen.truth != Truth::Unknown).count();
        if least_masked < FEWEST_MASKED {
            return Err(Error::invalid(
                OPERATION,
                format!(
                    "least_masked: {least_masked} conversions teach nothing: give at least {FEWEST_MASKED}"
                ),
            ));
        }
        if masked < least_masked {
            return Err(Error::invalid(
                OPERATION,
                format!(
                    "too little evidence: {masked} deals with a consented device have a click that its id names, and it takes \
                     {least_masked}: keep devices for longer before training"
                ),
            )
            .with_context("masked", masked.to_string())
            .with_context("least_masked", least_masked.to_string()));
        }
        let base = Base::of(self);
        let mut gain = Tally::default();
        for fold in 0..FOLDS {
            let learnt = base.learn(|at| at % FOLDS != fold);
            for (at, conversion) in base.conversions.iter().enumerate() {
                if at % FOLDS == fold && conversion.truth != Truth::Unknown {
                    gain.judge(&learnt, conversion, base.tiers[at]);
                }
            }
        }
        let model = base.learn(|_| true).model;
        let trained = Trained {
            model_version: model.clone().versioned()?.version,
            conversions: self.seen.len() as u64,
            masked: masked as u64,
            judged: gain.finish(),
        };
        Ok((model, trained))
    }
}

/// The conversions with everything that does not depend on which of them are hidden.
struct Base {
    start: Model,
    conversions: Vec<Conversion>,
    tiers: Vec<TierChoice>,
}

/// A model, and by crowd how many of the conversions have a click behind them at all.
struct Learnt {
    model: Model,
    with_click: Vec<f64>,
}

impl Base {
    fn of(collection: &Collection) -> Self {
        let mut start = Model::new(collection.reach);
        start.agents = Frequencies::of(&collection.agents);
        start.languages = Frequencies::of(&collection.languages);
        start.campaigns = Frequencies::of(&collection.campaigns);
        let terms = TermTable::of(&start, &collection.names);
        let seen: Vec<&Seen> = collection.seen.values().collect();
        let strangers = strangers(&seen);
        let conversions = seen.iter().zip(strangers).map(|(seen, stranger)| {
            let own = |click: &SeenClick| {
                let same = seen.devices.iter().filter(|(network, _)| *network == click.network);
                let best =
                    same.max_by_key(|(_, device)| (device.levels(&click.device), std::cmp::Reverse(*device)));
                best.map_or(Numbered::default(), |(_, device)| *device)
            };
            let others = seen.clicks.iter().enumerate().filter(|(at, _)| Some(*at) != seen.truth.at());
            Conversion {
                total: seen.total,
                truth: seen.truth,
                pairs: seen.clicks.iter().map(|click| terms.pair(&own(click), click)).collect(),
                foreign: others.map(|(_, click)| terms.pair(&stranger, click)).collect(),
            }
        });
        Self {
            start,
            conversions: conversions.collect(),
            tiers: collection.seen.values().map(|seen| seen.tier).collect(),
        }
    }

    /// Learns from the conversions without a known click, and of the others from those that are not held out.
    fn learn(&self, uses: impl Fn(usize) -> bool) -> Learnt {
        let used: Vec<&Conversion> = (self.conversions.iter().enumerate())
            .filter(|(at, conversion)| conversion.truth == Truth::Unknown || uses(*at))
            .map(|(_, conversion)| conversion)
            .collect();
        let mut model = estimate(self.start.clone(), &used);
        let with_click = with_click(&model, &used);
        for (crowd, (share, among)) in with_click.iter().zip(among_candidates(&used)).enumerate() {
            model.crowds[crowd].prior = ppm(share * among);
        }
        let judged = judged(&model, &used, &with_click);
        for (at, crowd) in model.crowds.iter_mut().enumerate() {
            crowd.calibration = Calibration::fit(&near(&judged, at));
        }
        Learnt { model, with_click }
    }
}

/// The judged conversions of networks that are about as busy: of those next to them too, where there are too few for a curve.
fn near(judged: &[Vec<Judged>], crowd: usize) -> Vec<Judged> {
    let mass = |judged: &[Judged]| judged.iter().map(|judged| judged.weight).sum::<f64>();
    let mut near = judged[crowd].clone();
    for away in 1..judged.len() {
        if mass(&near) >= LEAST_CURVE {
            break;
        }
        let beside = [crowd.checked_sub(away), crowd.checked_add(away)];
        beside.into_iter().flatten().filter_map(|at| judged.get(at)).for_each(|more| near.extend(more));
    }
    near
}

/// Networks with so many conversions have somebody else of the same place for each.
const OF_ONE_PLACE: usize = 5;

/// For each conversion the device of another one: of its own network where that has many, else of one about as busy.
fn strangers(seen: &[&Seen]) -> Vec<Numbered> {
    let mut by_network: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    let mut by_crowd: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, seen) in seen.iter().enumerate() {
        if let Some((network, _)) = seen.devices.first() {
            by_network.entry(*network).or_default().push(at);
        }
        by_crowd.entry(Model::crowd_of(seen.total.saturating_sub(1))).or_default().push(at);
    }
    let mut strangers = vec![Numbered::default(); seen.len()];
    let mut take = |group: &[usize]| {
        for (place, at) in group.iter().enumerate() {
            let other = group[(place + group.len() / 2) % group.len()];
            strangers[*at] = seen[other].devices.first().map_or(Numbered::default(), |(_, device)| *device);
        }
    };
    by_crowd.values().for_each(|group| take(group));
    by_network.values().filter(|group| group.len() >= OF_ONE_PLACE).for_each(|group| take(group));
    strangers
}

/// How much more an agreement on each value says than on any.
struct TermTable {
    agents: BTreeMap<(u32, u32), i64>,
    unknown_agent: i64,
    names: Vec<(i64, i64)>,
}

impl TermTable {
    fn of(model: &Model, names: &Interner) -> Self {
        let mut by_number = vec![(0, 0); names.0.len() + 1];
        for (name, number) in &names.0 {
            if let Some(terms) = usize::try_from(*number).ok().and_then(|at| by_number.get_mut(at)) {
                *terms = (model.languages.term(Some(name)), model.campaigns.term(Some(name)));
            }
        }
        let number = |name: &str| names.0.get(name).copied().unwrap_or(0);
        let agents = model.agents.listed().filter_map(|term| {
            let (browser, platform) = term.split_once(" on ")?;
            Some(((number(browser), number(platform)), model.agents.term(Some(term))))
        });
        Self { agents: agents.collect(), unknown_agent: model.agents.term(Some("")), names: by_number }
    }

    fn pair(&self, device: &Numbered, click: &SeenClick) -> Pair {
        let (agent, language) = device.levels(&click.device);
        let named = |number: u32| usize::try_from(number).ok().and_then(|at| self.names.get(at)).copied();
        let key = (click.device.browser, click.device.platform);
        let agent_term = match agent {
            Some(2) => self.agents.get(&key).copied().unwrap_or(self.unknown_agent),
            _ => 0,
        };
        let language_term = if language == Some(1) { named(click.device.language) } else { None };
        let campaign_term = if click.campaign == Some(1) { named(click.campaign_name) } else { None };
        Pair {
            compared: Compared { agent, language, campaign: click.campaign, lag: click.lag },
            terms: [
                agent_term,
                language_term.map_or(0, |(language, _)| language),
                campaign_term.map_or(0, |(_, campaign)| campaign),
            ],
        }
    }
}

/// Which clicks a masked conversion is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// All.
    All,
    /// All but its own known one.
    Rest,
    /// Those, as somebody else sees them.
    Foreign,
}

/// What the model says of a conversion, and whether its best candidate is the click.
fn said(model: &Model, conversion: &Conversion, shown: Shown) -> (usize, Said) {
    let (posterior, crowd, best) = posterior(model, conversion, shown);
    let right = shown == Shown::All && best.is_some() && best == conversion.truth.at();
    (crowd, Said { posterior, right, found: best.is_some() })
}

struct Said {
    posterior: Posterior,
    right: bool,
    found: bool,
}

fn posterior(model: &Model, conversion: &Conversion, shown: Shown) -> (Posterior, usize, Option<usize>) {
    let gone = if shown == Shown::All { None } else { conversion.truth.at() };
    let total = conversion.total.saturating_sub(u64::from(gone.is_some()));
    let others = total.saturating_sub(1);
    let crowd = Model::crowd_of(others);
    let pairs: Vec<(usize, &Pair)> = match shown {
        Shown::Foreign => conversion.foreign.iter().enumerate().collect(),
        _ => conversion.pairs.iter().enumerate().filter(|(at, _)| Some(*at) != gone).collect(),
    };
    let network = model.network(others);
    let weights = |pair: &Pair| model.weights(crowd, network, &pair.compared, pair.terms).sum();
    let mut weighed: Vec<(i64, usize, &Pair)> =
        pairs.iter().map(|(at, pair)| (weights(pair), *at, *pair)).collect();
    weighed.sort_unstable_by_key(|(bits, at, _)| (std::cmp::Reverse(*bits), *at));
    let alike = AlikeTable::of(pairs.iter().map(|(_, pair)| &pair.compared));
    // What the best is said to be needs the likeness of no other.
    let bits = weighed.iter().enumerate().map(|(place, (bits, _, pair))| {
        let alike = || model.likeness(crowd, &pair.compared, pair.terms, alike.of_one(&pair.compared));
        (*bits, if place == 0 { alike() } else { 0 })
    });
    let oldest = pairs.iter().map(|(_, pair)| pair.compared.lag).max();
    let posterior = Posterior {
        prior: model.crowds[crowd].prior,
        bits: bits.collect(),
        rest: 0,
        unlisted: model.unlisted(crowd, total, pairs.len(), oldest),
    };
    (posterior, crowd, weighed.first().map(|(_, at, _)| *at))
}

/// By crowd, how often the click of a masked conversion is among its candidates.
fn among_candidates(used: &[&Conversion]) -> Vec<f64> {
    let mut counts = vec![(0.0, 0.0); CROWDS.len() + 1];
    let mut all = (0.0, 0.0);
    for conversion in used.iter().filter(|conversion| conversion.truth != Truth::Unknown) {
        let found = f64::from(u8::from(conversion.truth.at().is_some()));
        let counts = &mut counts[Model::crowd_of(conversion.total.saturating_sub(1))];
        for (with, of) in [counts, &mut all] {
            *with += found;
            *of += 1.0;
        }
    }
    let pooled = (all.0 + 1.0) / (all.1 + 2.0);
    counts.into_iter().map(|(with, of)| (with + 20.0 * pooled) / (of + 20.0)).collect()
}

/// By crowd, the share of conversions without a known click that have one all the same: the mixture of what the model says of masked
/// conversions with their click and of the same without it that comes nearest to what it says of them (Saerens et al. 2002).
fn with_click(model: &Model, used: &[&Conversion]) -> Vec<f64> {
    const CELLS: usize = 24;
    let mut scores: Vec<[Vec<Ppm>; 3]> = (0..=CROWDS.len()).map(|_| Default::default()).collect();
    for conversion in used {
        if conversion.truth == Truth::Unknown {
            let (crowd, one) = said(model, conversion, Shown::All);
            scores[crowd][2].push(one.posterior.said());
        } else {
            for (to, shown) in [(0, Shown::All), (1, Shown::Foreign)] {
                let (crowd, one) = said(model, conversion, shown);
                scores[crowd][to].push(one.posterior.said());
            }
        }
    }
    let share = |sets: &[Vec<Ppm>; 3]| -> Option<f64> {
        let [with, without, open] = sets;
        if (open.len() as f64) < LEAST_OPEN || (with.len().min(without.len()) as f64) < LEAST_OPEN {
            return None;
        }
        // Cells of equal mass over the masked: what nothing tells apart falls into one.
        let mut both: Vec<Ppm> = with.iter().chain(without).copied().collect();
        both.sort_unstable();
        let ends: Vec<Ppm> =
            (1..CELLS).filter_map(|cell| both.get(cell * both.len() / CELLS).copied()).collect();
        let density = |scores: &[Ppm], smooth: f64| {
            let mut cells = vec![smooth; CELLS];
            for score in scores {
                cells[ends.partition_point(|end| end <= score)] += 1.0;
            }
            let sum: f64 = cells.iter().sum();
            cells.into_iter().map(|cell| cell / sum).collect::<Vec<f64>>()
        };
        let (with, without, open) = (density(with, 0.5), density(without, 0.5), density(open, 0.0));
        let mut share = 0.5;
        for _ in 0..1_000 {
            let cells = with.iter().zip(&without).zip(&open);
            let next: f64 =
                cells.map(|((w, o), mass)| mass * share * w / (share * w + (1.0 - share) * o)).sum();
            if (next - share).abs() < 1e-9 {
                break;
            }
            share = next;
        }
        Some(share.clamp(0.01, 1.0))
    };
    let mut all: [Vec<Ppm>; 3] = Default::default();
    for sets in &scores {
        for (to, from) in all.iter_mut().zip(sets) {
            to.extend(from);
        }
    }
    // Without conversions of their own to ask, the masked stand for themselves: each has a click.
    let pooled = share(&all).unwrap_or(1.0);
    scores.iter().map(|sets| share(sets).unwrap_or(pooled)).collect()
}

/// By crowd, the masked conversions with and without their click, weighed as they occur.
fn judged(model: &Model, used: &[&Conversion], with_click: &[f64]) -> Vec<Vec<Judged>> {
    let mut judged = vec![Vec::new(); CROWDS.len() + 1];
    for conversion in used.iter().filter(|conversion| conversion.truth != Truth::Unknown) {
        for shown in [Shown::All, Shown::Foreign] {
            let (crowd, one) = said(model, conversion, shown);
            if one.found {
                let weight = if shown == Shown::All { with_click[crowd] } else { 1.0 - with_click[crowd] };
                judged[crowd].push(Judged { said: one.posterior.said(), right: one.right, weight });
            }
        }
    }
    judged
}

/// How both ways to choose do.
#[derive(Default)]
struct Tally {
    tier: f64,
    probability: f64,
    mass: f64,
    /// By conversion, what one way has more of than the other.
    differences: Vec<(f64, f64)>,
    judged: [Vec<Judged>; CROWDS.len() + 1],
}

impl Tally {
    fn judge(&mut self, learnt: &Learnt, conversion: &Conversion, tier: TierChoice) {
        let (mut difference, mut mass) = (0.0, 0.0);
        for shown in [Shown::All, Shown::Rest, Shown::Foreign] {
            let (crowd, one) = said(&learnt.model, conversion, shown);
            let share = learnt.with_click[crowd];
            let weight = if shown == Shown::All { share } else { 1.0 - share };
            let stated = stated(&learnt.model, crowd, &one.posterior);
            if shown != Shown::Rest && one.found {
                let said = stated.probabilities.first().copied().unwrap_or(0);
                self.judged[crowd].push(Judged { said, right: one.right, weight });
            }
            // Both ways to choose are shown the same clicks.
            if shown == Shown::Foreign {
                continue;
            }
            let without = shown == Shown::Rest;
            let nothing_to_find = without || conversion.truth.at().is_none();
            let by_probability = if chooses(&stated) { one.right } else { nothing_to_find };
            let by_tier = if without { tier.without } else { tier.with };
            let (p, t) = (f64::from(u8::from(by_probability)), f64::from(u8::from(by_tier)));
            self.probability += weight * p;
            self.tier += weight * t;
            difference += weight * (p - t);
            mass += weight;
        }
        self.mass += mass;
        self.differences.push((difference, mass));
    }

    fn finish(&self) -> Gain {
        let mass = self.mass.max(1e-9);
        let mean = (self.probability - self.tier) / mass;
        let squares: f64 = self.differences.iter().map(|(d, m)| (d - m * mean) * (d - m * mean)).sum();
        let error = 1.96 * libm::sqrt(squares) / mass;
        let whole = |share: f64| {
            let parts = super::ppm::micro(share.clamp(-1.0, 1.0));
            i32::try_from(parts).unwrap_or(0)
        };
        let all: Vec<Judged> = self.judged.iter().flatten().copied().collect();
        Gain {
            tier: ppm(self.tier / mass),
            probability: ppm(self.probability / mass),
            gain: whole(mean),
            gain_low: whole(mean - error),
            gain_high: whole(mean + error),
            calibration_error: expected_calibration_error(&all, BINS).unwrap_or(0),
            calibration_error_by_crowd: (self.judged.iter())
                .map(|own| expected_calibration_error(own, BINS))
                .collect(),
        }
    }
}

fn count(counts: &mut BTreeMap<String, u64>, name: Option<String>) {
    if let Some(name) = name {
        *counts.entry(name).or_default() += 1;
    }
}

fn stated(model: &Model, crowd: usize, posterior: &Posterior) -> Stated {
    posterior.calibrated(&model.crowds[crowd].calibration, None)
}

/// Whether choosing by probability takes the best candidate: when it is at least as probable as that there is no click.
pub(super) fn chooses(stated: &Stated) -> bool {
    stated.probabilities.first().is_some_and(|best| *best > 0 && *best >= stated.none.min(ONE))
}
