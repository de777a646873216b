mod resume;
mod splice;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;

use crate::ctx::Ctx;
use crate::error::{Error, ErrorKind, Result};
use crate::layer::Layer;
use crate::provider::{Capability, ChatRequest, ChatResponse, ChatStream, Provider};
use crate::route::{ModelChoice, RouteDecision};
use resume::Reading;

/// Where a request goes on that every model of the decision would fail alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassLists {
    /// When the prompt does not fit the context window.
    pub context_too_long: Vec<ModelChoice>,
    /// When a content filter refused.
    pub content_filtered: Vec<ModelChoice>,
}

/// Goes on with a second call where the first one cannot: by the list of the error's class, and after the first token of a stream
/// that broke by letting the next model continue what has come.
///
/// It stands outside the spend layer, so that each call is reserved and paid for by itself.
#[derive(Clone, Debug)]
pub struct RecoverLayer {
    providers: Arc<BTreeMap<String, Capability>>,
    lists: Arc<ClassLists>,
}

impl RecoverLayer {
    /// A layer over these providers, with the lists of the configuration.
    pub fn new(providers: BTreeMap<String, Capability>, lists: ClassLists) -> Self {
        Self { providers: Arc::new(providers), lists: Arc::new(lists) }
    }

    /// The same request for the models of the error's own list, without those that were asked already.
    fn elsewhere(&self, request: &ChatRequest, error: &Error, stream: bool) -> Option<ChatRequest> {
        let list = match error.kind() {
            ErrorKind::ContextTooLong => &self.lists.context_too_long,
            ErrorKind::ContentFiltered => &self.lists.content_filtered,
            _ => return None,
        };
        let asked = request.call.attempts();
        let is_left = |choice: &&ModelChoice| {
            !asked.iter().any(|a| a.provider == choice.provider && a.model == choice.model)
                && self.can(choice, request, stream)
        };
        let models = list.iter().filter(is_left).cloned().collect();
        let mut other = narrowed(request, models, &format!("the list of ai.fallbacks.{}", error.kind()))?;
        other.call.elsewhere = Some(error.kind());
        Some(other)
    }

    fn can(&self, choice: &ModelChoice, request: &ChatRequest, stream: bool) -> bool {
        self.providers.get(&choice.provider).is_some_and(|c| c.lacks(request, stream).is_none())
    }

    fn prefills(&self, choice: &ModelChoice) -> bool {
        self.providers.get(&choice.provider).is_some_and(|capability| capability.prefill)
    }
}

/// The request with these models to be asked; `None` when there are none, or nothing was decided.
fn narrowed(request: &ChatRequest, models: Vec<ModelChoice>, why: &str) -> Option<ChatRequest> {
    let decision = request.call.decision()?;
    if models.is_empty() {
        return None;
    }
    let reason = format!("{}; {why}", decision.reason);
    let decision = RouteDecision { models, reason, ..RouteDecision::clone(decision) };
    let mut other = request.clone();
    other.call = request.call.narrowed(Arc::new(decision));
    Some(other)
}

impl Layer for RecoverLayer {
    fn wrap(&self, inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
        Arc::new(Recovering { inner, layer: self.clone() })
    }
}

#[derive(Debug)]
struct Recovering {
    inner: Arc<dyn Provider>,
    layer: RecoverLayer,
}

#[async_trait]
impl Provider for Recovering {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }

    async fn chat(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        let error = match self.inner.chat(ctx, request).await {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        let Some(other) = self.layer.elsewhere(request, &error, false) else { return Err(error) };
        // The first error is the one that the caller can do something about.
        self.inner.chat(ctx, &other).await.map_err(|_| error)
    }

    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        let stream = match self.inner.stream(ctx, request).await {
            Ok(stream) => stream,
            Err(error) => {
                let Some(other) = self.layer.elsewhere(request, &error, true) else { return Err(error) };
                self.inner.stream(ctx, &other).await.map_err(|_| error)?
            }
        };
        let reading = Reading::new(stream, Arc::clone(&self.inner), self.layer.clone(), ctx, request);
        Ok(futures_util::stream::unfold(Some(Box::new(reading)), Reading::next).boxed())
    }
}
