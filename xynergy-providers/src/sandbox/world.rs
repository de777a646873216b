//! The state of the sandbox: the fold of its log over the ads file. Nothing else changes it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use xynergy_core::{Minor, Timestamp};

use super::ads_file::{AdsFile, BudgetLevel};
use super::fault::FaultRule;
use super::record::{
    Actor, BudgetBlock, EffectLine, Entry, Field, FieldChange, FieldValue, LateEvent, ObjectKind, ObjectLine,
    ObjectWrite, Record, ReportLine, RequestLine, ScheduledLine, Surface,
};

/// The window in which an ad set's budget changes are counted, and the time for which it is blocked after too many.
pub(super) const BUDGET_WINDOW: Duration = Duration::from_secs(3600);

/// What the state begins with, and begins anew with after a reset.
#[derive(Debug)]
pub(super) struct Seed {
    pub(super) ads: AdsFile,
    pub(super) rules: Vec<FaultRule>,
    /// How many changes of an ad set's daily budget apps may make in an hour.
    pub(super) budget_changes_per_hour: usize,
    /// How many Graph calls the account takes in an hour.
    pub(super) calls_per_hour: Option<usize>,
}

/// A campaign, ad set, ad, creative or video.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Object {
    pub(super) kind: ObjectKind,
    pub(super) name: String,
    pub(super) status: String,
    /// The daily budget, where this object owns one.
    pub(super) daily_budget: Option<Minor>,
    /// The budget for its whole life, where it has one.
    pub(super) lifetime_budget: Option<Minor>,
    /// The bid, where one is set.
    pub(super) bid_amount: Option<Minor>,
    /// How far the platform has learned whom to show it to.
    pub(super) learning: Option<String>,
    /// Every other field that was set.
    pub(super) fields: Map<String, Value>,
    pub(super) campaign_id: String,
    /// The ad set of an ad; empty for others.
    pub(super) adset_id: String,
    pub(super) updated: Option<Timestamp>,
}

/// A fault rule with how often it counted and fired.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RuleState {
    pub(super) rule: FaultRule,
    pub(super) counted: u64,
    pub(super) fired: u64,
}

/// An effect in the account's activity log.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Activity {
    pub(super) seq: u64,
    pub(super) at: Timestamp,
    pub(super) effect: EffectLine,
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) seed: Arc<Seed>,
    pub(super) objects: BTreeMap<String, Object>,
    pub(super) activities: Vec<Activity>,
    /// The times of the budget changes by apps in the last hour, by ad set.
    pub(super) budget_changes: BTreeMap<String, Vec<Timestamp>>,
    pub(super) blocked_until: BTreeMap<String, Timestamp>,
    /// Effects that have not landed, by the number of the line that announced them.
    pub(super) late: BTreeMap<u64, ScheduledLine>,
    pub(super) rules: Vec<RuleState>,
    /// Reports that were ordered, with how often each was asked for.
    pub(super) reports: BTreeMap<String, (ReportLine, u64)>,
    /// The times of the Graph calls of the last hour.
    pub(super) graph_calls: VecDeque<Timestamp>,
    pub(super) requests: u64,
    pub(super) seq: u64,
    pub(super) last_at: Timestamp,
}

impl World {
    pub(super) fn new(seed: Arc<Seed>) -> Self {
        let mut world = Self {
            objects: objects(&seed.ads),
            activities: Vec::new(),
            budget_changes: BTreeMap::new(),
            blocked_until: BTreeMap::new(),
            late: BTreeMap::new(),
            rules: Vec::new(),
            reports: BTreeMap::new(),
            graph_calls: VecDeque::new(),
            requests: 0,
            seq: 0,
            last_at: Timestamp::from_micros(i64::MIN),
            seed,
        };
        world.set_rules(&world.seed.rules.clone());
        world
    }

    /// Takes in the next line. An error says why the line cannot follow those before it.
    pub(super) fn apply(&mut self, record: &Record) -> Result<(), String> {
        if record.seq != self.seq + 1 {
            return Err(format!("seq is {} where {} follows", record.seq, self.seq + 1));
        }
        if record.at < self.last_at {
            return Err(format!("at {} is before the line above", record.at));
        }
        match &record.entry {
            Entry::Effect(line) => self.effect(record, line)?,
            Entry::Request(line) => self.request(record.at, line),
            Entry::Scheduled(line) => self.scheduled(record.seq, line),
            Entry::Fault(line) => {
                if let Some(state) = line.rule.checked_sub(1).and_then(|i| self.rules.get_mut(i)) {
                    state.fired += 1;
                }
            }
            Entry::Control(line) => {
                if line.reset {
                    *self = Self { seq: self.seq, last_at: self.last_at, ..Self::new(self.seed.clone()) };
                }
                if let Some(rules) = &line.rules {
                    self.set_rules(rules);
                }
            }
            Entry::Object(line) => self.object(record.at, line)?,
            Entry::Report(line) => {
                self.reports.insert(line.report_run_id.clone(), (line.clone(), 0));
            }
            Entry::Edit(_) => {}
        }
        self.seq = record.seq;
        self.last_at = record.at;
        Ok(())
    }

    fn set_rules(&mut self, rules: &[FaultRule]) {
        self.rules =
            rules.iter().map(|rule| RuleState { rule: rule.clone(), counted: 0, fired: 0 }).collect();
    }

    fn effect(&mut self, record: &Record, line: &EffectLine) -> Result<(), String> {
        let FieldChange { object_id, field, before, after, .. } = &line.change;
        let object =
            self.objects.get_mut(object_id).ok_or_else(|| format!("the ads file has no {object_id}"))?;
        let now = match field {
            Field::BidAmount => Some(FieldValue::Minor(object.bid_amount.unwrap_or(0))),
            Field::DailyBudget => object.daily_budget.map(FieldValue::Minor),
            Field::Learning => object.learning.clone().map(FieldValue::Text),
            Field::Status => Some(FieldValue::Text(object.status.clone())),
        };
        if now.as_ref() != Some(before) {
            return Err(format!(
                "{object_id} was {before:?} before, but the lines above leave it at {now:?}"
            ));
        }
        match (field, after) {
            (Field::BidAmount, FieldValue::Minor(value)) => object.bid_amount = Some(*value),
            (Field::DailyBudget, FieldValue::Minor(value)) => object.daily_budget = Some(*value),
            (Field::Learning, FieldValue::Text(learning)) => object.learning = Some(learning.clone()),
            (Field::Status, FieldValue::Text(status)) => object.status.clone_from(status),
            _ => return Err(format!("{after:?} is no value of {field:?}")),
        }
        object.updated = Some(record.at);
        let counts = object.kind == ObjectKind::Adset && *field == Field::DailyBudget;
        if counts && line.actor == Actor::App {
            let times = self.budget_changes.entry(object_id.clone()).or_default();
            times.retain(|t| in_window(*t, record.at));
            times.push(record.at);
        }
        if let Some(pending) = line.late.and_then(|late| self.late.get_mut(&late)) {
            // A crash between an effect and its `landed` line must not land it again.
            match field {
                Field::BidAmount => pending.write.bid_amount = None,
                Field::DailyBudget => pending.write.daily_budget = None,
                Field::Learning => {}
                Field::Status => pending.write.status = None,
            }
        }
        if *field != Field::Learning {
            self.activities.push(Activity { seq: record.seq, at: record.at, effect: line.clone() });
        }
        Ok(())
    }

    fn object(&mut self, at: Timestamp, line: &ObjectLine) -> Result<(), String> {
        let ObjectLine { object_id, object: write, .. } = line;
        if line.created {
            if self.objects.contains_key(object_id) {
                return Err(format!("{object_id} is there already"));
            }
            self.objects.insert(object_id.clone(), Object::created(write, at));
        } else {
            let object = self.objects.get_mut(object_id).ok_or_else(|| format!("there is no {object_id}"))?;
            if let Some(name) = &write.name {
                object.name.clone_from(name);
            }
            object.fields.extend(write.fields.clone());
            object.updated = Some(at);
        }
        if let Some(pending) = line.late.and_then(|late| self.late.get_mut(&late)) {
            pending.object = None;
        }
        Ok(())
    }

    fn request(&mut self, at: Timestamp, line: &RequestLine) {
        self.requests += 1;
        for state in &mut self.rules {
            state.counted += u64::from(state.rule.counts(&line.method, &line.path));
        }
        if line.surface == Surface::Graph {
            while self.graph_calls.front().is_some_and(|t| !in_window(*t, at)) {
                self.graph_calls.pop_front();
            }
            self.graph_calls.push_back(at);
            let last = line.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            if let Some((_, asked)) = self.reports.get_mut(last) {
                *asked += 1;
            }
        }
        self.block(line.budget_blocked.as_ref());
    }

    fn scheduled(&mut self, seq: u64, line: &ScheduledLine) {
        match line.event {
            LateEvent::Announced => {
                self.late.insert(seq, line.clone());
            }
            LateEvent::Landed => {
                self.late.remove(&line.late);
            }
        }
        self.block(line.budget_blocked.as_ref());
    }

    fn block(&mut self, block: Option<&BudgetBlock>) {
        if let Some(BudgetBlock { object_id, until }) = block {
            self.blocked_until.insert(object_id.clone(), *until);
        }
    }

    /// When the next late effect lands.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.late.values().map(|line| line.due).min()
    }

    /// The late effect that lands next, if it has by `now`.
    pub(super) fn landing(&self, now: Timestamp) -> Option<&ScheduledLine> {
        self.late
            .iter()
            .filter(|(_, line)| line.due <= now)
            .min_by_key(|(seq, line)| (line.due, **seq))
            .map(|(_, line)| line)
    }

    /// The objects of a kind under a parent, in the order of their ids.
    pub(super) fn children<'a>(
        &'a self,
        kind: ObjectKind,
        parent: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a String, &'a Object)> {
        self.objects.iter().filter(move |(_, object)| {
            object.kind == kind && parent.is_none_or(|id| object.campaign_id == id || object.adset_id == id)
        })
    }
}

impl Object {
    fn new(kind: ObjectKind, name: String, status: String) -> Self {
        Self {
            kind,
            name,
            status,
            daily_budget: None,
            lifetime_budget: None,
            bid_amount: None,
            learning: None,
            fields: Map::new(),
            campaign_id: String::new(),
            adset_id: String::new(),
            updated: None,
        }
    }

    /// What a create makes.
    fn created(write: &ObjectWrite, at: Timestamp) -> Self {
        let mut fields = write.fields.clone();
        let mut amount = |name: &str| fields.remove(name).and_then(|value| value.as_i64());
        let amounts = (amount("daily_budget"), amount("lifetime_budget"), amount("bid_amount"));
        let mut id = |name: &str| match fields.remove(name) {
            Some(Value::String(id)) => id,
            _ => String::new(),
        };
        let (campaign_id, adset_id) = (id("campaign_id"), id("adset_id"));
        let status = write.status.clone().unwrap_or_else(|| "ACTIVE".to_owned());
        Self {
            daily_budget: amounts.0,
            lifetime_budget: amounts.1,
            bid_amount: amounts.2,
            learning: (write.object_type == ObjectKind::Adset).then(|| "LEARNING".to_owned()),
            fields,
            campaign_id,
            adset_id,
            updated: Some(at),
            ..Self::new(write.object_type, write.name.clone().unwrap_or_default(), status)
        }
    }
}

/// Whether an event counts in the hour that ends now; one that is an hour old does not.
pub(super) fn in_window(event: Timestamp, now: Timestamp) -> bool {
    now.since(event) < BUDGET_WINDOW
}

fn objects(ads: &AdsFile) -> BTreeMap<String, Object> {
    let mut objects: BTreeMap<String, Object> = BTreeMap::new();
    for ad in &ads.ads {
        let parent = |kind, id: &str, level| {
            let own = ad.budget_level == level;
            let name = match kind {
                ObjectKind::Campaign => format!("Campaign {id}"),
                _ => format!("Ad set {id}"),
            };
            let lifetime_budget = ad.amount("lifetime_budget_minor").filter(|_| own);
            let mut object = Object {
                daily_budget: Some(ad.daily_budget_minor).filter(|_| own && lifetime_budget.is_none()),
                lifetime_budget,
                ..Object::new(kind, name, "PAUSED".to_owned())
            };
            if kind == ObjectKind::Adset {
                object.campaign_id.clone_from(&ad.campaign_id);
                object.bid_amount = ad.amount("bid_minor");
                let learning = ad.other.get("learning").and_then(Value::as_bool).unwrap_or_default();
                object.learning = Some(if learning { "LEARNING" } else { "SUCCESS" }.to_owned());
            }
            object
        };
        for (kind, id, level) in [
            (ObjectKind::Campaign, &ad.campaign_id, BudgetLevel::Campaign),
            (ObjectKind::Adset, &ad.adset_id, BudgetLevel::Adset),
        ] {
            let owner = objects.entry(id.clone()).or_insert_with(|| parent(kind, id, level));
            if ad.status == "ACTIVE" {
                owner.status.clone_from(&ad.status);
            }
        }
        objects.entry(ad.ad_id.clone()).or_insert_with(|| Object {
            campaign_id: ad.campaign_id.clone(),
            adset_id: ad.adset_id.clone(),
            ..Object::new(ObjectKind::Ad, ad.name.clone(), ad.status.clone())
        });
    }
    objects
}
