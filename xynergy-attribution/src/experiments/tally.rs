use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::{Error, Result};

use super::assign::hash;
use super::spec::{ExperimentSpec, MetricKind};
use super::state::ExperimentState;

/// Values up to here keep every sum of squares exact.
const LARGEST: i64 = 1_000_000_000_000;

/// What happened to a unit: it was exposed, or a metric's event came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExperimentEvent {
    /// Names the event: the same id twice is one event.
    pub event_id: String,
    /// Who or what it happened to.
    pub unit_id: String,
    /// The metric; none says that the unit was exposed.
    #[serde(default)]
    pub metric: Option<String>,
    /// The value, of a metric that has values: minor units.
    #[serde(default)]
    pub value_minor: Option<i64>,
}

impl ExperimentEvent {
    /// Checks the event against the experiment's metrics.
    ///
    /// # Errors
    /// `invalid_input` that names the field.
    pub fn validate(&self, place: &str, spec: &ExperimentSpec) -> Result<()> {
        let wrong = |field: &str, problem: String| {
            Err(Error::invalid("experiments.record", format!("{place}.{field}: {problem}")))
        };
        if self.event_id.is_empty() {
            return wrong("event_id", "it is empty; name the event".into());
        }
        if self.unit_id.is_empty() {
            return wrong("unit_id", "it is empty; name the visitor, person or account".into());
        }
        let Some(name) = &self.metric else {
            return match self.value_minor {
                None => Ok(()),
                Some(_) => wrong("metric", "a value without a metric; name the metric".into()),
            };
        };
        let Some(metric) = spec.metrics().find(|metric| metric.name == *name) else {
            let known: Vec<&str> = spec.metrics().map(|metric| metric.name.as_str()).collect();
            return wrong(
                "metric",
                format!("{name:?} is none of the experiment's metrics: {}", known.join(", ")),
            );
        };
        match (metric.kind, self.value_minor) {
            (MetricKind::Binary, None) => Ok(()),
            (MetricKind::Binary, Some(_)) => wrong("value_minor", format!("{name} is binary; leave it out")),
            (MetricKind::Value, None) => wrong("value_minor", format!("it is missing; {name} has values")),
            (MetricKind::Value, Some(value)) if value.unsigned_abs() > LARGEST.unsigned_abs() => {
                wrong("value_minor", format!("{value} is above {LARGEST}; check its unit"))
            }
            (MetricKind::Value, Some(_)) => Ok(()),
        }
    }
}

/// What is stored of some of the units, by the hash of their ids: no id is stored itself. Events fold in any order into the same bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// The units by the hash of their ids.
    units: BTreeMap<String, Unit>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Unit {
    /// Where it lies, of a million.
    bucket: u32,
    /// The hashes of the events that are in it.
    events: BTreeSet<String>,
    /// The sum of values, or the number of events, by metric.
    metrics: BTreeMap<String, i64>,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardOutcome {
    /// It is new.
    Recorded,
    /// It was there.
    Duplicate,
}

impl Shard {
    /// The key of the document that a unit is stored in, before or after the promotion.
    pub fn name(spec: &ExperimentSpec, after_promotion: bool, unit_id: &str) -> String {
        let shards = u64::from((spec.planned_units / 200).clamp(1, 4096));
        format!(
            "{}{:04}",
            Self::prefix(after_promotion),
            hash(spec.key(), &format!("shard\n{unit_id}")) % shards
        )
    }

    /// What the keys of these documents begin with.
    pub fn prefix(after_promotion: bool) -> &'static str {
        if after_promotion { "promoted/" } else { "running/" }
    }

    /// Whether an event of a unit is there.
    pub fn has(&self, spec: &ExperimentSpec, event: &ExperimentEvent) -> bool {
        let (unit, id) = (hashed(spec, "unit", &event.unit_id), hashed(spec, "event", &event.event_id));
        self.units.get(&unit).is_some_and(|unit| unit.events.contains(&id))
    }

    /// Adds an event, once.
    ///
    /// # Errors
    /// `invalid_input` when a unit's values would sum to more than can be held exactly.
    pub fn add(&mut self, spec: &ExperimentSpec, event: &ExperimentEvent) -> Result<ShardOutcome> {
        let unit = self.units.entry(hashed(spec, "unit", &event.unit_id)).or_default();
        let id = hashed(spec, "event", &event.event_id);
        if unit.events.contains(&id) {
            return Ok(ShardOutcome::Duplicate);
        }
        if let Some(name) = &event.metric {
            let sum =
                unit.metrics.get(name).copied().unwrap_or(0).saturating_add(event.value_minor.unwrap_or(1));
            if sum.unsigned_abs() > LARGEST.unsigned_abs() {
                return Err(Error::invalid(
                    "experiments.record",
                    format!(
                        "value_minor: the values of one unit sum to {sum}, above {LARGEST}; check their unit"
                    ),
                ));
            }
            unit.metrics.insert(name.clone(), sum);
        }
        unit.bucket = super::assign::bucket(spec.key(), &event.unit_id);
        unit.events.insert(id);
        Ok(ShardOutcome::Recorded)
    }
}

/// What is stored in place of an id.
fn hashed(spec: &ExperimentSpec, what: &str, id: &str) -> String {
    format!("{:016x}", hash(spec.key(), &format!("{what}\n{id}")))
}

/// What the units of each arm did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tallies {
    pub(super) arms: BTreeMap<String, Tally>,
}

/// What the units of one arm did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) units: u64,
    pub(super) metrics: BTreeMap<String, Sums>,
}

/// A metric of one arm, exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    /// The units that have it.
    pub(super) having: u64,
    pub(super) sum: i128,
    pub(super) squares: u128,
}

impl Tallies {
    /// What is known of arms from elsewhere: of each metric of an arm the arm's units, those that have the metric, the sum of its values
    /// and the sum of their squares.
    pub fn of<'a>(rows: impl IntoIterator<Item = (&'a str, u64, &'a str, u64, i128, u128)>) -> Self {
        let mut tallies = Self::default();
        for (arm_id, units, metric, having, sum, squares) in rows {
            let tally = tallies.arms.entry(arm_id.to_owned()).or_default();
            tally.units = units;
            tally.metrics.insert(metric.to_owned(), Sums { having, sum, squares });
        }
        tallies
    }

    /// Counts the units of a shard under the arms that they were assigned to.
    pub fn count(&mut self, state: &ExperimentState, shard: &Shard) {
        for unit in shard.units.values() {
            let Some(arm_id) = state.counted_under(unit.bucket) else { continue };
            let tally = self.arms.entry(arm_id.to_owned()).or_default();
            tally.units += 1;
            for (name, sum) in &unit.metrics {
                tally.metrics.entry(name.clone()).or_default().add(*sum);
            }
        }
    }
}

impl Sums {
    pub(super) fn add(&mut self, value: i64) {
        self.having += u64::from(value != 0);
        self.sum += i128::from(value);
        self.squares += u128::from(value.unsigned_abs()) * u128::from(value.unsigned_abs());
    }
}
