//! Expectation and maximisation over conversions: at most one click of each network belongs to a conversion.

use super::alike::{AlikeTable, GENERAL};
use super::compare::{AGENT_LEVELS, BINARY_LEVELS, Compared, LAG_BUCKETS, lag_widths};
use super::model::{CROWDS, Model};
use super::ppm::{micro, ppm, unmicro};

/// One conversion and one click.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub(super) compared: Compared,
    pub(super) terms: [i64; 3],
}

/// What is known of the click behind a conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    /// Nothing.
    Unknown,
    /// It is none of the compared clicks.
    Absent,
    /// It is this one of the compared clicks.
    At(usize),
}

impl Truth {
    pub(super) fn at(self) -> Option<usize> {
        if let Self::At(at) = self { Some(at) } else { None }
    }
}

/// A conversion with its compared clicks.
#[derive(Clone, Debug)]
pub(super) struct Conversion {
    pub(super) total: u64,
    pub(super) truth: Truth,
    pub(super) pairs: Vec<Pair>,
    /// The clicks beside its known one, compared with the device of somebody else who converted in such a place: what it would find if
    /// none of the clicks were its own.
    pub(super) foreign: Vec<Pair>,
}

/// How much the estimates of all networks together count against those of networks that are about as busy, in conversions.
const POOLED: f64 = 50.0;

const STEPS: usize = 60;

/// A step that moves nothing by more ends it.
const MOVED: f64 = 1e-6;

/// How many numbers of other clicks have an expectation of their own.
const COUNTED: usize = 9;

/// Shares by level among matches, or among the others.
#[derive(Clone, Debug)]
struct Shares {
    agent: [f64; AGENT_LEVELS],
    language: [f64; BINARY_LEVELS],
    campaign: [f64; BINARY_LEVELS],
    lag: [f64; LAG_BUCKETS],
}

#[derive(Clone, Debug)]
struct Group {
    prior: f64,
    m: Shares,
    u: Shares,
}

/// The model of these conversions, without calibration.
pub(super) fn estimate(mut model: Model, conversions: &[&Conversion]) -> Model {
    model.others = others(conversions);
    let widths = lag_widths(model.reach);
    let start = Group {
        prior: 0.5,
        m: Shares {
            agent: [0.05, 0.1, 0.85],
            language: [0.1, 0.9],
            campaign: [0.3, 0.7],
            lag: smoothed(&[0.0; LAG_BUCKETS], &widths, 1.0),
        },
        u: Shares { agent: [0.5, 0.3, 0.2], language: [0.5, 0.5], campaign: [0.9, 0.1], lag: widths },
    };
    let mut groups = with_foreign(vec![start; CROWDS.len() + 1], conversions);
    for _ in 0..STEPS {
        let next = step(&model, &groups, conversions, &widths);
        let moved = groups.iter().zip(&next).map(|(a, b)| distance(a, b)).fold(0.0, f64::max);
        groups = next;
        if moved < MOVED {
            break;
        }
    }
    for (crowd, group) in model.crowds.iter_mut().zip(&groups) {
        crowd.prior = ppm(group.prior);
        crowd.agent = bits(&group.m.agent, &group.u.agent);
        crowd.language = bits(&group.m.language, &group.u.language);
        crowd.campaign = bits(&group.m.campaign, &group.u.campaign);
        crowd.lag = bits(&group.m.lag, &widths);
        crowd.agent_of_others = bits(&group.u.agent, &[1.0; AGENT_LEVELS]);
        crowd.language_of_others = bits(&group.u.language, &[1.0; BINARY_LEVELS]);
        let mut later = 0.0;
        for (at, share) in group.m.lag.iter().enumerate().rev() {
            // Half of a bucket lies behind its middle.
            crowd.later[at] = ppm(later + share / 2.0);
            later += share;
        }
    }
    model
}

/// With `u` of devices as measured on clicks that are surely not the conversion's own: a person who clicks twice would otherwise make
/// strangers look alike.
fn with_foreign(mut groups: Vec<Group>, conversions: &[&Conversion]) -> Vec<Group> {
    let mut counts = vec![Counts::default(); groups.len()];
    for conversion in conversions {
        let crowd = Model::crowd_of(conversion.total.saturating_sub(1));
        conversion.foreign.iter().for_each(|pair| counts[crowd].add(&pair.compared, 0.0));
    }
    let mut all = Counts::default();
    counts.iter().for_each(|counts| all.merge(counts));
    let agent = smoothed(&all.u.agent, &[0.5, 0.3, 0.2], 5.0);
    let language = smoothed(&all.u.language, &[0.5, 0.5], 5.0);
    for (group, counts) in groups.iter_mut().zip(&counts) {
        group.u.agent = smoothed(&counts.u.agent, &agent, POOLED);
        group.u.language = smoothed(&counts.u.language, &language, POOLED);
    }
    groups
}

/// By how many others were seen, how many are to be expected in such a time: `(n + 1) p(n + 1) / p(n)` (Robbins 1956), over the clicks
/// beside the known one of masked conversions, in millionths and never falling.
fn others(conversions: &[&Conversion]) -> Vec<i64> {
    let mut counts = [0.0; COUNTED + 1];
    for conversion in conversions.iter().filter(|c| c.truth != Truth::Unknown) {
        let others = conversion.total.saturating_sub(u64::from(conversion.truth.at().is_some()));
        if let Some(count) = usize::try_from(others).ok().and_then(|at| counts.get_mut(at)) {
            *count += 1.0;
        }
    }
    let mut expected = Vec::with_capacity(COUNTED);
    let mut least = 0;
    for (next, pair) in (1_u32..).zip(counts.windows(2)) {
        let mean = f64::from(next) * (pair[1] + 0.5) / (pair[0] + 1.0);
        least = micro(mean.clamp(0.001, f64::from(next) - 0.5)).max(least);
        expected.push(least);
        // By so much another click that is not alike can make the rest say more.
        let seen = f64::from(next) - 1.0;
        // Weights are rounded to millionths of a bit: a little more than that on top.
        let rounded = 2 + least / 250_000;
        least =
            micro(unmicro(least) * (seen + 2.0 + GENERAL) / (seen + 1.0 + GENERAL)).saturating_add(rounded);
    }
    expected
}

fn step(
    model: &Model,
    groups: &[Group],
    conversions: &[&Conversion],
    widths: &[f64; LAG_BUCKETS],
) -> Vec<Group> {
    let mut counts = vec![Counts::default(); groups.len()];
    let tables: Vec<Tables> = groups.iter().map(|group| Tables::of(group, widths)).collect();
    let mut weights = Vec::new();
    for conversion in conversions {
        let others = conversion.total.saturating_sub(1);
        let crowd = Model::crowd_of(others);
        let (group, table, counts) = (&groups[crowd], &tables[crowd], &mut counts[crowd]);
        weights.clear();
        match conversion.truth {
            Truth::At(at) => {
                weights.resize(conversion.pairs.len(), 0.0);
                if let Some(weight) = weights.get_mut(at) {
                    *weight = 1.0;
                }
                counts.known += 1.0;
                counts.known_present += 1.0;
            }
            Truth::Absent => {
                weights.resize(conversion.pairs.len(), 0.0);
                counts.known += 1.0;
            }
            Truth::Unknown => {
                let density = unmicro(model.expected_others(others)).max(1e-6);
                let alike = AlikeTable::of(conversion.pairs.iter().map(|pair| &pair.compared));
                weights.extend(conversion.pairs.iter().map(|pair| {
                    let likeness = unmicro(alike.of_one(&pair.compared).bits(table.of_others(pair)));
                    group.prior * table.ratio(pair) * libm::exp2(likeness) / density
                }));
                let oldest = conversion.pairs.iter().map(|pair| usize::from(pair.compared.lag)).max();
                let unlisted = match oldest {
                    _ if conversion.total <= conversion.pairs.len() as u64 => 0.0,
                    None => 1.0,
                    Some(oldest) => group.m.lag[oldest..].iter().sum::<f64>() - group.m.lag[oldest] / 2.0,
                };
                let unlisted = group.prior * unlisted;
                let sum = weights.iter().sum::<f64>() + unlisted + 1.0 - group.prior;
                weights.iter_mut().for_each(|weight| *weight /= sum);
                counts.open += 1.0;
                counts.open_present += weights.iter().sum::<f64>() + unlisted / sum;
            }
        }
        for (pair, weight) in conversion.pairs.iter().zip(&weights) {
            counts.add(&pair.compared, *weight);
        }
    }
    let mut all = Counts::default();
    counts.iter().for_each(|counts| all.merge(counts));
    let pooled = all.group(None, widths);
    let mut next: Vec<Group> = counts.iter().map(|counts| counts.group(Some(&pooled), widths)).collect();
    for (next, now) in next.iter_mut().zip(groups) {
        (next.u.agent, next.u.language) = (now.u.agent, now.u.language);
    }
    next
}

/// Likelihood ratios by level.
struct Tables {
    agent: [f64; AGENT_LEVELS],
    language: [f64; BINARY_LEVELS],
    campaign: [f64; BINARY_LEVELS],
    lag: [f64; LAG_BUCKETS],
    agent_of_others: [i64; AGENT_LEVELS],
    language_of_others: [i64; BINARY_LEVELS],
}

impl Tables {
    fn of(group: &Group, widths: &[f64; LAG_BUCKETS]) -> Self {
        Self {
            agent: ratios(&group.m.agent, &group.u.agent),
            language: ratios(&group.m.language, &group.u.language),
            campaign: ratios(&group.m.campaign, &group.u.campaign),
            lag: ratios(&group.m.lag, widths),
            agent_of_others: bits(&group.u.agent, &[1.0; AGENT_LEVELS]),
            language_of_others: bits(&group.u.language, &[1.0; BINARY_LEVELS]),
        }
    }

    /// log2 of how often strangers compare so, in millionths.
    fn of_others(&self, pair: &Pair) -> i64 {
        let at = |bits: &[i64], level: Option<u8>| {
            level.and_then(|level| bits.get(usize::from(level))).copied().unwrap_or(0)
        };
        let [agent, language, _] = pair.terms;
        (at(&self.agent_of_others, pair.compared.agent).saturating_sub(agent))
            .saturating_add(at(&self.language_of_others, pair.compared.language).saturating_sub(language))
    }

    fn ratio(&self, pair: &Pair) -> f64 {
        let at = |ratios: &[f64], level: Option<u8>| {
            level.and_then(|level| ratios.get(usize::from(level))).copied().unwrap_or(1.0)
        };
        let terms: i64 = pair.terms.iter().fold(0, |sum, term| sum.saturating_add(*term));
        at(&self.agent, pair.compared.agent)
            * at(&self.language, pair.compared.language)
            * at(&self.campaign, pair.compared.campaign)
            * at(&self.lag, Some(pair.compared.lag))
            * if terms == 0 { 1.0 } else { libm::exp2(unmicro(terms)) }
    }
}

/// Expected numbers by level.
#[derive(Clone, Debug)]
struct Counts {
    m: Shares,
    u: Shares,
    open: f64,
    open_present: f64,
    known: f64,
    known_present: f64,
}

impl Default for Counts {
    fn default() -> Self {
        let none = Shares {
            agent: [0.0; AGENT_LEVELS],
            language: [0.0; BINARY_LEVELS],
            campaign: [0.0; BINARY_LEVELS],
            lag: [0.0; LAG_BUCKETS],
        };
        Self { m: none.clone(), u: none, open: 0.0, open_present: 0.0, known: 0.0, known_present: 0.0 }
    }
}

impl Counts {
    fn add(&mut self, compared: &Compared, matched: f64) {
        let add = |m: &mut [f64], u: &mut [f64], level: Option<u8>| {
            if let Some(level) = level.map(usize::from)
                && let (Some(m), Some(u)) = (m.get_mut(level), u.get_mut(level))
            {
                *m += matched;
                *u += 1.0 - matched;
            }
        };
        add(&mut self.m.agent, &mut self.u.agent, compared.agent);
        add(&mut self.m.language, &mut self.u.language, compared.language);
        add(&mut self.m.campaign, &mut self.u.campaign, compared.campaign);
        add(&mut self.m.lag, &mut self.u.lag, Some(compared.lag));
    }

    fn merge(&mut self, other: &Self) {
        let add = |to: &mut [f64], from: &[f64]| to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        for (to, from) in [(&mut self.m, &other.m), (&mut self.u, &other.u)] {
            add(&mut to.agent, &from.agent);
            add(&mut to.language, &from.language);
            add(&mut to.campaign, &from.campaign);
            add(&mut to.lag, &from.lag);
        }
        self.open += other.open;
        self.open_present += other.open_present;
        self.known += other.known;
        self.known_present += other.known_present;
    }

    fn group(&self, pooled: Option<&Group>, widths: &[f64; LAG_BUCKETS]) -> Group {
        // Before anything is seen: mild opinions that a handful of conversions overrule.
        let mild_m =
            Shares { agent: [0.1, 0.2, 0.7], language: [0.2, 0.8], campaign: [0.3, 0.7], lag: *widths };
        let mild_u =
            Shares { agent: [0.5, 0.3, 0.2], language: [0.5, 0.5], campaign: [0.9, 0.1], lag: *widths };
        let weight = if pooled.is_some() { POOLED } else { 5.0 };
        let (of_m, of_u) = pooled.map_or((&mild_m, &mild_u), |group| (&group.m, &group.u));
        let shares = |counts: &Shares, prior: &Shares| Shares {
            agent: smoothed(&counts.agent, &prior.agent, weight),
            language: smoothed(&counts.language, &prior.language, weight),
            campaign: smoothed(&counts.campaign, &prior.campaign, weight),
            lag: smoothed(&counts.lag, &prior.lag, weight),
        };
        let known = (self.known_present + 1.0) / (self.known + 2.0);
        let before = pooled.map_or(known, |group| group.prior);
        // Conversions of unknown click tell how many have one; only without them the known stand for all.
        let (present, of) =
            if self.open > 0.0 { (self.open_present, self.open) } else { (self.known_present, self.known) };
        let prior = ((present + 20.0 * before) / (of + 20.0)).clamp(0.001, 0.999);
        Group { prior, m: shares(&self.m, of_m), u: shares(&self.u, of_u) }
    }
}

/// Shares of counts and of `weight` further ones that are as `prior`.
fn smoothed<const N: usize>(counts: &[f64; N], prior: &[f64; N], weight: f64) -> [f64; N] {
    let sum: f64 = counts.iter().sum::<f64>() + weight * prior.iter().sum::<f64>();
    std::array::from_fn(|at| (counts[at] + weight * prior[at]) / sum)
}

fn ratios<const N: usize>(m: &[f64; N], u: &[f64; N]) -> [f64; N] {
    std::array::from_fn(|at| m[at].max(1e-9) / u[at].max(1e-9))
}

fn bits<const N: usize>(m: &[f64; N], u: &[f64; N]) -> [i64; N] {
    std::array::from_fn(|at| micro(libm::log2(m[at].max(1e-9)) - libm::log2(u[at].max(1e-9))))
}

fn distance(a: &Group, b: &Group) -> f64 {
    let all = |group: &Group| {
        let of = |s: &Shares| [&s.agent[..], &s.language[..], &s.campaign[..], &s.lag[..]].concat();
        [of(&group.m), of(&group.u), vec![group.prior]].concat()
    };
    all(a).into_iter().zip(all(b)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}
