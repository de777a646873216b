//! Made worlds of homes, offices and carriers in which the click behind every deal is known.
#![allow(dead_code)]

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use xynergy_attribution::matching::{COMPARED_CLICKS, Signals};
use xynergy_core::Timestamp;
use xynergy_core::store::{Around, Candidate, Device, KeyedHash, Layer, NetworkKind, Utm};

pub(crate) const MINUTE: i64 = 60_000_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;
pub(crate) const WEEK: i64 = 7 * DAY;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Home,
    Office,
    Carrier,
}

/// How long after the click a deal is made.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lag {
    /// Minutes to a week, even in its logarithm.
    EvenLog,
    /// Exponential of this mean in hours.
    Exponential(f64),
    /// Log-normal: the median in hours and the spread.
    LogNormal(f64, f64),
    /// Even over the week.
    Even,
}

/// Networks of one kind: how many, and the clicks of others a week, evenly between.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shared {
    pub(crate) networks: u64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

/// What a world is like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) homes: f64,
    pub(crate) offices: f64,
    /// Clicks of others a week in a home.
    pub(crate) home_rate: f64,
    pub(crate) office: Shared,
    pub(crate) carrier: Shared,
    /// How many deals have a click.
    pub(crate) clicked: f64,
    /// How many clicks are made from the network that the deal's contact is known by, by kind.
    pub(crate) keeps: [f64; 3],
    pub(crate) lag: Lag,
    /// How many browsers there are, and languages.
    pub(crate) agents: f64,
    pub(crate) languages: f64,
    /// How many devices of an office are the one that it buys.
    pub(crate) alike: f64,
    /// How many people click an ad twice.
    pub(crate) twice: f64,
    /// How many browsers are updated between click and deal.
    pub(crate) updated: f64,
    /// How many devices tell no browser, as frozen user agents do.
    pub(crate) frozen: f64,
    /// How many clicks of deals carry a click id that survives.
    pub(crate) masked: f64,
    /// Whether clicks and deals of offices happen in working hours.
    pub(crate) daytime: bool,
    /// How many deals the model learns from.
    pub(crate) learns: usize,
}

impl Shape {
    pub(crate) const PLAIN: Self = Self {
        homes: 0.4,
        offices: 0.3,
        home_rate: 0.25,
        office: Shared { networks: 150, least: 4.0, most: 40.0 },
        carrier: Shared { networks: 60, least: 60.0, most: 500.0 },
        clicked: 0.6,
        keeps: [0.85, 0.8, 0.55],
        lag: Lag::EvenLog,
        agents: 30.0,
        languages: 8.0,
        alike: 0.0,
        twice: 0.0,
        updated: 0.07,
        frozen: 0.0,
        masked: 0.5,
        daytime: false,
        learns: 24_000,
    };
    /// Agents and languages of an office are alike, people click twice.
    pub(crate) const HARD: Self = Self { alike: 0.6, twice: 0.15, ..Self::PLAIN };
}

pub(crate) struct World {
    chance: ChaCha12Rng,
    /// By network, the clicks in order of time.
    pub(crate) clicks: BTreeMap<KeyedHash, Vec<Candidate>>,
    next: u64,
    pub(crate) shape: Shape,
}

pub(crate) struct Deal {
    pub(crate) kind: Kind,
    pub(crate) signals: Signals,
    pub(crate) click: Option<KeyedHash>,
    /// Whether its click id is known.
    pub(crate) masked: bool,
}

impl World {
    pub(crate) fn new(seed: u64, shape: Shape) -> Self {
        Self { chance: ChaCha12Rng::seed_from_u64(seed), clicks: BTreeMap::new(), next: 0, shape }
    }

    fn unit(&mut self) -> f64 {
        (self.chance.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.chance.next_u64() % n
    }

    fn normal(&mut self) -> f64 {
        let (a, b) = (self.unit().max(1e-12), self.unit());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }

    fn poisson(&mut self, mean: f64) -> u64 {
        if mean > 30.0 {
            return (mean + self.normal() * mean.sqrt()).round().max(0.0) as u64;
        }
        let (limit, mut product, mut n) = ((-mean).exp(), 1.0, 0);
        loop {
            product *= self.unit();
            if product < limit {
                return n;
            }
            n += 1;
        }
    }

    fn key(&mut self) -> KeyedHash {
        self.next += 1;
        KeyedHash::from_bytes(u128::from(self.next).to_be_bytes())
    }

    /// Few agents that many have, and many that few have.
    fn agent(&mut self) -> (String, String) {
        let rank = (self.unit() * self.unit() * self.shape.agents) as u64;
        let platform = ["android", "ios", "windows", "macos"][(rank % 4) as usize];
        (format!("browser {rank}"), platform.to_owned())
    }

    fn language(&mut self) -> String {
        let rank = (self.unit() * self.unit() * self.shape.languages) as u64;
        format!("l{rank}")
    }

    pub(crate) fn device(&mut self, network: KeyedHash, common: Option<&Device>) -> Device {
        let (browser, platform) = self.agent();
        let language = self.language();
        let frozen = self.unit() < self.shape.frozen;
        let own = Device {
            network,
            kind: NetworkKind::Ipv4,
            browser: (!frozen).then_some(browser),
            platform: Some(platform),
            language: Some(language),
        };
        match common {
            Some(common) if self.unit() < self.shape.alike => Device { network, ..common.clone() },
            _ => own,
        }
    }

    pub(crate) fn click(&mut self, device: &Device, at: i64) -> KeyedHash {
        let key = self.key();
        let ad = self.below(20);
        let click = Candidate {
            matched: device.network,
            at: Timestamp::from_micros(at),
            id: key.to_string(),
            key,
            ad_id: format!("ad-{ad}"),
            adset_id: format!("set-{}", ad / 4),
            campaign_id: format!("campaign-{}", ad / 8),
            utm: Utm::default(),
            device: Some(device.clone()),
        };
        self.clicks.entry(device.network).or_default().push(click);
        key
    }

    fn lag(&mut self) -> i64 {
        let micros = match self.shape.lag {
            Lag::EvenLog => {
                2.0 * MINUTE as f64 * (self.unit() * (WEEK as f64 / (2.1 * MINUTE as f64)).ln()).exp()
            }
            Lag::Exponential(hours) => -self.unit().max(1e-12).ln() * hours * HOUR as f64,
            Lag::LogNormal(hours, spread) => hours * HOUR as f64 * (spread * self.normal()).exp(),
            Lag::Even => self.unit() * WEEK as f64,
        };
        micros.min(4.0 * WEEK as f64) as i64
    }

    /// A moment of that day; in working hours where a world has them.
    fn of_day(&mut self, day: i64, kind: Kind) -> i64 {
        let worked = self.shape.daytime && kind == Kind::Office;
        let (from, span) = if worked { (8 * HOUR, 10 * HOUR) } else { (0, DAY) };
        day * DAY + from + self.below(span as u64) as i64
    }

    /// One conversion with the clicks of its surroundings. Homes have their own network; offices and carriers are given with what
    /// their devices have in common.
    fn deal(&mut self, kind: Kind, shared: Option<&(KeyedHash, Option<Device>)>, id: u64) -> Deal {
        let day = 100 + self.below(60) as i64;
        let anchor = self.of_day(day, kind);
        let (network, common) = match shared {
            Some((network, common)) => (*network, common.clone()),
            None => (self.key(), None),
        };
        if kind == Kind::Home {
            for _ in 0..self.poisson(self.shape.home_rate) {
                let at = anchor - self.below(WEEK as u64) as i64;
                let other = self.device(network, None);
                self.click(&other, at);
            }
        }
        let device = self.device(network, common.as_ref());
        let mut truth = None;
        if self.unit() < self.shape.clicked {
            let lag = self.lag();
            let keeps = self.shape.keeps[kind as usize];
            let network = if self.unit() < keeps { network } else { self.key() };
            let mut then = Device { network, ..device.clone() };
            if self.unit() < self.shape.updated && then.browser.is_some() {
                then.browser = Some("browser updated".to_owned());
            }
            if self.unit() < self.shape.twice {
                let earlier = self.below(WEEK as u64) as i64;
                self.click(&then, anchor - lag - earlier);
            }
            truth = Some(self.click(&then, anchor - lag));
        }
        let signals = Signals {
            anchor: Timestamp::from_micros(anchor),
            devices: [device].into(),
            campaigns: BTreeSet::new(),
            keys: [(KeyedHash::from_bytes(u128::from(id).to_le_bytes()), Layer::Layer3)].into(),
            click: None,
        };
        let masked = truth.is_some() && self.unit() < self.shape.masked;
        Deal { kind, signals, click: truth, masked }
    }

    pub(crate) fn deals(&mut self, count: u64) -> Vec<Deal> {
        let mut shared: BTreeMap<Kind, Vec<(KeyedHash, Option<Device>)>> = BTreeMap::new();
        let kinds = [(Kind::Office, self.shape.office), (Kind::Carrier, self.shape.carrier)];
        for (kind, Shared { networks, least, most }) in kinds {
            for _ in 0..networks {
                let network = self.key();
                let common =
                    (self.shape.alike > 0.0 && kind == Kind::Office).then(|| self.device(network, None));
                let rate = least + (most - least) * self.unit();
                for _ in 0..self.poisson(rate * 70.0 / 7.0) {
                    let day = 92 + self.below(70) as i64;
                    let at = self.of_day(day, kind);
                    let other = self.device(network, common.as_ref());
                    self.click(&other, at);
                }
                shared.entry(kind).or_default().push((network, common));
            }
        }
        let deals = (0..count).map(|id| {
            let draw = self.unit();
            let kind = if draw < self.shape.homes {
                Kind::Home
            } else if draw < self.shape.homes + self.shape.offices {
                Kind::Office
            } else {
                Kind::Carrier
            };
            let of_kind = shared.get(&kind).map(|networks| networks.len() as u64);
            let at = of_kind.map(|n| self.below(n) as usize);
            let network = shared.get(&kind).zip(at).map(|(networks, at)| networks[at].clone());
            self.deal(kind, network.as_ref(), id)
        });
        let deals: Vec<Deal> = deals.collect();
        for clicks in self.clicks.values_mut() {
            clicks.sort_by_key(|click| (click.at, click.key));
        }
        deals
    }

    pub(crate) fn around(&self, signals: &Signals) -> Around {
        let clicks = signals.networks().into_iter().filter_map(|network| self.clicks.get(&network)).flatten();
        let from = signals.anchor.micros() - WEEK;
        let all: Vec<&Candidate> =
            clicks.filter(|c| c.at.micros() >= from && c.at <= signals.anchor).collect();
        Around {
            total: all.len() as u64,
            clicks: all.into_iter().rev().take(COMPARED_CLICKS).cloned().collect(),
        }
    }
}
