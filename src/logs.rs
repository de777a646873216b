//! The library's log as lines of JSON.

use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::registry::LookupSpan;

/// A layer that writes what this library logs from `least` on: one JSON object a line, with `timestamp`, `level`, `target`, the fields
/// of the line, and in `span` the `request_id` and `tenant_id` of the AI call in which it happened. No line holds a prompt, an answer or
/// a secret.
///
/// ```
/// use tracing_subscriber::filter::LevelFilter;
/// use tracing_subscriber::layer::SubscriberExt;
///
/// let subscriber = tracing_subscriber::registry().with(xynergy::logs::json(std::io::stderr, LevelFilter::INFO));
/// # drop(subscriber);
/// ```
pub fn json<S, W>(writer: W, least: LevelFilter) -> impl Layer<S> + use<S, W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // Spans pass whatever the level is: the lines show their fields.
    let wanted = filter_fn(move |metadata| {
        metadata.target().starts_with("xynergy") && (metadata.is_span() || *metadata.level() <= least)
    });
    tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_writer(writer)
        .with_filter(wanted)
}
