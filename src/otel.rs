//! Spans to a collector of OpenTelemetry's, by OTLP over HTTP.
//!
//! A host that has a subscriber of its own adds the [layer](Exporter::layer) to it; `docs/observing.md` says what the spans have.
//!
//! ```no_run
//! use tracing_subscriber::layer::SubscriberExt;
//! use tracing_subscriber::util::SubscriberInitExt;
//! # use xynergy::otel::{Exporter, OtelConfig};
//!
//! # fn main() -> xynergy::Result<()> {
//! let exporter = Exporter::start(&OtelConfig::default())?;
//! tracing_subscriber::registry().with(exporter.layer()).init();
//! // ... at the end, so that nothing is lost:
//! exporter.shutdown()
//! # }
//! ```

use std::collections::HashMap;
use std::time::Duration;

use opentelemetry::trace::{FutureExt, TraceContextExt, TracerProvider};
use opentelemetry::{Context, propagation::TextMapPropagator};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{FilterFn, filter_fn};
use tracing_subscriber::registry::LookupSpan;
use xynergy_core::{Ctx, Error, ErrorKind, Result};

const OPERATION: &str = "otel";

/// Where spans go, and under which name. Headers, as a collector's key, come from `OTEL_EXPORTER_OTLP_HEADERS`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OtelConfig {
    /// The collector's URL for traces, by plain http: a collector beside the program, which passes spans on by TLS where it must.
    pub endpoint: String,
    /// `service.name` of every span.
    pub service_name: String,
    /// How the body is written.
    pub encoding: Encoding,
    /// What one export may take.
    pub timeout_ms: u64,
}

/// How the body of an export is written. Every collector understands both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// As JSON.
    Json,
    /// As protocol buffers.
    #[default]
    Protobuf,
}

impl Default for OtelConfig {
    /// A collector on this machine, at its usual port.
    fn default() -> Self {
        Self {
            endpoint: "http://localhost:4318/v1/traces".to_owned(),
            service_name: "xynergy".to_owned(),
            encoding: Encoding::default(),
            timeout_ms: 10_000,
        }
    }
}

/// Sends spans, a batch at a time, from a thread of its own: the one that [`start`](Self::start) starts.
#[derive(Clone, Debug)]
pub struct Exporter {
    provider: SdkTracerProvider,
}

impl Exporter {
    /// Starts the thread that sends. A collector that is away loses spans, and delays nothing.
    ///
    /// # Errors
    /// [`ConfigInvalid`](ErrorKind::ConfigInvalid) that names the field.
    pub fn start(config: &OtelConfig) -> Result<Self> {
        let wrong = |message: String| Error::new(ErrorKind::ConfigInvalid, OPERATION, message);
        if !config.endpoint.starts_with("http://") {
            let message = "otel.endpoint: no plain http URL; give that of a collector beside the program, as http://localhost:4318/v1/traces";
            return Err(wrong(message.into()));
        }
        let protocol = match config.encoding {
            Encoding::Json => Protocol::HttpJson,
            Encoding::Protobuf => Protocol::HttpBinary,
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(config.endpoint.clone())
            .with_protocol(protocol)
            .with_timeout(Duration::from_millis(config.timeout_ms))
            .build()
            .map_err(|e| wrong("otel: spans cannot be exported with these settings".into()).with_source(e))?;
        let resource = Resource::builder().with_service_name(config.service_name.clone()).build();
        let provider =
            SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build();
        Ok(Self { provider })
    }

    /// The layer for a subscriber. It takes this library's spans, no others, and no log lines.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let layer = tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("xynergy"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false);
        layer.with_filter(own())
    }

    /// Sends what has not been sent yet, and waits for it. It blocks: call it from a thread that may wait.
    ///
    /// # Errors
    /// [`Unavailable`](ErrorKind::Unavailable): not all of it reached the collector.
    pub fn flush(&self) -> Result<()> {
        self.provider.force_flush().map_err(lost)
    }

    /// The same at the end: nothing is taken after it.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub fn shutdown(&self) -> Result<()> {
        self.provider.shutdown().map_err(lost)
    }
}

fn own() -> FilterFn<fn(&Metadata<'_>) -> bool> {
    filter_fn(|metadata| metadata.is_span() && metadata.target().starts_with("xynergy"))
}

fn lost(error: opentelemetry_sdk::error::OTelSdkError) -> Error {
    Error::new(ErrorKind::Unavailable, OPERATION, "not all spans reached the collector").with_source(error)
}

/// Runs a call below the trace that its context names. One that is malformed is left out, as the standard asks.
pub(crate) async fn traced<F: Future>(ctx: &Ctx, call: F) -> F::Output {
    let remote = ctx.traceparent.as_deref().map(|traceparent| {
        let header = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
        TraceContextPropagator::new().extract_with_context(&Context::current(), &header)
    });
    match remote.filter(|remote| remote.span().span_context().is_valid()) {
        Some(remote) => call.with_context(remote).await,
        None => call.await,
    }
}
