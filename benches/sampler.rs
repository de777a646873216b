//! The sampler's parts for 1,000 ads: P(best) by quadrature and by draws, a whole allocation, and events a second into the state:
//! `cargo bench --bench sampler`.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use xynergy::Currency;
use xynergy::Timestamp;
use xynergy::ads::OwnerLevel;
use xynergy::allocation::{
    AdEvidence, AdObservation, AllocationRequest, BetaAd, BetaPrior, Constraints, Day, DealFeedback,
    DealOutcome, Millionths, OwnerBudget, SamplerOptions, SamplerState, ScoringMethod, allocate_from,
    probability_best,
};

const ADS: i64 = 1_000;
const DAY: i64 = 86_400_000_000;

fn observation(ad: i64, day: i32) -> AdObservation {
    AdObservation {
        ad_id: format!("ad-{ad}"),
        day: Day::new(day),
        impressions: 9_000 + 37 * (ad % 100),
        clicks: 90 + (ad * 7 + i64::from(day) * 13) % 60,
        spend_minor: 10_000,
        observed_at: Some(Timestamp::from_micros(i64::from(day + 1) * DAY)),
    }
}

fn feedback(n: i64) -> DealFeedback {
    let day = n % 60;
    DealFeedback {
        event_id: format!("event-{n}"),
        ad_id: format!("ad-{}", n * 7_919 % ADS),
        pipeline_value_minor: 400_000 + n % 200_000,
        occurred_at: Timestamp::from_micros((day + n % 21) * DAY + n),
        outcome: if n % 10 == 0 { DealOutcome::Won } else { DealOutcome::Open },
        credit: Millionths::new(900_000),
        deal_id: None,
        clicked_at: Some(Timestamp::from_micros(day * DAY)),
        spend_minor: None,
    }
}

fn state(deals: i64) -> SamplerState {
    let mut state = SamplerState::default();
    for ad in 0..ADS {
        for day in 0..60 {
            state.observe(&observation(ad, day)).unwrap();
        }
    }
    for n in 0..deals {
        state.feedback(&feedback(n)).unwrap();
    }
    state
}

fn best(c: &mut Criterion) {
    let ads: Vec<BetaAd> = (0..ADS)
        .map(|n| {
            let impressions = 2_000 + n * 7_919 % 100_000;
            let clicks = impressions * (10 + n * 31 % 11) / 1_000;
            BetaAd {
                ad_id: n.to_string(),
                click_through: BetaPrior {
                    alpha: 1.0 + clicks as f64,
                    beta: 60.0 + (impressions - clicks) as f64,
                },
            }
        })
        .collect();
    let mut group = c.benchmark_group("P(best) and mean shares of 1,000 Beta ads");
    group.sample_size(10);
    group.bench_function("quadrature", |b| {
        b.iter(|| probability_best(black_box(&ads), ScoringMethod::Quadrature, 7, 1).unwrap());
    });
    group.bench_function("10,000 draws", |b| {
        b.iter(|| probability_best(black_box(&ads), ScoringMethod::Draws, 7, 10_000).unwrap());
    });
    group.finish();
}

fn allocation(c: &mut Criterion) {
    let state = state(20_000);
    let owners = (0..250)
        .map(|owner| {
            let ads = (0..4)
                .map(|ad| AdEvidence {
                    ad_id: format!("ad-{}", owner * 4 + ad),
                    active: true,
                    ..AdEvidence::default()
                })
                .collect();
            OwnerBudget::new(owner.to_string(), OwnerLevel::AdSet, 40_000, ads)
        })
        .collect();
    let request = |method| AllocationRequest {
        currency: Currency::USD,
        owners,
        constraints: Constraints {
            total_daily_minor: 10_000_000,
            min_minor: 1_000,
            max_minor: 300_000,
            ..Constraints::default()
        },
        seed: 7,
        draws: 10_000,
        sampler: Some(SamplerOptions { day: Some(Day::new(80)), method, ..SamplerOptions::default() }),
    };
    let quadrature = request(ScoringMethod::Quadrature);
    let draws = AllocationRequest {
        sampler: quadrature.sampler.clone().map(|o| SamplerOptions { method: ScoringMethod::Draws, ..o }),
        ..quadrature.clone()
    };
    let mut group = c.benchmark_group("an allocation of 1,000 ads with 60 days and 20,000 deals");
    group.sample_size(10);
    group.bench_function("quadrature", |b| b.iter(|| allocate_from(black_box(&quadrature), &state).unwrap()));
    group.bench_function("10,000 draws", |b| b.iter(|| allocate_from(black_box(&draws), &state).unwrap()));
    group.finish();
}

fn events(c: &mut Criterion) {
    const EVENTS: u64 = 200_000;
    let known = state(0);
    let events: Vec<DealFeedback> = (0..200_000).map(feedback).collect();
    let mut group = c.benchmark_group("the state");
    group.sample_size(10).throughput(criterion::Throughput::Elements(EVENTS));
    group.bench_function("200,000 new feedbacks", |b| {
        b.iter_custom(|times| {
            let mut spent = Duration::ZERO;
            for _ in 0..times {
                let mut state = known.clone();
                let start = Instant::now();
                for event in &events {
                    state.feedback(black_box(event)).unwrap();
                }
                spent += start.elapsed();
                black_box(state);
            }
            spent
        });
    });
    group.finish();
}

criterion_group!(benches, best, allocation, events);
criterion_main!(benches);
