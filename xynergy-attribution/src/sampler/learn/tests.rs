use std::collections::BTreeMap;

use super::*;
use crate::sampler::standing::standings_of;
use crate::sampler::state::{AdObservation, DealFeedback, DealOutcome};
use crate::sampler::thompson::{GammaShape, Sampler};
use crate::sampler::{Millionths, SamplerState};
use xynergy_core::Timestamp;

const DAY: i64 = 86_400_000_000;
const DAYS: i32 = 90;
/// Fewer than the figures below are from, for the time that it takes.
const SEEDS: u64 = 12;

/// A world of ads that differ in click-through, leads a click and closes a lead: 10 ads, 1,000 dollars a day, deals of 5,000.
struct World {
    random: Sampler,
    /// Clicks an impression, leads a click, closes a lead.
    ads: Vec<[f64; 3]>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Sampler::new(seed);
        let between = |random: &mut Sampler, low: f64, high: f64| low + (high - low) * random.uniform();
        let ads = (0..10)
            .map(|_| {
                let closing = {
                    let x = random.gamma_of(&GammaShape::new(2.0)).value;
                    let y = random.gamma_of(&GammaShape::new(18.0)).value;
                    (x / (x + y)).clamp(0.01, 0.5)
                };
                [between(&mut random, 0.008, 0.02), between(&mut random, 0.02, 0.08), closing]
            })
            .collect();
        Self { random, ads }
    }

    /// What a dollar brings, but for what is the same of all ads.
    fn worth(&self, ad: usize) -> f64 {
        self.ads[ad].iter().product()
    }

    fn poisson(&mut self, mean: f64) -> i64 {
        // Arrivals of a unit rate; the means here are small, but for impressions, which are taken at their mean.
        let (mut sum, mut count) = (0.0, -1);
        while sum <= mean {
            sum -= libm::log(self.random.uniform());
            count += 1;
        }
        count
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Told {
    /// Leads and closes.
    Leads,
    /// Closes alone, with the time of the click.
    Closes,
}

/// The share of the best ad's value that the sampler gets over 90 days.
fn run(seed: u64, median: f64, told: Told, options: &SamplerOptions) -> f64 {
    let mut world = World::new(seed);
    let ids: Vec<String> = (0..10).map(|n| format!("ad{n}")).collect();
    let mut state = SamplerState::default();
    let mut due: BTreeMap<i64, Vec<DealFeedback>> = BTreeMap::new();
    let scale = median / 1.678;
    let best = (0..10).map(|ad| world.worth(ad)).fold(0.0, f64::max);
    let (mut got, mut deals) = (0.0, 0);
    for today in 0..DAYS {
        // In the morning, with what the evening before knew.
        let yesterday = Day::new(today - 1);
        let beliefs = Beliefs::of(&state, options, yesterday);
        let scores: Vec<Score> = ids.iter().map(|id| beliefs.about(state.ads.get(id), None).score).collect();
        let standings = standings_of(&scores, options, seed * 1_000 + u64::try_from(today).unwrap(), 400);
        for (ad, standing) in standings.iter().enumerate() {
            let share = 0.02 + (1.0 - 0.2) * f64::from(standing.share.get()) / 1e6;
            let spend = 1_000.0 * share;
            got += spend * world.worth(ad);
            let [ctr, lead, closing] = world.ads[ad];
            let impressions = spend * 100.0;
            let clicks = world.poisson(impressions * ctr);
            #[allow(clippy::cast_possible_truncation)]
            let observation = AdObservation {
                ad_id: ids[ad].clone(),
                day: Day::new(today),
                impressions: impressions as i64 + clicks,
                clicks,
                spend_minor: (spend * 100.0) as i64,
                observed_at: None,
            };
            state.observe(&observation).unwrap();
            for _ in 0..world.poisson(clicks as f64 * lead) {
                deals += 1;
                let clicked_at = Timestamp::from_micros(i64::from(today) * DAY + DAY / 2);
                let feedback = |occurred: i64, outcome, value| DealFeedback {
                    event_id: format!("{deals}-{outcome:?}"),
                    ad_id: ids[ad].clone(),
                    pipeline_value_minor: value,
                    occurred_at: Timestamp::from_micros(occurred),
                    outcome,
                    credit: Millionths::ONE,
                    deal_id: Some(deals.to_string()),
                    clicked_at: Some(clicked_at),
                    spend_minor: None,
                };
                if told == Told::Leads {
                    state.feedback(&feedback(clicked_at.micros(), DealOutcome::Open, 50_000)).unwrap();
                }
                if world.random.uniform() < closing {
                    let took = world.random.gamma_of(&GammaShape::new(2.0)).value * scale;
                    #[allow(clippy::cast_possible_truncation)]
                    let closed = clicked_at.micros() + (took * DAY as f64) as i64;
                    due.entry(closed).or_default().push(feedback(closed, DealOutcome::Won, 500_000));
                }
            }
        }
        let later = due.split_off(&(i64::from(today + 1) * DAY));
        for feedback in due.into_values().flatten() {
            state.feedback(&feedback).unwrap();
        }
        due = later;
    }
    got / (f64::from(DAYS) * 1_000.0 * best)
}

fn mean_over(seeds: u64, median: f64, told: Told, options: &SamplerOptions) -> f64 {
    let shares: Vec<f64> = (0..seeds).map(|seed| run(seed, median, told, options)).collect();
    let mean = shares.iter().sum::<f64>() / shares.len() as f64;
    println!("median {median} days: {mean:.3}");
    mean
}

/// The plain blend of click-through and closes, which moves with the date and takes an open deal for none, gets .790, .727 and .659 of
/// what the best ad would have brought in this world at these delays (60 seeds). With 60 seeds this one got .805, .779 and .731 where
/// leads are reported, and .794, .757 and .704 from closes alone.
#[test]
fn beats_the_plain_blend_at_every_delay() {
    for (median, blend) in [(7.0, 0.79), (21.0, 0.727), (45.0, 0.659)] {
        for told in [Told::Leads, Told::Closes] {
            let mean = mean_over(SEEDS, median, told, &SamplerOptions::default());
            assert!(mean > blend, "median {median}: {mean}");
        }
    }
}
