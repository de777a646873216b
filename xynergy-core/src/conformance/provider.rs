//! What every [`Provider`] must do while its service is well.

use std::sync::Arc;

use futures_util::StreamExt;

use crate::ctx::Ctx;
use crate::provider::{Assembler, ChatRequest, Outcome, Provider};

/// Runs the whole suite against a service that answers every plain prompt completely.
pub async fn suite(provider: Arc<dyn Provider>, ctx: &Ctx) {
    assert!(!provider.name().is_empty(), "a provider has a name");
    let capability = provider.capability();
    assert!(!capability.default_model.is_empty(), "a provider has a default model");
    let request = ChatRequest::prompt("Say hello.");

    let whole = provider.chat(ctx, &request).await.expect("a plain prompt is answered");
    assert_eq!(whole.clone().judged().outcome, Outcome::Complete, "the answer says that it is complete");
    assert!(!whole.first_text().is_empty(), "the answer has a text");
    let named = ChatRequest { model: capability.default_model.clone(), ..request.clone() };
    provider.chat(ctx, &named).await.expect("the default model can be named");

    if capability.streaming {
        let mut stream = provider.stream(ctx, &request).await.expect("a plain prompt is streamed");
        let mut seen = Assembler::default();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.expect("a healthy stream has no error");
            assert!(chunk.outcome.is_none() && chunk.report.is_none(), "only the library judges and reports");
            seen.push(&chunk);
        }
        assert!(seen.is_finished(), "a stream says why it ended");
        assert_eq!(seen.response().outcome, Outcome::Complete);
        assert!(!seen.response().first_text().is_empty(), "the stream has a text");

        // Dropped on the way, the next call is not harmed.
        let mut dropped = provider.stream(ctx, &request).await.expect("a plain prompt is streamed");
        let _ = dropped.next().await;
        drop(dropped);
        provider.chat(ctx, &request).await.expect("a dropped stream harms nothing");
    }
}
