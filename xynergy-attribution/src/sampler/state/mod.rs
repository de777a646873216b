//! What the sampler remembers: a value that replicas can merge.

mod day;
mod event;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::{Error, ErrorKind, Minor, Result, Timestamp};

pub use day::Day;
pub use event::{AdObservation, DealFeedback, DealOutcome, SamplerEvent};

use super::millionths::Millionths;

/// Everything that the sampler learned of one tenant's ads.
///
/// A join-semilattice: every event is folded in by a maximum, so that events and replicas may come in any order, twice, and by
/// any way, and end in the same bytes of JSON. All numbers are integers; what is concluded from them is
/// [`learn`](super::learn)'s.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SamplerState {
    /// What is known of each ad, by its id.
    pub ads: BTreeMap<String, AdState>,
}

/// What is known of one ad.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdState {
    /// The first day that is remembered; what is older is forgotten, and not taken in again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Day>,
    /// Its figures by day.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub days: BTreeMap<Day, DayFigures>,
    /// Its deals, by the deal's id or else the event's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub deals: BTreeMap<String, DealRecord>,
}

/// The figures of one ad and day. The order of the fields is the order of the join: the latest reading is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DayFigures {
    /// When they were read.
    pub observed_at: Timestamp,
    /// How often the ad was shown.
    pub impressions: i64,
    /// How often it was clicked.
    pub clicks: i64,
    /// What was spent, in minor units.
    pub spend_minor: Minor,
}

/// The latest that is known of one deal. The order of the fields is the order of the join.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DealRecord {
    /// When it became so.
    pub occurred_at: Timestamp,
    /// The event that said it.
    pub event_id: String,
    /// Where the deal stands.
    pub outcome: DealOutcome,
    /// What it is worth, in minor units.
    pub value_minor: Minor,
    /// The part of it that the ad gets.
    pub credit: Millionths,
    /// When the ad was clicked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clicked_at: Option<Timestamp>,
    /// What was spent for it, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spend_minor: Option<Minor>,
}

impl SamplerState {
    /// The fold of an event log, whatever its order and repetitions.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for an event that contradicts itself.
    pub fn replay<'a>(events: impl IntoIterator<Item = &'a SamplerEvent>) -> Result<Self> {
        let mut state = Self::default();
        for event in events {
            state.apply(event)?;
        }
        Ok(state)
    }

    /// Folds one event in, and says whether it changed anything.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the field; nothing has changed then.
    pub fn apply(&mut self, event: &SamplerEvent) -> Result<bool> {
        event.validate()?;
        Ok(match event {
            SamplerEvent::Observation(observation) => self.ad(&observation.ad_id).observe(observation),
            SamplerEvent::Feedback(feedback) => self.ad(&feedback.ad_id).feedback(feedback),
        })
    }

    /// Takes the figures of one ad and day, and says whether they changed anything.
    ///
    /// # Errors
    /// Those of [`apply`](Self::apply).
    pub fn observe(&mut self, observation: &AdObservation) -> Result<bool> {
        observation.validate()?;
        Ok(self.ad(&observation.ad_id).observe(observation))
    }

    /// Takes what became of a deal of an ad that was observed before, and says whether it changed anything.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the field; [`NotFound`](ErrorKind::NotFound) for an ad that was never
    /// observed; [`Conflict`](ErrorKind::Conflict) when the latest event of the deal has this id and says something else. Nothing
    /// has changed then.
    pub fn feedback(&mut self, feedback: &DealFeedback) -> Result<bool> {
        feedback.validate()?;
        let Some(ad) = self.ads.get_mut(feedback.ad_id.as_str()) else {
            return Err(unknown_ad(&feedback.ad_id));
        };
        ad.refuse_conflict(feedback)?;
        Ok(ad.feedback(feedback))
    }

    /// Takes in what another replica knows. Commutative, associative and idempotent.
    pub fn merge(&mut self, other: &Self) {
        for (ad_id, theirs) in &other.ads {
            match self.ads.get_mut(ad_id) {
                Some(ours) => ours.merge(theirs),
                None => {
                    self.ads.insert(ad_id.clone(), theirs.clone());
                }
            }
        }
    }

    /// Forgets everything before a day, for good: what is so old that the discount makes it weightless. Of a deal its latest event
    /// decides. It commutes with [`merge`](Self::merge) and [`apply`](Self::apply).
    pub fn forget_before(&mut self, day: Day) {
        self.ads.values_mut().for_each(|ad| ad.forget_before(day));
    }

    /// Checks what came from outside, such as a replica's JSON.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the ad and the field.
    pub fn validate(&self) -> Result<()> {
        self.ads.iter().try_for_each(|(ad_id, ad)| ad.validate(ad_id))
    }

    fn ad(&mut self, ad_id: &str) -> &mut AdState {
        self.ads.entry(ad_id.to_owned()).or_default()
    }
}

/// The error for an ad that was never observed.
pub fn unknown_ad(ad_id: &str) -> Error {
    Error::new(
        ErrorKind::NotFound,
        "allocation.feedback",
        format!(
            "ad_id: {ad_id} was never observed; call allocation.observe first, or allocation.learn, which takes any order"
        ),
    )
}

impl AdState {
    /// Folds figures in, valid ones, and says whether they changed anything.
    pub fn observe(&mut self, observation: &AdObservation) -> bool {
        if self.since.is_some_and(|since| observation.day < since) {
            return false;
        }
        let figures = DayFigures {
            observed_at: observation.observed_at.unwrap_or_default(),
            impressions: observation.impressions,
            clicks: observation.clicks,
            spend_minor: observation.spend_minor,
        };
        join(self.days.entry(observation.day), figures)
    }

    /// Folds an event of a deal in, a valid one, and says whether it changed anything.
    pub fn feedback(&mut self, feedback: &DealFeedback) -> bool {
        if self.since.is_some_and(|since| Day::of(feedback.occurred_at) < since) {
            return false;
        }
        let key = feedback.deal_id.as_ref().unwrap_or(&feedback.event_id);
        join(self.deals.entry(key.clone()), DealRecord::of(feedback))
    }

    /// # Errors
    /// [`Conflict`](ErrorKind::Conflict) when the latest event of the deal has this id and says something else.
    pub fn refuse_conflict(&self, feedback: &DealFeedback) -> Result<()> {
        let key = feedback.deal_id.as_ref().unwrap_or(&feedback.event_id);
        match self.deals.get(key) {
            Some(known) if known.event_id == feedback.event_id && *known != DealRecord::of(feedback) => {
                Err(Error::new(
                    ErrorKind::Conflict,
                    "allocation.feedback",
                    format!(
                        "event_id: {} was given before and said something else; give a correction an id of its own and the deal's deal_id",
                        feedback.event_id
                    ),
                ))
            }
            _ => Ok(()),
        }
    }

    /// Takes in what another replica knows of the ad.
    pub fn merge(&mut self, other: &Self) {
        self.since = self.since.max(other.since);
        for (day, figures) in &other.days {
            join(self.days.entry(*day), *figures);
        }
        for (key, deal) in &other.deals {
            join(self.deals.entry(key.clone()), deal.clone());
        }
        self.keep_since();
    }

    /// Forgets everything before a day.
    pub fn forget_before(&mut self, day: Day) {
        self.since = self.since.max(Some(day));
        self.keep_since();
    }

    /// Whether something is older than a day.
    pub fn has_before(&self, day: Day) -> bool {
        self.days.keys().next().is_some_and(|first| *first < day)
            || self.deals.values().any(|deal| Day::of(deal.occurred_at) < day)
    }

    fn keep_since(&mut self) {
        if let Some(since) = self.since {
            self.days = self.days.split_off(&since);
            self.deals.retain(|_, deal| Day::of(deal.occurred_at) >= since);
        }
    }

    fn validate(&self, ad_id: &str) -> Result<()> {
        for (day, figures) in &self.days {
            let DayFigures { observed_at, impressions, clicks, spend_minor } = *figures;
            let (ad_id, observed_at) = (ad_id.to_owned(), Some(observed_at));
            AdObservation { ad_id, day: *day, impressions, clicks, spend_minor, observed_at }.validate()?;
        }
        for (key, deal) in &self.deals {
            let deal = deal.clone();
            DealFeedback {
                event_id: deal.event_id,
                ad_id: ad_id.to_owned(),
                pipeline_value_minor: deal.value_minor,
                occurred_at: deal.occurred_at,
                outcome: deal.outcome,
                credit: deal.credit,
                deal_id: Some(key.clone()),
                clicked_at: deal.clicked_at,
                spend_minor: deal.spend_minor,
            }
            .validate()?;
        }
        Ok(())
    }
}

impl DealRecord {
    fn of(feedback: &DealFeedback) -> Self {
        Self {
            occurred_at: feedback.occurred_at,
            event_id: feedback.event_id.clone(),
            outcome: feedback.outcome,
            value_minor: feedback.pipeline_value_minor,
            credit: feedback.credit,
            clicked_at: feedback.clicked_at,
            spend_minor: feedback.spend_minor,
        }
    }
}

/// Keeps the greater of what is there and what comes; says whether that is new.
fn join<K: Ord, V: Ord>(entry: Entry<'_, K, V>, value: V) -> bool {
    match entry {
        Entry::Vacant(place) => {
            place.insert(value);
            true
        }
        Entry::Occupied(mut place) => {
            let newer = value > *place.get();
            if newer {
                place.insert(value);
            }
            newer
        }
    }
}
