//! Every call that there is: its name, its typed arguments and result, and what it does.
//!
//! This table is the one description: the dispatch of every language and the [description](crate::description) from which their
//! types are generated come from it. A new method is one entry here.

mod ads;
mod ai;
mod allocation;
mod attribution;
mod bytes;
mod clicks;
mod client;
mod closed_loop;
mod credit;
mod ctr;
mod evaluation;
mod execution;
mod experiments;
mod hubspot;
mod matching;
mod revenue;
mod sampler;
mod stream;
mod webhooks;
mod winners;

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;

use schemars::JsonSchema;
#[cfg(feature = "describe")]
use schemars::{Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use xynergy::{Client, Error, ErrorKind, Result, Scope};

pub use bytes::Bytes;
#[cfg(feature = "arrow")]
pub use credit::ColumnsCredit;

use crate::engine::Engine;

/// What a method works on.
#[derive(Clone, Debug)]
pub struct Session {
    /// The client, for what is not a tenant's.
    pub client: Client,
    /// The caller's scope.
    pub scope: Scope,
    /// The engine, for streams.
    pub engine: Engine,
}

/// A call on its way.
pub type Work = Pin<Box<dyn Future<Output = Result<String>> + Send>>;

/// One method of the public surface.
#[derive(Debug)]
pub struct Method {
    /// `area.method`, or a method of the client by itself.
    pub name: &'static str,
    /// What it does, for people.
    #[cfg(feature = "describe")]
    pub doc: &'static str,
    /// The names of the arguments in their order.
    pub params: &'static [&'static str],
    /// How the result comes.
    pub answer: Answer,
    /// The shape of the arguments.
    #[cfg(feature = "describe")]
    pub arguments: fn(&mut SchemaGenerator) -> Schema,
    /// The shape of the result, or of each piece of a stream.
    #[cfg(feature = "describe")]
    pub result: fn(&mut SchemaGenerator) -> Schema,
    /// Reads the arguments and starts.
    pub run: fn(Session, &str) -> Result<Work>,
}

/// What computes over as much as there is, before it first waits or between waits.
const COMPUTES: &[&str] = &[
    "allocation.evaluate",
    "allocation.gate",
    "allocation.holdout",
    "allocation.learn",
    "allocation.log",
    "allocation.merge",
    "allocation.pipeline",
    "allocation.posteriors",
    "allocation.predict_ctr",
    "allocation.prediction_scores",
    "allocation.probability_best",
    "allocation.select",
    "allocation.state",
    "allocation.train_ctr",
    "attribution.clicks_by_ad",
    "attribution.credit",
    "attribution.deals",
    "attribution.erase",
    "attribution.paths",
    "attribution.prune",
    "attribution.revalue",
    "attribution.roas",
    "attribution.show_values",
    "attribution.stage_values",
    "attribution.totals",
    "attribution.track_clicks",
    "attribution.train",
    "closed_loop.allocate",
    "closed_loop.process",
    "closed_loop.tick",
    "execution.verify_audit",
    "experiments.record",
    "experiments.status",
    "experiments.stop",
    "hubspot.process",
    "webhooks.process",
    "winners.add",
    "winners.add_many",
    "winners.find_similar",
    "winners.find_similar_many",
    "winners.import_file",
    "winners.remove",
];

impl Method {
    /// Whether it may compute for long: it is kept off the threads that others wait for.
    pub(crate) fn computes(&self) -> bool {
        COMPUTES.contains(&self.name)
    }
}

/// How a result comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// At once, as one value.
    Value,
    /// Piece by piece.
    Stream,
    /// Belongs to the border, not to the public surface.
    Internal,
}

/// Declares the methods of one area. Each has its documentation, its name, the order of its arguments, and a function from the
/// session and the typed arguments to a typed result.
macro_rules! methods {
    ($($(#[doc = $doc:literal])+ $name:literal ($($param:ident),*) $answer:ident $arguments:ty => $result:ty = $run:expr;)+) => {
        pub(super) static METHODS: &[$crate::methods::Method] = &[$($crate::methods::Method {
            name: $name,
            #[cfg(feature = "describe")]
            doc: concat!($($doc, "\n"),+),
            params: &[$(stringify!($param)),*],
            answer: $crate::methods::Answer::$answer,
            #[cfg(feature = "describe")]
            arguments: |generator| generator.subschema_for::<$arguments>(),
            #[cfg(feature = "describe")]
            result: |generator| generator.subschema_for::<$result>(),
            run: |session, json| {
                // Without `describe` nothing else names it.
                let _ = std::marker::PhantomData::<$result>;
                $crate::methods::start::<$arguments, _, _>($name, session, json, $run)
            },
        }),+];
    };
}
use methods;

/// A method that takes nothing.
#[derive(Debug, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// Every method, in the order of the areas.
pub fn all() -> impl Iterator<Item = &'static Method> {
    [
        client::METHODS,
        ai::METHODS,
        attribution::METHODS,
        clicks::METHODS,
        credit::METHODS,
        matching::METHODS,
        revenue::METHODS,
        hubspot::METHODS,
        webhooks::METHODS,
        allocation::METHODS,
        sampler::METHODS,
        evaluation::METHODS,
        ctr::METHODS,
        experiments::METHODS,
        winners::METHODS,
        closed_loop::METHODS,
        execution::METHODS,
        ads::METHODS,
        stream::METHODS,
    ]
    .into_iter()
    .flatten()
}

/// The method of this name.
///
/// # Errors
/// [`Unsupported`](ErrorKind::Unsupported) when there is none.
pub fn find(name: &str) -> Result<&'static Method> {
    static BY_NAME: OnceLock<HashMap<&str, &Method>> = OnceLock::new();
    let by_name = BY_NAME.get_or_init(|| all().map(|method| (method.name, method)).collect());
    by_name.get(name).copied().ok_or_else(|| {
        let shown: String = name.chars().take(60).collect();
        Error::new(ErrorKind::Unsupported, "client", format!("{shown:?} is no method of this version"))
    })
}

fn start<A, R, F>(
    name: &'static str,
    session: Session,
    json: &str,
    run: impl FnOnce(Session, A) -> F + Send + 'static,
) -> Result<Work>
where
    A: DeserializeOwned + Send + 'static,
    R: Serialize,
    F: Future<Output = Result<R>> + Send + 'static,
{
    let arguments = read(name, json)?;
    Ok(Box::pin(async move { write(name, &run(session, arguments).await?) }))
}

/// Reads a value; what is wrong is named by its path.
pub(crate) fn read<T: DeserializeOwned>(operation: &'static str, json: &str) -> Result<T> {
    read_as(ErrorKind::InvalidInput, operation, json)
}

pub(crate) fn read_as<T: DeserializeOwned>(
    kind: ErrorKind,
    operation: &'static str,
    json: &str,
) -> Result<T> {
    // The place is one in a text that the caller never saw.
    xynergy_core::json::read(json).map_err(|wrong| Error::new(kind, operation, wrong.to_string()))
}

fn write<T: Serialize>(operation: &'static str, value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| {
        Error::new(ErrorKind::Unexpected, operation, "the result cannot be written as JSON").with_source(e)
    })
}

/// A JSON text in the one form that is the same in every language: keys sorted, no spaces, integers as they are, a line break at the
/// end.
///
/// # Errors
/// [`InvalidInput`](ErrorKind::InvalidInput) for a text that is no JSON.
pub fn canonical_json(json: &str) -> Result<String> {
    // A `Value` keeps its keys sorted.
    read::<serde_json::Value>("to_json", json).map(|value| format!("{value}\n"))
}
