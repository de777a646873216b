//! What happened to deals, without what it is worth.

use std::collections::BTreeMap;

use xynergy_core::Timestamp;
use xynergy_core::crm::{CrmChange, CrmEvent};
use xynergy_core::store::{DealFacts, EntryCause};

/// Deals as they stand after some of their events.
#[derive(Debug, Default)]
pub(super) struct Deals<'a> {
    deals: BTreeMap<&'a str, DealState<'a>>,
    facts: BTreeMap<&'a str, &'a DealFacts>,
}

/// What the events said of one deal itself.
#[derive(Debug, Default)]
struct DealState<'a> {
    stage: Option<&'a str>,
    /// When it came into that stage.
    entered_at: Timestamp,
    pipeline: Option<&'a str>,
    /// Told by an event, be it that there is none.
    amount: Option<Option<&'a str>>,
    currency: Option<Option<&'a str>>,
    deleted: bool,
    refunds: Vec<Refund<'a>>,
    /// Who it was merged into, if anybody.
    into: Option<&'a str>,
    /// Who was merged into it, in that order, with all that these had taken up before.
    taken: Vec<&'a str>,
}

/// Money that went back. As an event tells it, a currency of `None` is the deal's; in a [`View`], it is the base.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refund<'a> {
    pub(super) amount: &'a str,
    pub(super) currency: Option<&'a str>,
    pub(super) at: Timestamp,
}

/// A deal with all that it took up, also when it is gone by now: what it says itself counts first, then what was merged into it, then the CRM's word.
#[derive(Clone, Debug, Default)]
pub(super) struct View<'a> {
    pub(super) stage: Option<&'a str>,
    pub(super) entered_at: Timestamp,
    pub(super) pipeline: Option<&'a str>,
    pub(super) amount: Option<&'a str>,
    pub(super) currency: Option<&'a str>,
    pub(super) deleted: bool,
    pub(super) refunds: Vec<Refund<'a>>,
    /// The deal that has taken it up, at the end of the chain.
    pub(super) merged_into: Option<&'a str>,
}

impl<'a> Deals<'a> {
    /// Deals of which the CRM said these facts.
    pub(super) fn with_facts(facts: &'a BTreeMap<String, DealFacts>) -> Self {
        Self { deals: BTreeMap::new(), facts: facts.iter().map(|(id, facts)| (id.as_str(), facts)).collect() }
    }

    /// Every deal that an event concerned.
    pub(super) fn ids(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.deals.keys().copied()
    }

    /// Takes in an event, and returns what it was and the deals that it may have changed.
    ///
    /// A merge takes up the others with all that they took up before. Who was merged away is gone: a later merge into it goes
    /// to the deal that has taken it up, and one that would close a circle changes nothing.
    pub(super) fn apply(&mut self, event: &'a CrmEvent) -> Option<(EntryCause, Vec<&'a str>)> {
        let (about, others) = event.deals.split_first()?;
        for id in &event.deals {
            self.deals.entry(id).or_default();
        }
        let deal = self.deals.entry(about).or_default();
        let cause = match event.change.as_ref()? {
            CrmChange::Stage { stage } => {
                if deal.stage != Some(stage) {
                    deal.entered_at = event.occurred_at;
                }
                deal.stage = Some(stage);
                EntryCause::Stage
            }
            CrmChange::Pipeline { pipeline } => {
                deal.pipeline = Some(pipeline);
                EntryCause::Pipeline
            }
            CrmChange::Amount { amount } => {
                deal.amount = Some(amount.as_deref());
                EntryCause::Amount
            }
            CrmChange::Currency { currency } => {
                deal.currency = Some(currency.as_deref());
                EntryCause::Currency
            }
            CrmChange::Created => EntryCause::Created,
            CrmChange::Deleted => {
                deal.deleted = true;
                EntryCause::Deleted
            }
            CrmChange::Restored => {
                deal.deleted = false;
                EntryCause::Restored
            }
            CrmChange::Refund { amount, currency } => {
                deal.refunds.push(Refund { amount, currency: currency.as_deref(), at: event.occurred_at });
                EntryCause::Refund
            }
            CrmChange::Merged => return Some((EntryCause::Merged, self.merge(about, others))),
            CrmChange::Forgotten { .. } => return None,
        };
        let survivor = self.survivor(about);
        let changed = if survivor == about { vec![survivor] } else { vec![about.as_str(), survivor] };
        Some((cause, changed))
    }

    fn merge(&mut self, into: &'a str, others: &'a [String]) -> Vec<&'a str> {
        let into = self.survivor(into);
        let mut changed = Vec::new();
        for other in others {
            let away = self.survivor(other);
            if away == into {
                continue;
            }
            let Some(gone) = self.deals.get_mut(away) else { continue };
            gone.into = Some(into);
            let taken = gone.taken.clone();
            for id in &taken {
                if let Some(deal) = self.deals.get_mut(id) {
                    deal.into = Some(into);
                }
            }
            if let Some(deal) = self.deals.get_mut(into) {
                deal.taken.push(away);
                deal.taken.extend(taken);
            }
            changed.push(away);
        }
        changed.push(into);
        changed
    }

    /// The deal that has taken up this one, or itself.
    fn survivor(&self, id: &'a str) -> &'a str {
        self.deals.get(id).and_then(|deal| deal.into).unwrap_or(id)
    }

    /// A deal as it counts now.
    pub(super) fn view(&self, id: &'a str) -> View<'a> {
        let Some(deal) = self.deals.get(id) else { return View::default() };
        let with_facts = std::iter::once(id).chain(deal.taken.iter().copied());
        let all: Vec<(&DealState<'a>, Option<&&'a DealFacts>)> =
            with_facts.filter_map(|id| Some((self.deals.get(id)?, self.facts.get(id)))).collect();
        let in_stage = all.iter().find(|(deal, _)| deal.stage.is_some());
        // An amount and its currency belong together: both of one deal.
        let money = |deal: &DealState<'a>, facts: Option<&&'a DealFacts>| {
            let amount = deal.amount.unwrap_or_else(|| facts.and_then(|facts| facts.amount.as_deref()));
            let currency = deal.currency.unwrap_or_else(|| facts.and_then(|facts| facts.currency.as_deref()));
            (amount, currency)
        };
        let moneys = all.iter().map(|(deal, facts)| money(deal, *facts));
        let (amount, currency) = moneys
            .clone()
            .find(|(amount, _)| amount.is_some())
            .unwrap_or_else(|| moneys.clone().next().unwrap_or_default());
        let refunds = all.iter().flat_map(|(deal, facts)| {
            let (own_amount, own_currency) = money(deal, *facts);
            // What went back of a deal that was merged since went back in the money of that deal.
            let of_deal =
                if own_amount.is_some() || own_currency.is_some() { own_currency } else { currency };
            deal.refunds.iter().map(move |refund| Refund { currency: refund.currency.or(of_deal), ..*refund })
        });
        let refunds = refunds.collect();
        View {
            stage: in_stage.and_then(|(deal, _)| deal.stage),
            entered_at: in_stage.map_or(Timestamp::from_micros(0), |(deal, _)| deal.entered_at),
            pipeline: in_stage.and_then(|(deal, facts)| {
                deal.pipeline.or_else(|| facts.and_then(|facts| facts.pipeline.as_deref()))
            }),
            amount,
            currency,
            deleted: deal.deleted,
            refunds,
            merged_into: deal.into,
        }
    }
}
