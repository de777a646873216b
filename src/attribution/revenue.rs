//! What deals are worth: booked by their events, valued anew, and set beside what the ads cost.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use xynergy_attribution::matching::{self, KnownAds};
use xynergy_attribution::revenue::{self, Book, Rules};
use xynergy_core::crm::{Contact, CrmEvent, Deal};
use xynergy_core::env::{Event, EventType};
use xynergy_core::store::{DealFacts, DealRevenue, Match, Revaluation, RevenueStore};
use xynergy_core::{Ctx, Error, ErrorKind, Result, Timestamp};

use super::{AdSpend, Attribution, Roas, RoasDimension, ShownValues, StageTable, StageWorth};

/// So many events are read from the store at once.
const PAGE: usize = 10_000;

/// The values that hold, and how much they have seen.
#[derive(Debug, Default)]
struct Learned {
    tables: Vec<StageTable>,
    seen: u64,
}

impl Learned {
    fn of(revaluations: &[Revaluation]) -> Result<Self> {
        let tables = revaluations.iter().map(|one| {
            serde_json::from_str(&one.stage_table).map_err(|e| {
                Error::new(ErrorKind::Corrupt, "attribution.revalue", "a stored revaluation cannot be read")
                    .with_source(e)
            })
        });
        Ok(Self { tables: tables.collect::<Result<_>>()?, seen: Revaluation::sum(revaluations) })
    }
}

impl Attribution<'_> {
    fn rules(&self) -> Rules {
        self.0.shared.config.attribution.rules()
    }

    async fn revenue(&self) -> Result<&dyn RevenueStore> {
        Ok(&*self.0.stores().await?.revenue)
    }

    /// Books one deal, and what it was merged with: what their events are worth, and the click behind it. `deal` is `None` when
    /// the CRM lacks it. False when another worker has booked more.
    ///
    /// A deal that waits for nothing but other values of the stages keeps its click: those of its time may be gone by now.
    pub(crate) async fn book(
        &self,
        ctx: &Ctx,
        id: &str,
        deal: Option<(&Deal, Vec<&Contact>)>,
        ads: &KnownAds,
    ) -> Result<bool> {
        let store = self.revenue().await?;
        // Before the events: values that come meanwhile find the deal pending.
        let learned = Learned::of(&store.revaluations(&ctx.tenant).await?)?;
        let group = self.group(ctx, id).await?;
        let others = group.by_deal.len() > 1;
        let mut stored: BTreeMap<String, DealRevenue> = BTreeMap::new();
        if others || learned.seen > 0 {
            let ids: Vec<String> = group.by_deal.keys().cloned().collect();
            let found = store.find_deals(&ctx.tenant, &ids).await?;
            stored.extend(found.into_iter().map(|deal| (deal.deal_id.clone(), deal)));
        }
        let seen_before = |id: &str| stored.get(id).map_or(0, |deal| deal.events_seen);
        let is_seen = |id: &str| group.by_deal.get(id).is_some_and(|events| *events == seen_before(id));
        let mut facts: BTreeMap<String, DealFacts> =
            stored.iter().map(|(id, deal)| (id.clone(), deal.facts.clone())).collect();
        if let Some((deal, _)) = &deal {
            facts.insert(id.to_owned(), revenue::facts(deal));
        }
        let rules = self.rules();
        let book = Book { rules: &rules, tables: &learned.tables, values_seen: learned.seen };
        let mut put = Vec::with_capacity(group.by_deal.len());
        let mut contacts = deal.as_ref().map(|(_, contacts)| contacts.clone());
        for (member, mut ledger) in revenue::fold(&group.events, &facts, book) {
            let known = stored.get(&member).map(|deal| deal.matched.clone());
            let matched = if member != id || is_seen(id) {
                // The others wait for their own turn, unless they were seen whole.
                ledger.events_seen = if is_seen(&member) { ledger.events_seen } else { seen_before(&member) };
                known.unwrap_or_else(|| no_match(ledger.first_at))
            } else if let Some(matched) =
                self.kept_credit(ctx, &member, group.by_deal[&member], known.as_ref()).await?
            {
                matched
            } else if ledger.stage.is_none() {
                no_match(ledger.first_at)
            } else {
                let anchor = revenue::anchor(deal.as_ref().map(|(deal, _)| *deal), &ledger);
                self.matched(ctx, &member, contacts.take().unwrap_or_default(), anchor, ads).await?
            };
            let facts = facts.get(&member).cloned().unwrap_or_default();
            put.push(ledger.into_deal(member, facts, matched));
        }
        let booked = store.put_deals(&ctx.tenant, &put).await?;
        if booked {
            let seen = group.by_deal.values().sum();
            let changed = put.iter().filter(|deal| {
                let before = stored.get(&deal.deal_id).map(|before| before.value_minor);
                deal.stage.is_some() && (deal.deal_id == id || before != Some(deal.value_minor))
            });
            changed.for_each(|deal| self.announce(ctx, deal, &group.events, seen));
        }
        Ok(booked)
    }

    /// The deals that hang together with one by merges, with the number of events of each.
    async fn group(&self, ctx: &Ctx, id: &str) -> Result<Group> {
        let store = self.revenue().await?;
        let mut group = Group::default();
        let (mut seen, mut open) = (BTreeSet::new(), vec![id.to_owned()]);
        while let Some(next) = open.pop() {
            if group.by_deal.contains_key(&next) {
                continue;
            }
            let events = store.events(&ctx.tenant, &next).await?;
            group.by_deal.insert(next, events.len() as u64);
            for event in events {
                open.extend(event.deals.iter().filter(|id| !group.by_deal.contains_key(*id)).cloned());
                if seen.insert(event.key) {
                    group.events.push(event);
                }
            }
        }
        Ok(group)
    }

    /// Learns the stages' values from the events up to `cut` and applies them from there on: every deal gets an entry of its own
    /// at the cut, with the next [`process`](crate::hubspot::Hubspot::process). The order of events and revaluations never
    /// matters: an event that arrives later and happened before the cut is learned from as if it had been there. The same cut
    /// again learns from the same events.
    ///
    /// Each stage's value is shrunk from the configured one, by 20 deals of that, to what the deals that were in it brought; from
    /// 200 closed deals on, open deals are also valued by their age.
    ///
    /// Cancel safety: it is stored or not.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a cut in the future: what happens up to it is not known.
    pub async fn revalue(&self, cut: Timestamp) -> Result<StageTable> {
        const OPERATION: &str = "attribution.revalue";
        let ctx = self.0.ctx();
        let now = ctx.env.clock.now();
        if cut > now {
            return Err(Error::invalid(
                OPERATION,
                format!("cut: {cut} is after now, {now}: give a time that has passed"),
            ));
        }
        let store = self.revenue().await?;
        let events = self.all_events(&ctx).await?;
        let before = store.revaluations(&ctx.tenant).await?;
        let (table, stored) = self.learned(&ctx, &events, cut, now).await?;
        let seen = revenue::seen_until(&events, cut);
        let is_known = before.iter().any(|one| one.cut == cut && one.events_seen == seen);
        if stored && !is_known {
            let payload = json!({"cut": cut, "stages": table.rows.len(), "closed_deals": table.closed_deals});
            // Once for a cut and the events that it saw, whoever asks again.
            let id = format!("evt_stages.revalued_{}_{}_{seen}", ctx.tenant, cut.micros());
            ctx.env.events.emit(Event::with_id(&ctx, EventType::STAGES_REVALUED, id, payload));
        }
        // Earlier cuts may have seen fewer events.
        for other in store.revaluations(&ctx.tenant).await?.iter().filter(|other| other.cut != cut) {
            if revenue::seen_until(&events, other.cut) != other.events_seen {
                self.learned(&ctx, &events, other.cut, other.recorded_at).await?;
            }
        }
        Ok(table)
    }

    /// Learns anew what late events have changed. For whoever books deals, before it does.
    pub(crate) async fn keep_values(&self, ctx: &Ctx) -> Result<()> {
        let store = self.revenue().await?;
        let mut late = Vec::new();
        for one in store.revaluations(&ctx.tenant).await? {
            if store.count_until(&ctx.tenant, one.cut).await? != one.events_seen {
                late.push(one);
            }
        }
        if late.is_empty() {
            return Ok(());
        }
        let events = self.all_events(ctx).await?;
        for one in late {
            self.learned(ctx, &events, one.cut, one.recorded_at).await?;
        }
        Ok(())
    }

    /// Learns from these events and stores it; false beside it when another has stored more.
    async fn learned(
        &self,
        ctx: &Ctx,
        events: &[CrmEvent],
        cut: Timestamp,
        recorded_at: Timestamp,
    ) -> Result<(StageTable, bool)> {
        let table = revenue::learn(events, &self.rules(), cut);
        let stage_table = serde_json::to_string(&table).map_err(|e| {
            Error::new(ErrorKind::Unexpected, "attribution.revalue", "the values cannot be stored")
                .with_source(e)
        })?;
        let revaluation =
            Revaluation { cut, recorded_at, events_seen: revenue::seen_until(events, cut), stage_table };
        let stored = self.revenue().await?.put_revaluation(&ctx.tenant, &revaluation).await?;
        Ok((table, stored))
    }

    /// What the stages would be worth if they were valued by the events up to `cut`, which is now when `None`: each with the
    /// configured value, the learned one, what it rests on, and from 200 closed deals on what became of deals by their age.
    /// Nothing is stored.
    pub async fn stage_values(&self, cut: Option<Timestamp>) -> Result<StageTable> {
        let ctx = self.0.ctx();
        let cut = cut.unwrap_or_else(|| ctx.env.clock.now());
        Ok(revenue::learn(&self.all_events(&ctx).await?, &self.rules(), cut))
    }

    /// The same for people: a table as text, and a picture (SVG) of the values by age.
    pub async fn show_values(&self, cut: Option<Timestamp>) -> Result<ShownValues> {
        let table = self.stage_values(cut).await?;
        Ok(revenue::show(&table, self.0.shared.config.attribution.currencies.base))
    }

    /// Every deal as it was known at `as_of`: by the events and revaluations that had been recorded by then. The click behind a
    /// deal is the one that is known now.
    pub async fn deals_as_of(&self, as_of: Timestamp) -> Result<Vec<DealRevenue>> {
        let ctx = self.0.ctx();
        let store = self.revenue().await?;
        let mut events = self.all_events(&ctx).await?;
        events.retain(|event| event.recorded_at <= as_of);
        let rules = self.rules();
        let revaluations = store.revaluations(&ctx.tenant).await?;
        let cuts = revaluations.iter().filter(|one| one.recorded_at <= as_of).map(|one| one.cut);
        let mut learned = Learned::default();
        for cut in cuts {
            learned.seen = learned.seen.saturating_add(revenue::seen_until(&events, cut)).saturating_add(1);
            learned.tables.push(revenue::learn(&events, &rules, cut));
        }
        let known = store.deals(&ctx.tenant).await?;
        let mut matches: BTreeMap<String, Match> = BTreeMap::new();
        let mut facts = BTreeMap::new();
        for deal in known {
            facts.insert(deal.deal_id.clone(), deal.facts);
            matches.insert(deal.deal_id, deal.matched);
        }
        let book = Book { rules: &rules, tables: &learned.tables, values_seen: learned.seen };
        let folded = revenue::fold(&events, &facts, book);
        let deals = folded.into_iter().filter(|(_, ledger)| ledger.stage.is_some()).map(|(id, ledger)| {
            let matched = matches.remove(&id).unwrap_or_else(|| no_match(ledger.first_at));
            let facts = facts.remove(&id).unwrap_or_default();
            ledger.into_deal(id, facts, matched)
        });
        Ok(deals.collect())
    }

    /// What the ads brought beside what they cost, by ad, ad set, campaign, keyword or content, with an interval: of the deals
    /// that converted from `since` on and before `until`. `spend` is what the caller knows of it, over the same time.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a spend below zero and for a time that ends before it begins.
    pub async fn roas(
        &self,
        by: RoasDimension,
        spend: &[AdSpend],
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Result<Roas> {
        revenue::roas(by, &self.deals().await?, spend, since, until)
    }

    /// What a deal in a stage is worth, and what a move to it changes, by the values that hold now. `amount` is in major units
    /// of `currency`, as decimal text.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for an amount that is no decimal number or has a currency without a rate.
    pub async fn synthetic_revenue(
        &self,
        stage_to: &str,
        stage_from: Option<&str>,
        pipeline: Option<&str>,
        amount: Option<&str>,
        currency: Option<&str>,
    ) -> Result<StageWorth> {
        let ctx = self.0.ctx();
        let learned = Learned::of(&self.revenue().await?.revaluations(&ctx.tenant).await?)?;
        let question = revenue::Question { stage_to, stage_from, pipeline, amount, currency };
        revenue::synthetic(&question, &self.rules(), learned.tables.last(), ctx.env.clock.now())
    }

    async fn all_events(&self, ctx: &Ctx) -> Result<Vec<CrmEvent>> {
        let store = self.revenue().await?;
        let mut events: Vec<CrmEvent> = Vec::new();
        loop {
            let after = events.last().map(|event| event.key);
            let page = store.events_after(&ctx.tenant, after, PAGE).await?;
            let last = page.len() < PAGE;
            // What is folded needs none of it.
            events.extend(page.into_iter().map(|event| CrmEvent { raw: String::new(), ..event }));
            if last {
                return Ok(events);
            }
        }
    }
}

/// Deals that hang together.
#[derive(Debug, Default)]
struct Group {
    by_deal: BTreeMap<String, u64>,
    events: Vec<CrmEvent>,
}

fn no_match(anchor: Timestamp) -> Match {
    matching::nothing(anchor)
}
