//! A new ad's prior from its nearest winners: it helps where likeness informs, and harms nothing where it does not.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use xynergy_attribution::winners::{
    BetaPrior, GammaPrior, Likeness, PoolPrior, WinnerEvidence, WinnerPrior, WinnerWithNeighbours,
};

const WINNERS: usize = 300;
const NEW: usize = 144;
const CLUSTERS: usize = 12;
const DIMENSIONS: usize = 16;
const NEIGHBOURS: usize = 10;
/// One click's worth, as the sampler's own prior is.
const POOL: PoolPrior = PoolPrior {
    click_through: BetaPrior { alpha: 1.0, beta: 65.0 },
    deals: GammaPrior { shape: 2.0, rate: 2_000.0 },
};

struct Dice(ChaCha8Rng);

impl Dice {
    fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Marsaglia and Tsang's.
    fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let u = self.uniform();
            return self.gamma(shape + 1.0) * u.powf(1.0 / shape);
        }
        let d = shape - 1.0 / 3.0;
        loop {
            let x = self.normal();
            let v = (1.0 + x / (9.0 * d).sqrt()).powi(3);
            if v > 0.0 && self.uniform().ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }

    fn beta(&mut self, prior: BetaPrior) -> f64 {
        let (a, b) = (self.gamma(prior.alpha), self.gamma(prior.beta));
        a / (a + b)
    }

    fn poisson(&mut self, mean: f64) -> f64 {
        let (limit, mut product, mut count) = ((-mean).exp(), self.uniform(), 0.0);
        while product > limit {
            product *= self.uniform();
            count += 1.0;
        }
        count
    }

    fn binomial(&mut self, n: u32, p: f64) -> f64 {
        (0..n).filter(|_| self.uniform() < p).count() as f64
    }
}

struct Creative {
    embedding: Vec<f64>,
    click_through: f64,
    deals_per_unit: f64,
}

/// Creatives in clusters. Those of one cluster are about as good.
fn creatives(dice: &mut Dice, count: usize, centres: &[(Vec<f64>, f64, f64)]) -> Vec<Creative> {
    (0..count)
        .map(|_| {
            let (centre, click, deal) = &centres[(dice.uniform() * CLUSTERS as f64) as usize];
            let raw: Vec<f64> = centre.iter().map(|x| x + 0.35 * dice.normal()).collect();
            let length = raw.iter().map(|x| x * x).sum::<f64>().sqrt();
            Creative {
                embedding: raw.iter().map(|x| x / length).collect(),
                click_through: 0.015 * (click + 0.15 * dice.normal()).exp(),
                deals_per_unit: 0.001 * (deal + 0.15 * dice.normal()).exp(),
            }
        })
        .collect()
}

fn nearest(of: &[f64], among: &[Creative], but: Option<usize>) -> Vec<Likeness> {
    let mut all: Vec<Likeness> = among
        .iter()
        .enumerate()
        .filter(|(at, _)| Some(*at) != but)
        .map(|(at, other)| {
            let similarity = of.iter().zip(&other.embedding).map(|(a, b)| a * b).sum::<f64>() as f32;
            Likeness { winner: at as u32, similarity }
        })
        .collect();
    all.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
    all.truncate(NEIGHBOURS);
    all
}

struct Outcome {
    click_error: f64,
    pooled_click_error: f64,
    deal_error: f64,
    pooled_deal_error: f64,
    regret: f64,
    pooled_regret: f64,
    learned: WinnerPrior,
}

/// Twelve new ads at a time, shown by Thompson sampling from the priors: clicks that were lost to the best of them.
fn regret(dice: &mut Dice, ads: &[Creative], priors: &[BetaPrior]) -> f64 {
    let mut lost = 0.0;
    for (ads, priors) in ads.chunks_exact(12).zip(priors.chunks_exact(12)) {
        let best = ads.iter().map(|ad| ad.click_through).fold(0.0, f64::max);
        let mut beliefs = priors.to_vec();
        for _ in 0..40 {
            let draws: Vec<f64> = beliefs.iter().map(|belief| dice.beta(*belief)).collect();
            let chosen = (0..ads.len()).max_by(|a, b| draws[*a].total_cmp(&draws[*b])).unwrap();
            let clicks = dice.binomial(50, ads[chosen].click_through);
            beliefs[chosen].alpha += clicks;
            beliefs[chosen].beta += 50.0 - clicks;
            lost += 50.0 * (best - ads[chosen].click_through);
        }
    }
    lost
}

fn run(seed: u64, shuffled: bool) -> Outcome {
    let mut dice = Dice(ChaCha8Rng::seed_from_u64(seed));
    let centres: Vec<_> = (0..CLUSTERS)
        .map(|_| ((0..DIMENSIONS).map(|_| dice.normal()).collect(), 0.6 * dice.normal(), 0.6 * dice.normal()))
        .collect();
    let mut winners = creatives(&mut dice, WINNERS, &centres);
    let mut new = creatives(&mut dice, NEW, &centres);
    if shuffled {
        for all in [&mut winners, &mut new] {
            for at in (1..all.len()).rev() {
                let other = (dice.uniform() * (at + 1) as f64) as usize;
                let embedding = all[at].embedding.clone();
                all[at].embedding = std::mem::replace(&mut all[other].embedding, embedding);
            }
        }
    }
    let known: Vec<WinnerWithNeighbours> = winners
        .iter()
        .enumerate()
        .map(|(at, winner)| {
            let impressions = (500.0 + 4_500.0 * dice.uniform()).floor();
            let exposure = 2_000.0 + 8_000.0 * dice.uniform();
            let evidence = WinnerEvidence {
                impressions,
                clicks: dice.binomial(impressions as u32, winner.click_through),
                deals: dice.poisson(exposure * winner.deals_per_unit),
                exposure,
            };
            WinnerWithNeighbours { evidence, neighbours: nearest(&winner.embedding, &winners, Some(at)) }
        })
        .collect();
    // The pool is what all ads did; here the winners' mean, since these winners are ads like the others.
    let mean = known.iter().map(|w| w.evidence.clicks / w.evidence.impressions).sum::<f64>() / WINNERS as f64;
    let deals = known.iter().map(|w| w.evidence.deals / w.evidence.exposure).sum::<f64>() / WINNERS as f64;
    let pool = PoolPrior {
        click_through: BetaPrior { alpha: 1.0, beta: 1.0 / mean - 1.0 },
        deals: GammaPrior { shape: 2.0, rate: 2.0 / deals },
    };
    let learned = WinnerPrior::learn(&known, &pool).unwrap();
    let mut outcome = Outcome {
        click_error: 0.0,
        pooled_click_error: 0.0,
        deal_error: 0.0,
        pooled_deal_error: 0.0,
        regret: 0.0,
        pooled_regret: 0.0,
        learned,
    };
    let mut priors = Vec::new();
    for ad in &new {
        let prior = outcome.learned.prior(&nearest(&ad.embedding, &winners, None)).unwrap();
        let BetaPrior { alpha, beta } = prior.click_through;
        outcome.click_error += (alpha / (alpha + beta) - ad.click_through).abs();
        outcome.pooled_click_error += (mean - ad.click_through).abs();
        outcome.deal_error += (prior.deals.shape / prior.deals.rate - ad.deals_per_unit).abs();
        outcome.pooled_deal_error += (deals - ad.deals_per_unit).abs();
        priors.push(prior.click_through);
    }
    outcome.regret = regret(&mut dice_of(seed), &new, &priors);
    outcome.pooled_regret = regret(&mut dice_of(seed), &new, &vec![pool.click_through; NEW]);
    outcome
}

fn dice_of(seed: u64) -> Dice {
    Dice(ChaCha8Rng::seed_from_u64(seed + 1_000))
}

/// With less and more of each, over worlds.
fn ratios(shuffled: bool, seeds: std::ops::Range<u64>) -> ([f64; 3], usize) {
    let mut sums = [[0.0; 2]; 3];
    let mut counted = 0;
    for seed in seeds {
        let outcome = run(seed, shuffled);
        let pairs = [
            [outcome.click_error, outcome.pooled_click_error],
            [outcome.deal_error, outcome.pooled_deal_error],
            [outcome.regret, outcome.pooled_regret],
        ];
        for (sum, pair) in sums.iter_mut().zip(pairs) {
            sum[0] += pair[0];
            sum[1] += pair[1];
        }
        counted += usize::from(outcome.learned.click_through.weight > 0.0)
            + usize::from(outcome.learned.deals.weight > 0.0);
    }
    (sums.map(|[with, without]| with / without), counted)
}

#[test]
fn where_likeness_informs_a_new_ad_begins_with_a_fifth_less_error_and_regret() {
    let ([click, deal, regret], counted) = ratios(false, 0..4);
    println!(
        "informative: click-through error {click:.3}, deal error {deal:.3}, regret {regret:.3} of the pool's"
    );
    assert_eq!(counted, 8, "neighbours count in every world");
    assert!(click <= 0.8 && deal <= 0.8 && regret <= 0.8, "{click} {deal} {regret}");
}

#[test]
fn where_likeness_is_noise_nothing_is_harmed() {
    let ([click, deal, regret], counted) = ratios(true, 100..110);
    println!(
        "shuffled: click-through error {click:.4}, deal error {deal:.4}, regret {regret:.4}; counted {counted} of 20"
    );
    for ratio in [click, deal, regret] {
        assert!((ratio - 1.0).abs() <= 0.01, "{click} {deal} {regret}");
    }
}

#[test]
fn without_enough_winners_the_prior_is_the_pools_to_the_bit() {
    let winner = WinnerWithNeighbours {
        evidence: WinnerEvidence { impressions: 1_000.0, clicks: 500.0, deals: 3.0, exposure: 10.0 },
        neighbours: Vec::new(),
    };
    for count in [0_usize, 1, 29, 200] {
        let learned = WinnerPrior::learn(&vec![winner.clone(); count], &POOL).unwrap();
        let near: Vec<_> =
            (0..count.min(3)).map(|at| Likeness { winner: at as u32, similarity: 1.0 }).collect();
        let prior = learned.prior(&near).unwrap();
        assert_eq!((prior.click_through, prior.deals), (POOL.click_through, POOL.deals));
        assert_eq!((prior.click_through_weight, prior.deals_weight), (0.0, 0.0));
    }
}

#[test]
fn winners_without_any_event_or_exposure_are_no_reason_to_fail() {
    for evidence in [
        WinnerEvidence::default(),
        WinnerEvidence { impressions: 1e15, ..WinnerEvidence::default() },
        WinnerEvidence { impressions: 1e12, clicks: 1e12, deals: 1e12, exposure: 1e-9 },
        WinnerEvidence { exposure: 1e300, deals: 1e-300, ..WinnerEvidence::default() },
    ] {
        let winners: Vec<_> = (0..60_u32)
            .map(|at| WinnerWithNeighbours {
                evidence,
                neighbours: vec![Likeness { winner: (at + 1) % 60, similarity: f32::MIN_POSITIVE }],
            })
            .collect();
        let learned = WinnerPrior::learn(&winners, &POOL).unwrap();
        let prior = learned
            .prior(&[Likeness { winner: 0, similarity: 1e-30 }, Likeness { winner: 1, similarity: -1.0 }]);
        let prior = prior.unwrap();
        for value in
            [prior.click_through.alpha, prior.click_through.beta, prior.deals.shape, prior.deals.rate]
        {
            assert!(value.is_finite() && value > 0.0, "{evidence:?}: {prior:?}");
        }
    }
}

#[test]
fn what_is_wrong_is_named() {
    let good = WinnerWithNeighbours::default;
    let with = |evidence| WinnerWithNeighbours { evidence, ..good() };
    for (winner, named) in [
        (with(WinnerEvidence { clicks: f64::NAN, ..<_>::default() }), "winners[1].evidence.clicks"),
        (with(WinnerEvidence { deals: -1.0, ..<_>::default() }), "winners[1].evidence.deals"),
        (with(WinnerEvidence { clicks: 2.0, impressions: 1.0, ..<_>::default() }), "2 clicks on 1"),
        (
            WinnerWithNeighbours { neighbours: vec![Likeness { winner: 2, similarity: 0.5 }], ..good() },
            "2 is none of the 2 winners",
        ),
        (
            WinnerWithNeighbours { neighbours: vec![Likeness { winner: 1, similarity: 0.5 }], ..good() },
            "itself",
        ),
        (
            WinnerWithNeighbours { neighbours: vec![Likeness { winner: 0, similarity: f32::NAN }], ..good() },
            "NaN",
        ),
    ] {
        let error = WinnerPrior::learn(&[good(), winner], &POOL).unwrap_err();
        assert!(error.message().contains(named), "{error}");
    }
    let pool = PoolPrior { click_through: BetaPrior { alpha: 0.0, beta: 1.0 }, ..POOL };
    assert!(WinnerPrior::learn(&[], &pool).unwrap_err().message().contains("pool.click_through.alpha"));
    let learned = WinnerPrior::learn(&[], &POOL).unwrap();
    assert!(learned.prior(&[Likeness { winner: 0, similarity: 1.0 }]).is_err());
}
