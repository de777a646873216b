use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use xynergy_core::crm::{Contact, Crm, Deal};
use xynergy_core::store::RevenueStore;
use xynergy_core::{Ctx, Result};
use xynergy_providers::crm::webhooks::{WebhookCrm, is_event};

/// How many deals are looked at at once.
const AT_ONCE: usize = 8;

/// Where deals are read; one of the two at least.
///
/// A deal of which only the tenant's own webhooks tell is what they told: the CRM does not know it, and is not waited for. A deal of
/// which the CRM tells as well is read there, and what the webhooks told goes before that.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    pub(super) told: Option<WebhookCrm>,
    pub(super) crm: Option<Arc<dyn Crm>>,
}

impl Sources {
    /// Whether deals may be of the one or of the other.
    pub(super) fn are_two(&self) -> bool {
        self.told.is_some() && self.crm.is_some()
    }

    /// The deals of which only webhooks tell, and the others.
    pub(super) async fn split(
        &self,
        revenue: &dyn RevenueStore,
        ctx: &Ctx,
        ids: Vec<String>,
    ) -> Result<(Vec<String>, Vec<String>)> {
        if !self.are_two() {
            return Ok((Vec::new(), ids));
        }
        let mut looked = stream::iter(ids)
            .map(|id| async move {
                let events = revenue.events(&ctx.tenant, &id).await?;
                Ok::<_, xynergy_core::Error>((id, events.iter().all(is_event)))
            })
            .buffered(AT_ONCE);
        let (mut told, mut others) = (Vec::new(), Vec::new());
        while let Some((id, is_told)) = looked.try_next().await? {
            if is_told { told.push(id) } else { others.push(id) }
        }
        Ok((told, others))
    }

    /// Where the first of [`split`](Self::split) are read.
    pub(super) fn of_told(&self) -> Arc<dyn Crm> {
        Arc::new(Self { crm: None, ..self.clone() })
    }

    /// Where the second are read.
    pub(super) fn of_others(&self) -> Arc<dyn Crm> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl Crm for Sources {
    async fn deals(&self, ctx: &Ctx, ids: &[String]) -> Result<BTreeMap<String, Deal>> {
        let mut found = match &self.crm {
            Some(crm) => crm.deals(ctx, ids).await?,
            None => BTreeMap::new(),
        };
        let Some(told) = &self.told else { return Ok(found) };
        for (id, told) in told.deals(ctx, ids).await? {
            let deal = found.entry(id).or_default();
            deal.properties.extend(told.properties.into_iter().filter(|(_, value)| value.is_some()));
            let others = std::mem::replace(&mut deal.contacts, told.contacts);
            let others = others.into_iter().filter(|id| !deal.contacts.contains(id)).collect::<Vec<_>>();
            deal.contacts.extend(others);
        }
        Ok(found)
    }

    async fn contacts(&self, ctx: &Ctx, ids: &[String]) -> Result<BTreeMap<String, Contact>> {
        let Some(told) = &self.told else {
            return match &self.crm {
                Some(crm) => crm.contacts(ctx, ids).await,
                None => Ok(BTreeMap::new()),
            };
        };
        let mut found = told.contacts(ctx, ids).await?;
        if let Some(crm) = &self.crm {
            let mut rest = Vec::new();
            for id in ids {
                // Who was told of and is to be forgotten is asked of nobody.
                if !found.contains_key(id) && !told.knows_contact(&ctx.tenant, id).await? {
                    rest.push(id.clone());
                }
            }
            if !rest.is_empty() {
                found.extend(crm.contacts(ctx, &rest).await?);
            }
        }
        Ok(found)
    }
}
