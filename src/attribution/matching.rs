//! Matching deals to clicks: by the tenant's rules, with a receipt, and with a probability once a model was trained.

use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_attribution::matching::{
    self, COMPARED_CLICKS, Collection, Evidence, KnownAds, LEAST_MASKED, Model, Rules, Signals, Versioned,
    Weighing,
};
use xynergy_core::store::{Around, Candidate, KeyedHash, Layer, Match};
use xynergy_core::{Ctx, Error, ErrorKind, Result, Timestamp};

pub use xynergy_attribution::matching::{ChannelWindows, ChooseBy, Gain, Trained, Windows};

use super::Attribution;

/// What conversions told of their devices, by deal.
const SIGNALS: &str = "conversion_signals";

/// Models by their version, and the version of the one that is used.
const MODELS: &str = "matching_models";
const CURRENT: &str = "current";

/// How often the clicks before one outside its channel's window are asked for.
const EARLIER: usize = 16;

/// Why a deal is attributed as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    /// The deal.
    pub deal_id: String,
    /// The receipt in words.
    pub text: String,
    /// The same as a picture: how each piece of evidence moved the odds. An SVG document.
    pub svg: String,
    /// The sealed receipt.
    pub receipt: String,
}

/// Whether a receipt is as it was sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReceiptCheck {
    /// Whether its bytes are those that were sealed, and what it lists leads to what it says was chosen.
    pub verified: bool,
    /// What is wrong with it.
    pub problem: Option<String>,
}

impl Attribution<'_> {
    /// Why a deal is attributed as it is: its receipt in words and as a picture, after the receipt was checked against its digest and
    /// replayed to the same probability.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) for a deal that was not processed, and [`Corrupt`](ErrorKind::Corrupt) when its receipt does not
    /// verify: somebody changed it, or an older version of this library wrote it.
    pub async fn explain(&self, deal_id: &str) -> Result<Explanation> {
        const OPERATION: &str = "attribution.explain";
        let ids = [deal_id.to_owned()];
        let found = self.0.stores().await?.revenue.find_deals(self.0.tenant(), &ids).await?;
        let deal = found.into_iter().next().ok_or_else(|| {
            let shown: String = deal_id.chars().take(60).collect();
            Error::new(
                ErrorKind::NotFound,
                OPERATION,
                format!("deal_id: {shown:?} is no deal that was processed"),
            )
        })?;
        matching::verify(&deal.matched).map_err(|error| error.in_operation(OPERATION))?;
        let receipt = matching::read(&deal.matched.receipt).map_err(|error| error.in_operation(OPERATION))?;
        Ok(Explanation {
            deal_id: deal.deal_id,
            text: receipt.text(),
            svg: receipt.svg(),
            receipt: deal.matched.receipt,
        })
    }

    /// Checks a receipt that was kept somewhere: one changed byte fails, and what it lists must lead to what it says.
    pub fn verify_receipt(&self, receipt: &str) -> ReceiptCheck {
        let problem = matching::check(receipt).err().map(|error| error.message().to_owned());
        ReceiptCheck { verified: problem.is_none(), problem }
    }

    /// Learns how probable matches are from the tenant's own clicks and deals: weights without labels, and calibration on deals whose
    /// click is known by its id and hidden on purpose. The model is stored and used for matches from then on; the same clicks and deals
    /// give the same model. It takes devices that are kept, of clicks and of contacts who consented, and `least_masked` deals with a
    /// known click (200 when `None`).
    ///
    /// Cancel safety: the model is used whole or not at all.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) when there is too little evidence, and the stores'.
    pub async fn train(&self, least_masked: Option<usize>) -> Result<Trained> {
        let ctx = self.0.ctx();
        let stores = self.0.stores().await?;
        let windows = &self.0.shared.config.attribution.windows;
        let mut collection = Collection::new(windows.clone());
        for (deal_id, document) in stores.state.list(&ctx.tenant, SIGNALS).await? {
            let Some(signals) = parsed(&document.value) else { continue };
            let from = signals.anchor.minus(collection.reach());
            let around = stores
                .clicks
                .around(&ctx.tenant, &signals.networks(), from, signals.anchor, COMPARED_CLICKS)
                .await?;
            let keys: Vec<KeyedHash> = signals.keys.keys().copied().collect();
            let (from, to) = windows.around(signals.anchor);
            let by_tier = stores.clicks.candidates(&ctx.tenant, &keys, from, to).await?;
            let hidden = by_tier.iter().find(|click| Some(click.key) == signals.click).map(|click| click.at);
            let mut without = by_tier.clone();
            if let Some(at) = hidden.and_then(before) {
                without.extend(stores.clicks.candidates(&ctx.tenant, &keys, from, at).await?);
            }
            collection.add(&deal_id, &signals, &around, &by_tier, &without);
        }
        let (model, trained) = collection.train(least_masked.unwrap_or(LEAST_MASKED))?;
        stores.state.put(&ctx.tenant, MODELS, &trained.model_version, None, &model.to_json()?).await?;
        stores.state.put(&ctx.tenant, MODELS, CURRENT, None, &trained.model_version).await?;
        Ok(trained)
    }

    /// The click behind a deal that converted at `anchor`. What its contacts' devices tell is kept to learn from.
    pub(crate) async fn match_deal(
        &self,
        ctx: &Ctx,
        deal_id: &str,
        anchor: Timestamp,
        evidence: &Evidence,
        ads: &KnownAds,
    ) -> Result<Match> {
        let config = &self.0.shared.config.attribution;
        let candidates = self.candidates(ctx, anchor, evidence).await?;
        let weighed = self.weighed(ctx, anchor, evidence).await?;
        let weighing = weighed.as_ref().map(|(model, around)| Weighing { model, around });
        let rules = Rules { windows: &config.windows, choose_by: config.choose_by, ads };
        let matched = matching::choose(anchor, evidence, &candidates, rules, weighing);
        self.keep_signals(
            ctx,
            deal_id,
            evidence.signals(anchor, known_click(&matched, evidence, &candidates)),
        )
        .await?;
        Ok(matched)
    }

    /// The clicks that share a key. Where the latest of a key lies outside its channel's window, one before it may lie inside its own.
    async fn candidates(&self, ctx: &Ctx, anchor: Timestamp, evidence: &Evidence) -> Result<Vec<Candidate>> {
        let windows = &self.0.shared.config.attribution.windows;
        let clicks = &self.0.stores().await?.clicks;
        let (from, to) = windows.around(anchor);
        let mut found = clicks.candidates(&ctx.tenant, &evidence.keys(), from, to).await?;
        if windows.channels.is_empty() {
            return Ok(found);
        }
        let mut newest = found.clone();
        for _ in 0..EARLIER {
            let mut earlier = Vec::new();
            for (key, at) in matching::outside(anchor, evidence, &newest, windows) {
                if let Some(to) = before(at).filter(|to| *to >= from) {
                    earlier.extend(clicks.candidates(&ctx.tenant, &[key], from, to).await?);
                }
            }
            if earlier.is_empty() {
                break;
            }
            found.extend(earlier.iter().cloned());
            newest = earlier;
        }
        Ok(found)
    }

    /// The model and the clicks around; nothing where there is no model, or no device to compare.
    async fn weighed(
        &self,
        ctx: &Ctx,
        anchor: Timestamp,
        evidence: &Evidence,
    ) -> Result<Option<(Arc<Versioned>, Around)>> {
        let networks = evidence.networks();
        if networks.is_empty() {
            return Ok(None);
        }
        let Some(model) = self.model(ctx).await? else { return Ok(None) };
        let (from, to) = model.model.around(anchor);
        let clicks = &self.0.stores().await?.clicks;
        let around = clicks.around(&ctx.tenant, &networks, from, to, COMPARED_CLICKS).await?;
        Ok(Some((model, around)))
    }

    /// The tenant's model, which another worker may have trained since the last match.
    async fn model(&self, ctx: &Ctx) -> Result<Option<Arc<Versioned>>> {
        let state = &self.0.stores().await?.state;
        let Some(current) = state.get(&ctx.tenant, MODELS, CURRENT).await? else { return Ok(None) };
        if let Some(known) =
            self.0.shared.models.get(&ctx.tenant).filter(|known| known.version == current.value)
        {
            return Ok(Some(known));
        }
        let Some(stored) = state.get(&ctx.tenant, MODELS, &current.value).await? else { return Ok(None) };
        let model = Arc::new(Model::from_json(&stored.value)?);
        self.0.shared.models.set(&ctx.tenant, model.clone());
        Ok(Some(model))
    }

    /// Without a device nothing is kept, and what was kept before is emptied: the consent may be gone.
    async fn keep_signals(&self, ctx: &Ctx, deal_id: &str, signals: Option<Signals>) -> Result<()> {
        let state = &self.0.stores().await?.state;
        let text = match signals {
            Some(signals) => written(&signals)?,
            None if !self.0.shared.config.attribution.clicks.keep_devices => return Ok(()),
            None => match state.get(&ctx.tenant, SIGNALS, deal_id).await? {
                Some(stored) if !stored.value.is_empty() => String::new(),
                _ => return Ok(()),
            },
        };
        state.put(&ctx.tenant, SIGNALS, deal_id, None, &text).await?;
        Ok(())
    }

    /// Empties what was kept of the conversions that are `meant`, by their deal.
    pub(crate) async fn forget_signals(
        &self,
        ctx: &Ctx,
        meant: impl Fn(&str, &Signals) -> bool + Send,
    ) -> Result<()> {
        let state = &self.0.stores().await?.state;
        for (deal_id, document) in state.list(&ctx.tenant, SIGNALS).await? {
            if parsed(&document.value).is_some_and(|signals| meant(&deal_id, &signals)) {
                state.put(&ctx.tenant, SIGNALS, &deal_id, None, "").await?;
            }
        }
        Ok(())
    }
}

/// The click that a click id names, where it is the only one of its id: what training may hide and look for.
fn known_click(matched: &Match, evidence: &Evidence, candidates: &[Candidate]) -> Option<KeyedHash> {
    matched.found.as_ref().filter(|found| found.layer == Layer::Layer1 && found.click_id.is_some())?;
    let by_id = candidates.iter().filter(|click| evidence.layer(click.matched) == Some(Layer::Layer1));
    let keys: BTreeSet<KeyedHash> = by_id.map(|click| click.key).collect();
    (keys.len() == 1).then(|| keys.first().copied()).flatten()
}

/// The moment before.
fn before(at: Timestamp) -> Option<Timestamp> {
    at.micros().checked_sub(1).map(Timestamp::from_micros)
}

/// Nothing for what was emptied, and for what another version wrote.
fn parsed(value: &str) -> Option<Signals> {
    serde_json::from_str(value).ok()
}

fn written(signals: &Signals) -> Result<String> {
    serde_json::to_string(signals).map_err(|error| {
        Error::new(ErrorKind::Unexpected, "attribution.match", "a conversion's signals cannot be written")
            .with_source(error)
    })
}
