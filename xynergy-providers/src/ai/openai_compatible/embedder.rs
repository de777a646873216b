use std::sync::Arc;

use async_trait::async_trait;
use xynergy_core::config::ProviderConfig;
use xynergy_core::embed::{EmbedCapability, EmbedRequest, EmbedResponse, Embedder};
use xynergy_core::registry::ProviderParts;
use xynergy_core::{Ctx, Result};

use super::config::Settings;
use super::dialect::Embeds;
use super::embed;
use crate::ai::exchange::{Exchange, Outgoing};

/// The embeddings of a provider that has them.
#[derive(Debug)]
pub(crate) struct OpenAiEmbedder {
    exchange: Arc<Exchange<Settings>>,
    ways: &'static Embeds,
}

impl OpenAiEmbedder {
    /// Those at the same address and by the same key as the chats of `exchange`.
    pub(super) fn beside(exchange: &Arc<Exchange<Settings>>) -> Option<Arc<dyn Embedder>> {
        let ways = exchange.speech.ways.embeds.as_ref()?;
        Some(Arc::new(Self { exchange: Arc::clone(exchange), ways }))
    }

    /// Those of the provider `name`, whatever its chats speak.
    pub(in crate::ai) fn of(
        name: &str,
        config: &ProviderConfig,
        parts: &ProviderParts,
    ) -> Result<Option<Arc<dyn Embedder>>> {
        let speech = Settings::new(name, config)?;
        Ok(Self::beside(&Arc::new(Exchange::new(name, config.api_key.as_ref(), parts.clone(), speech))))
    }
}

#[async_trait]
impl Embedder for OpenAiEmbedder {
    fn name(&self) -> &str {
        &self.exchange.name
    }

    fn capability(&self) -> EmbedCapability {
        EmbedCapability { max_inputs: self.ways.max_inputs, ..EmbedCapability::new(self.ways.model) }
    }

    async fn embed(&self, ctx: &Ctx, request: &EmbedRequest) -> Result<EmbedResponse> {
        let settings = &self.exchange.speech;
        let body = embed::body(request, self.ways)?;
        let url = settings.below(&request.model, &["embeddings"]);
        let outgoing = |key: Option<&_>| {
            let (url, body) = (url.clone(), body.clone());
            Ok(Outgoing { url, headers: settings.credentials(key)?, body, reader: () })
        };
        let read =
            |(): &mut (), body: &[u8], key: Option<&_>| embed::response(body, request.input.len(), key);
        self.exchange.ask(ctx, (&request.call, &request.model), outgoing, read).await
    }
}
