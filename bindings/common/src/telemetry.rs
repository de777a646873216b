//! The library's own log, into the [outbox](crate::outbox). No global subscriber is set: the process's belongs to the host.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::subscriber::{DefaultGuard, Interest};
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;
use xynergy::{Error, Result};

use crate::outbox::{Item, LogRecord, Outbox};

/// 0 nothing, 1 error ... 5 trace.
static LEVEL: AtomicU8 = AtomicU8::new(2);

/// The least level that reaches the host: `off`, `error`, `warn` (the default), `info`, `debug` or `trace`. One for the process.
///
/// # Errors
/// [`InvalidInput`](xynergy::ErrorKind::InvalidInput) for another name; [`Unavailable`](xynergy::ErrorKind::Unavailable) without threads.
pub fn set_log_level(name: &str) -> Result<()> {
    const NAMES: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let level = (0_u8..).zip(NAMES).find(|(_, known)| *known == name).map(|(level, _)| level);
    let level = level.ok_or_else(|| {
        let shown: String = name.chars().take(20).collect();
        Error::invalid("log", format!("log_level: {shown:?} is none; choose {}", NAMES.join(", ")))
    })?;
    LEVEL.store(level, Ordering::Relaxed);
    // A lone subscriber is asked only where it is the default one: elsewhere every line would be switched off.
    crate::runtime::pool()?.enter(tracing::callsite::rebuild_interest_cache);
    Ok(())
}

fn rank(level: Level) -> u8 {
    match level {
        Level::ERROR => 1,
        Level::WARN => 2,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => 5,
    }
}

pub(crate) fn dispatch(outbox: Arc<Outbox>) -> Dispatch {
    Dispatch::new(Registry::default().with(ToOutbox(outbox)))
}

thread_local! {
    static OF_THREAD: RefCell<Option<DefaultGuard>> = const { RefCell::new(None) };
}

/// Makes `dispatch` the subscriber of this thread for as long as the thread lives.
pub(crate) fn keep_for_thread(dispatch: &Dispatch) {
    OF_THREAD.with(|slot| *slot.borrow_mut() = Some(tracing::dispatcher::set_default(dispatch)));
}

struct ToOutbox(Arc<Outbox>);

impl<S: Subscriber> Layer<S> for ToOutbox {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.is_wanted(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.is_wanted(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(match LEVEL.load(Ordering::Relaxed) {
            0 => LevelFilter::OFF,
            1 => LevelFilter::ERROR,
            2 => LevelFilter::WARN,
            3 => LevelFilter::INFO,
            4 => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        })
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let metadata = event.metadata();
        self.0.push(Item::Log(LogRecord {
            level: metadata.level().as_str().to_ascii_lowercase(),
            target: metadata.target().to_owned(),
            message: fields.message,
            fields: fields.others,
        }));
    }
}

impl ToOutbox {
    fn is_wanted(&self, metadata: &Metadata<'_>) -> bool {
        rank(*metadata.level()) <= LEVEL.load(Ordering::Relaxed) && metadata.target().starts_with("xynergy")
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    others: Map<String, Value>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.others.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message = value.to_owned();
        } else {
            self.put(field, value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            self.put(field, format!("{value:?}"));
        }
    }
}

/// Puts the events of one engine into the outbox.
#[derive(Debug)]
pub(crate) struct EngineEvents {
    engine: u64,
    outbox: Arc<Outbox>,
}

impl EngineEvents {
    pub(crate) fn new(engine: u64, outbox: Arc<Outbox>) -> Self {
        Self { engine, outbox }
    }
}

impl xynergy::env::EventSink for EngineEvents {
    fn emit(&self, event: xynergy::env::Event) {
        if let Ok(event) = serde_json::to_value(&event) {
            self.outbox.push(Item::Event { engine: self.engine, event });
        }
    }
}
