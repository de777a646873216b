use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use crate::ctx::Ctx;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::provider::{Capability, ChatRequest, ChatResponse, ChatStream, Provider};
use crate::route::ModelChoice;

/// Asks the models of the decision in their order until one answers. A stream moves on only before its first output.
#[derive(Debug)]
pub struct Fallback {
    providers: BTreeMap<String, Arc<dyn Provider>>,
}

/// Whether another model may do better. What the caller asked wrongly is wrong everywhere.
pub(super) fn moves_on(kind: ErrorKind) -> bool {
    match kind {
        ErrorKind::Unauthorized
        | ErrorKind::Throttled
        | ErrorKind::Timeout
        | ErrorKind::Unavailable
        | ErrorKind::NotFound
        | ErrorKind::Unsupported
        | ErrorKind::Corrupt
        | ErrorKind::Unexpected => true,
        ErrorKind::Ambiguous
        | ErrorKind::Cancelled
        | ErrorKind::ConfigInvalid
        | ErrorKind::Conflict
        | ErrorKind::ContentFiltered
        | ErrorKind::ContextTooLong
        | ErrorKind::InvalidInput
        | ErrorKind::LimitExceeded
        | ErrorKind::Rejected => false,
    }
}

impl Fallback {
    /// Over these providers, each in its own layers.
    pub fn new(providers: BTreeMap<String, Arc<dyn Provider>>) -> Self {
        Self { providers }
    }

    async fn in_order<'a, T>(
        &self,
        request: &ChatRequest,
        ask: impl Fn(Arc<dyn Provider>, ChatRequest) -> BoxFuture<'a, Result<T>> + Send + Sync,
    ) -> Result<(T, ModelChoice)> {
        let choices = request.call.decision().map(|decision| decision.models.clone()).unwrap_or_default();
        let mut failures: Vec<(ModelChoice, Error)> = Vec::new();
        let count = choices.len();
        for (number, choice) in choices.into_iter().enumerate() {
            let Some(provider) = self.providers.get(&choice.provider) else { continue };
            let mut asked = ChatRequest { model: choice.model.clone(), ..request.clone() };
            asked.call.last_resort = number + 1 == count;
            match ask(Arc::clone(provider), asked).await {
                Ok(answer) => return Ok((answer, choice)),
                Err(error) if moves_on(error.kind()) || request.call.elsewhere == Some(error.kind()) => {
                    failures.push((choice, error));
                }
                Err(error) => return Err(error),
            }
        }
        Err(all_failed(failures))
    }
}

/// One failure is itself; several are told together, with the last one as the cause.
fn all_failed(mut failures: Vec<(ModelChoice, Error)>) -> Error {
    let told: Vec<String> =
        failures.iter().map(|(choice, error)| format!("{}: {}", choice.provider, error.kind())).collect();
    let same_kind = failures.windows(2).all(|pair| pair[0].1.kind() == pair[1].1.kind());
    let waits = failures.iter().filter_map(|(_, error)| match error.retry() {
        Retry::After(wait) => Some(wait),
        Retry::Never | Retry::Exhausted => None,
    });
    let soonest = waits.min();
    match failures.pop() {
        None => {
            Error::new(ErrorKind::Unavailable, "ai.chat", "the decision names no provider that is configured")
        }
        Some((_, error)) if failures.is_empty() => exhausted(error),
        Some((_, error)) => {
            let kind = if same_kind { error.kind() } else { ErrorKind::Unavailable };
            Error::new(kind, "ai.chat", format!("no provider answered ({})", told.join(", ")))
                .with_retry(
                    soonest.filter(|_| kind == ErrorKind::Throttled).map_or(Retry::Exhausted, Retry::After),
                )
                .with_source(error)
        }
    }
}

/// The retries are spent: an outer layer must not multiply them. A wait that the provider asks for stays known.
fn exhausted(error: Error) -> Error {
    match error.retry() {
        Retry::After(wait) if wait.is_zero() => error.with_retry(Retry::Exhausted),
        _ => error,
    }
}

#[async_trait]
impl Provider for Fallback {
    fn name(&self) -> &str {
        "router"
    }

    fn capability(&self) -> Capability {
        Capability::all("")
    }

    async fn chat(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        let ask = |provider: Arc<dyn Provider>, asked: ChatRequest| -> BoxFuture<'_, Result<_>> {
            Box::pin(async move { provider.chat(ctx, &asked).await })
        };
        let (mut response, choice) = self.in_order(request, ask).await?;
        response.report.provider = choice.provider;
        response.report.model = choice.model;
        Ok(response)
    }

    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        let ask = |provider: Arc<dyn Provider>, asked: ChatRequest| -> BoxFuture<'_, Result<_>> {
            Box::pin(async move { provider.stream(ctx, &asked).await })
        };
        Ok(self.in_order(request, ask).await?.0)
    }
}
