//! Campaigns, ad sets, ads, creatives and videos, and what ads did.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::account::Account;
use crate::ads::{
    AdInsight, AdObject, AdObjectKind, AdObjectPage, AdObjectQuery, AdObjectSpec, AdObjectUpdate, DayRange,
    DeliveryStatus, Owner, OwnerLevel, OwnerState, WriteClass, WriteFailure,
};
use crate::error::{Error, ErrorKind, Retry};

impl Account {
    pub(super) fn create(&mut self, spec: &AdObjectSpec, nonce: &str) -> AdObject {
        let id = (9_000_000_000_001_usize + self.objects.len()).to_string();
        let object = AdObject {
            kind: spec.kind,
            id: id.clone(),
            account_id: self.id.clone(),
            name: spec.tagged_name(nonce),
            status: spec.kind.is_delivered().then_some(DeliveryStatus::Paused),
            fields: spec.fields.clone(),
        };
        if let Some(level) = level(spec.kind) {
            let amount = |name: &str| spec.fields.get(name).and_then(Value::as_i64);
            let text = |name: &str| spec.fields.get(name).and_then(Value::as_str);
            let campaign = text("campaign_id").unwrap_or(&id).to_owned();
            let owner = Owner { level, id: id.clone() };
            self.add(owner.clone(), &campaign, (amount("daily_budget"), amount("lifetime_budget")));
            if let Some(state) = self.owners.get_mut(&owner) {
                state.name.clone_from(&object.name);
                state.status = DeliveryStatus::Paused;
                state.bid_minor = amount("bid_amount");
            }
        }
        self.objects.insert(id, object.clone());
        object
    }

    pub(super) fn created(&self, spec: &AdObjectSpec, nonce: &str) -> Option<AdObject> {
        let tag = AdObjectSpec::tag(nonce);
        self.objects.values().find(|o| o.kind == spec.kind && o.name.ends_with(&tag)).cloned()
    }

    pub(super) fn object(&self, kind: AdObjectKind, id: &str, fields: &[String]) -> Option<AdObject> {
        let mut object = self.whole(kind, id)?;
        object.fields.retain(|name, _| fields.contains(name));
        Some(object)
    }

    pub(super) fn page(&self, query: &AdObjectQuery, limit: u32) -> AdObjectPage {
        let mut ids: Vec<&String> = self.objects.keys().collect();
        ids.extend(self.owners.keys().map(|owner| &owner.id));
        ids.sort();
        ids.dedup();
        let after = query.after.as_deref().unwrap_or_default();
        let parent = |object: &AdObject| {
            let is =
                |name: &str| object.fields.get(name).and_then(Value::as_str) == query.parent_id.as_deref();
            query.parent_id.is_none() || is("campaign_id") || is("adset_id")
        };
        let found = ids.into_iter().filter(|id| id.as_str() > after);
        let mut found = found.filter_map(|id| self.whole(query.kind, id)).filter(parent).peekable();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let objects: Vec<AdObject> = found
            .by_ref()
            .take(limit)
            .map(|mut object| {
                object.fields.retain(|name, _| query.fields.contains(name));
                object
            })
            .collect();
        let next = found.peek().and_then(|_| objects.last().map(|object| object.id.clone()));
        AdObjectPage { objects, next }
    }

    pub(super) fn update(&mut self, update: &AdObjectUpdate) -> bool {
        let Some(mut object) = self.whole(update.kind, &update.id) else { return false };
        if let Some(name) = &update.name {
            object.name.clone_from(name);
        }
        object.fields.extend(update.fields.clone());
        if let Some(level) = level(update.kind) {
            let owner = Owner { level, id: update.id.clone() };
            if let Some(state) = self.owners.get_mut(&owner) {
                state.name.clone_from(&object.name);
            }
        }
        self.objects.insert(update.id.clone(), object);
        true
    }

    /// What each ad did on the days of a range together.
    pub(super) fn totals(&self, range: DayRange) -> Vec<AdInsight> {
        let mut totals: BTreeMap<String, AdInsight> = BTreeMap::new();
        for (day, _) in range.days() {
            for insight in self.days.get(&day).into_iter().flatten() {
                let total = totals.entry(insight.ad_id.clone()).or_insert_with(|| AdInsight {
                    impressions: 0,
                    clicks: 0,
                    spend_minor: 0,
                    ..insight.clone()
                });
                total.impressions = total.impressions.saturating_add(insight.impressions);
                total.clicks = total.clicks.saturating_add(insight.clicks);
                total.spend_minor = total.spend_minor.saturating_add(insight.spend_minor);
            }
        }
        totals.into_values().collect()
    }

    /// An object with everything that is known of it: what its owner's budget and status are now.
    fn whole(&self, kind: AdObjectKind, id: &str) -> Option<AdObject> {
        let state = level(kind).and_then(|level| self.owners.get(&Owner { level, id: id.to_owned() }));
        let object = self.objects.get(id).filter(|object| object.kind == kind).cloned();
        let Some(state) = state else { return object };
        let mut object = object.unwrap_or_else(|| AdObject {
            kind,
            id: id.to_owned(),
            account_id: self.id.clone(),
            name: state.name.clone(),
            status: None,
            fields: Map::new(),
        });
        object.status = Some(state.status);
        object.fields.extend(fields(kind, state));
        Some(object)
    }
}

fn level(kind: AdObjectKind) -> Option<OwnerLevel> {
    match kind {
        AdObjectKind::AdSet => Some(OwnerLevel::AdSet),
        AdObjectKind::Campaign => Some(OwnerLevel::Campaign),
        _ => None,
    }
}

fn fields(kind: AdObjectKind, state: &OwnerState) -> Map<String, Value> {
    let amounts = [
        ("bid_amount", state.bid_minor),
        ("daily_budget", state.daily_budget_minor),
        ("lifetime_budget", state.lifetime_budget_minor),
    ];
    let set = amounts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
    let campaign =
        (kind == AdObjectKind::AdSet).then(|| ("campaign_id".to_owned(), state.campaign_id.clone().into()));
    set.chain(campaign).collect()
}

pub(super) fn missing(operation: &'static str, kind: AdObjectKind, id: &str) -> Error {
    Error::new(ErrorKind::NotFound, operation, "there is no such object")
        .with_context("object", format!("{kind}:{id}"))
}

/// A write's failure as the error of a create.
pub(super) fn failed(operation: &'static str, failure: &WriteFailure) -> Error {
    let kind = match failure.class {
        WriteClass::Ambiguous => ErrorKind::Ambiguous,
        WriteClass::NotSent => ErrorKind::Unavailable,
        WriteClass::Rejected => ErrorKind::Rejected,
        WriteClass::Throttled => ErrorKind::Throttled,
        WriteClass::Unauthorized => ErrorKind::Unauthorized,
    };
    let error = Error::new(kind, operation, failure.message.clone());
    match failure.retry_after {
        Some(after) => error.with_retry(Retry::After(after)),
        None => error,
    }
}
