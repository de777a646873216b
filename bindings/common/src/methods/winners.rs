use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use xynergy::winners::{Added, IndexStats, Metadata, MetadataFilter, Persisted, SimilarWinner, Winner};

use super::{Nothing, methods};

methods! {
    /// Adds an ad that won, with the embedding of its creative and what is known of it; an ad that is there is replaced. It is found
    /// at once, and outlives the process once `winners.persist` has written it.
    "winners.add"(ad_id, embedding, metadata) Value AddArguments => Added = |session, a: AddArguments| async move {
        let metadata = a.metadata.unwrap_or_default();
        session.scope.winners().add(vec![Winner { ad_id: a.ad_id, embedding: a.embedding, metadata }]).await
    };

    /// Adds many winners, all or none.
    "winners.add_many"(winners) Value AddManyArguments => Added =
        |session, a: AddManyArguments| async move { session.scope.winners().add(a.winners).await };

    /// The `k` winners whose embeddings are nearest, the nearest first. `filter` asks for fields of their metadata: a value that
    /// the field equals, `{"one_of": [...]}`, or `{"min": ..., "max": ...}`.
    "winners.find_similar"(embedding, k, filter) Value FindArguments => Vec<SimilarWinner> =
        |session, a: FindArguments| async move {
            let filter = MetadataFilter::parse("winners.find_similar", &a.filter.unwrap_or_default())?;
            session.scope.winners().find_similar(&a.embedding, a.k as usize, &filter).await
        };

    /// The nearest winners of each of many embeddings, in their order. This takes less than one after the other.
    "winners.find_similar_many"(embeddings, k, filter) Value FindManyArguments => Vec<Vec<SimilarWinner>> =
        |session, a: FindManyArguments| async move {
            let filter = MetadataFilter::parse("winners.find_similar_many", &a.filter.unwrap_or_default())?;
            session.scope.winners().find_similar_many(&a.embeddings, a.k as usize, &filter).await
        };

    /// The winner, its embedding at length 1; null when there is none.
    "winners.get"(ad_id) Value AdArguments => Option<Winner> =
        |session, a: AdArguments| async move { session.scope.winners().get(&a.ad_id).await };

    /// Removes the winner; whether it was there.
    "winners.remove"(ad_id) Value AdArguments => bool =
        |session, a: AdArguments| async move { session.scope.winners().remove(&a.ad_id).await };

    /// How many winners there are, and how they are searched.
    "winners.stats"() Value Nothing => IndexStats =
        |session, _: Nothing| async move { session.scope.winners().stats().await };

    /// Writes all winners to the configured folder. A crash at any moment leaves this state or the one before, whole.
    "winners.persist"() Value Nothing => Persisted =
        |session, _: Nothing| async move { session.scope.winners().persist().await };

    /// Adds the vectors of a file of FAISS's: an `IndexFlatIP`, or an `IndexIDMap2` of one, whose ids become ads. All or none.
    "winners.import_file"(path) Value ImportArguments => Added =
        |session, a: ImportArguments| async move { session.scope.winners().import_file(&a.path).await };
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddArguments {
    /// The ad: 1 to 256 bytes.
    ad_id: String,
    /// The embedding of its creative. Only its direction counts.
    embedding: Vec<f32>,
    /// What is known of it, at most 16 kB.
    #[serde(default)]
    metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddManyArguments {
    /// The winners.
    winners: Vec<Winner>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FindArguments {
    /// What the winners are to be like.
    embedding: Vec<f32>,
    /// How many, 1 to 10,000.
    k: u32,
    /// What their metadata have to be.
    #[serde(default)]
    filter: Option<Metadata>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FindManyArguments {
    /// What the winners are to be like.
    embeddings: Vec<Vec<f32>>,
    /// How many of each, 1 to 10,000.
    k: u32,
    /// What their metadata have to be.
    #[serde(default)]
    filter: Option<Metadata>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdArguments {
    /// The ad.
    ad_id: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportArguments {
    /// The file.
    path: PathBuf,
}
