use std::time::Duration;

use super::{Entry, Memo, Noted, Order, Picked, Router, Strategy};
use crate::ctx::Ctx;
use crate::provider::ChatRequest;
use crate::route::Complexity;
use crate::route::canary::{self, Arm, Phase};
use crate::route::cheapest::{self, Expected, expected_answer};
use crate::route::sticky::{self, Quote, Verdict, Weighed};
use crate::route::{conversation, latency, weighted};

impl Router {
    /// The order of the models that are left.
    pub(super) fn order(
        &self,
        ctx: &Ctx,
        request: &ChatRequest,
        complexity: Complexity,
        picked: &Picked,
    ) -> Order {
        let models = &picked.models;
        let given = Order { places: (0..models.len()).collect(), propensity: 1.0, reason: None, memo: None };
        let expected = Expected {
            prices: &self.figures.prices,
            counter: &self.figures.counter,
            tenant: &ctx.tenant,
            request,
            answer: expected_answer(request, &self.table.tokens, complexity),
        };
        match picked.strategy {
            Strategy::Given => given,
            Strategy::Sticky { ttl_seconds } => {
                self.keep(ctx, picked, &expected, Duration::from_secs(ttl_seconds))
            }
            Strategy::Canary => self.staged(ctx, request, picked).unwrap_or(given),
            _ if models.len() == 1 => given,
            Strategy::Weighted => {
                let weights: Vec<u32> = models.iter().map(|entry| entry.weight).collect();
                let (places, propensity) =
                    weighted::order(&weights, |bound| weighted::below(&*ctx.env.entropy, bound));
                let reason = format!("drawn with probability {propensity:.3}");
                Order { places, propensity, reason: Some(reason), memo: None }
            }
            Strategy::Cheapest => {
                let costs: Vec<Option<u64>> =
                    models.iter().map(|entry| expected.cost(&entry.choice)).collect();
                let places = cheapest::order(&costs);
                let reason = format!(
                    "expected cost in nano-dollars: {}",
                    told_of(models, &places, |place| costs[place].map(|cost| cost.to_string()))
                );
                Order { places, propensity: 1.0, reason: Some(reason), memo: None }
            }
            Strategy::LowestLatency => {
                let now = ctx.env.clock.now();
                let averages = self.latencies.of(models.iter().map(|entry| &entry.choice), now);
                let (places, propensity) =
                    latency::order(&averages, |bound| weighted::below(&*ctx.env.entropy, bound));
                let reason = format!(
                    "average latency in ms: {}",
                    told_of(models, &places, |place| averages[place].map(|ms| format!("{ms:.0}")))
                );
                Order { places, propensity, reason: Some(reason), memo: None }
            }
        }
    }

    /// The order of a sticky route: where the conversation stays or goes to, then the cheapest of this turn.
    fn keep(&self, ctx: &Ctx, picked: &Picked, expected: &Expected<'_>, lifetime: Duration) -> Order {
        let models = &picked.models;
        let now = ctx.env.clock.now();
        let key = conversation::key(&ctx.tenant, &picked.route, expected.request);
        let known = self.affinities.get(key, now, lifetime);
        let prompts: Vec<u64> = models.iter().map(|entry| expected.prompt(&entry.choice)).collect();
        let quote = |(entry, prompt): (&Entry, &u64)| {
            let cost = |cached, answer| expected.cost_cached(&entry.choice, *prompt, cached, answer);
            let Some(known) = &known else {
                let now = cost(0, expected.answer)?;
                return Some(Quote { now, warm: now, later: now });
            };
            Some(Quote {
                now: cost(known.cached(&entry.choice, now, lifetime), expected.answer)?,
                warm: cost(known.prefix(), expected.answer)?,
                later: cost(known.prefix(), known.answers / u64::from(known.turns.max(1)))?,
            })
        };
        let quotes: Vec<Option<Quote>> = models.iter().zip(&prompts).map(quote).collect();
        let held =
            known.as_ref().and_then(|known| models.iter().position(|entry| entry.choice == known.model));
        let turns = known.as_ref().map_or(0, |known| known.turns);
        let verdict = sticky::choose(&quotes, held, turns);
        let costs: Vec<Option<u64>> = quotes.iter().map(|quote| quote.map(|quote| quote.now)).collect();
        let mut places = cheapest::order(&costs);
        places.retain(|place| *place != verdict.place);
        places.insert(0, verdict.place);
        let answer = expected.answer;
        let prompts = models.iter().map(|entry| entry.choice.clone()).zip(prompts).collect();
        Order {
            reason: Some(verdict_told(models, &verdict, held, &costs, &places)),
            places,
            propensity: 1.0,
            memo: Some(Memo(Noted::Turn { key, lifetime, prompts, answer })),
        }
    }

    /// The order of a canary route: the arm of the conversation, then who else is asked. A candidate is asked by nobody but those
    /// whose arm it is, unless nobody else is left.
    fn staged(&self, ctx: &Ctx, request: &ChatRequest, picked: &Picked) -> Option<Order> {
        let canary = self.routes.get(&picked.route)?.canary.as_ref()?;
        let models = &picked.models;
        let place = |number: usize| models.iter().position(|entry| entry.place == number);
        let (baseline, candidate) = (place(0), place(1));
        let others = (0..models.len()).filter(|at| Some(*at) != baseline && Some(*at) != candidate);
        let (phase, percent) = canary.now();
        let arm = canary::arm(conversation::key(&ctx.tenant, &picked.route, request), percent);
        let mut places: Vec<usize> = match arm {
            Arm::Candidate => candidate.into_iter().chain(baseline).chain(others).collect(),
            Arm::Baseline => baseline.into_iter().chain(others).collect(),
        };
        if places.is_empty() {
            places.extend(candidate);
        }
        let staged = matches!(phase, Phase::Stage(_)) && baseline.is_some() && candidate.is_some();
        let share = f64::from(percent) / 100.0;
        let (name, chosen, propensity) = match arm {
            Arm::Candidate => ("candidate", candidate, share),
            Arm::Baseline => ("baseline", baseline, 1.0 - share),
        };
        let reason = match phase {
            Phase::Stage(_) => {
                format!("the candidate has {percent} % of the conversations, this one goes to the {name}")
            }
            Phase::Promoted => "the candidate is promoted".to_owned(),
            Phase::RolledBack => "the candidate is rolled back".to_owned(),
        };
        let memo = chosen.filter(|_| staged).map(|at| {
            let choice = models[at].choice.clone();
            Memo(Noted::Canary { route: picked.route.clone(), phase, arm, choice })
        });
        let propensity = if staged { propensity } else { 1.0 };
        Some(Order { places, propensity, reason: Some(reason), memo })
    }
}

fn verdict_told(
    models: &[Entry],
    verdict: &Verdict,
    held: Option<usize>,
    costs: &[Option<u64>],
    places: &[usize],
) -> String {
    let name = |place: usize| format!("{}/{}", models[place].choice.provider, models[place].choice.model);
    let figures = |weighed: Weighed| {
        format!(
            "switching to {} costs {} nano-dollars and saves {}",
            name(weighed.to),
            weighed.price,
            weighed.saving
        )
    };
    match (held, verdict.against) {
        (None, _) => format!(
            "the conversation begins; expected cost in nano-dollars: {}",
            told_of(models, places, |place| costs[place].map(|cost| cost.to_string()))
        ),
        (Some(here), Some(weighed)) if verdict.place != here => {
            format!("the conversation leaves {}: {}", name(here), figures(weighed))
        }
        (Some(here), against) => {
            let figures = against.map(|weighed| format!(": {}", figures(weighed))).unwrap_or_default();
            format!("the conversation stays at {}{figures}", name(here))
        }
    }
}

/// A figure of each model, in the order in which they are asked.
fn told_of(models: &[Entry], places: &[usize], figure: impl Fn(usize) -> Option<String>) -> String {
    let told = |place: &usize| {
        let choice = &models[*place].choice;
        let figure = figure(*place).unwrap_or_else(|| "unknown".to_owned());
        format!("{}/{} {figure}", choice.provider, choice.model)
    };
    places.iter().map(told).collect::<Vec<_>>().join(", ")
}
