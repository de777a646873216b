//! What every [`Embedder`] must do while its service is well.

use std::sync::Arc;

use crate::ctx::Ctx;
use crate::embed::{EmbedRequest, Embedder};

/// Runs the whole suite against a service that embeds every plain text by its default model.
pub async fn suite(embedder: Arc<dyn Embedder>, ctx: &Ctx) {
    assert!(!embedder.name().is_empty(), "an embedder has a name");
    let capability = embedder.capability();
    assert!(!capability.default_model.is_empty(), "this suite needs a default model");
    assert!(capability.max_inputs > 0 && capability.max_bytes > 0, "an embedder takes at least one text");
    let of = |texts: &[&str]| EmbedRequest {
        model: capability.default_model.clone(),
        ..EmbedRequest::new(texts.iter().copied())
    };
    let embed = async |texts: &[&str]| {
        let answer = embedder.embed(ctx, &of(texts)).await.expect("plain texts are embedded");
        answer.checked(texts.len(), None).expect("an answer has one whole vector a text").vectors
    };

    let both = embed(&["a red bicycle", "the law of the sea"]).await;
    assert_ne!(both[0], both[1], "different texts have different vectors");
    let turned = embed(&["the law of the sea", "a red bicycle"]).await;
    assert!(
        near(&turned[0], &both[1]) && near(&turned[1], &both[0]),
        "vectors come in the order of the texts, and do not depend on their neighbours"
    );
    let alone = embed(&["a red bicycle"]).await;
    assert!(near(&alone[0], &both[0]), "a text alone has the same vector");
    assert_eq!(alone[0].len(), both[0].len(), "every vector of a model has the same length");

    // Dropped on the way, the next call is not harmed.
    let request = of(&["a red bicycle"]);
    let dropped = embedder.embed(ctx, &request);
    drop(dropped);
    embedder.embed(ctx, &request).await.expect("a dropped call harms nothing");
}

/// Whether two vectors point the same way: services round a little differently each time.
fn near(a: &[f32], b: &[f32]) -> bool {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    a.len() == b.len() && dot(a, b) / (dot(a, a) * dot(b, b)).sqrt() > 0.999
}
