//! Stand-ins on loopback for everything the loop talks to: an OpenAI-compatible chat endpoint, the subset of Meta's Graph
//! API that budgets need, and HubSpot's read of deals and contacts.
//!
//! It is real HTTP on one port, it can be watched and steered below `/_sandbox/` (`GET /_sandbox/` says how), and it injects
//! faults by [rules](FaultRule). Every request and every effect is a line of its log, on disk before the answer goes out;
//! its state is the fold of that log over the ads file, so that a sandbox that was killed continues where its log ends.
//!
//! ```no_run
//! # async fn example() -> xynergy_core::Result<()> {
//! use xynergy_providers::sandbox::{self, AdsFile, CrmFile, SandboxConfig, SandboxLog};
//!
//! let (ads, _problems) = AdsFile::load("ads.json".as_ref())?;
//! let (crm, _problems) = CrmFile::load("crm.json".as_ref())?;
//! let log = SandboxLog::File("run.sandbox".into());
//! let config = SandboxConfig { log, ..SandboxConfig::new(ads, crm) };
//! let sandbox = sandbox::start(config).await?;
//! let graph = &sandbox.urls().graph;
//! # let _ = graph;
//! sandbox.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod ads_file;
mod ai;
mod config;
mod control;
mod crm_file;
mod engine;
mod fault;
mod file;
mod graph;
mod hubspot;
mod incoming;
mod journal;
mod plan;
pub mod record;
mod reply;
mod server;
mod state;
mod world;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use xynergy_core::{Error, ErrorKind, Result, Timestamp};

pub use ads_file::{AdAccountRow, AdRow, AdsFile, BudgetConstraints, BudgetLevel, OwnerRow};
pub use config::{APP_ID, DEFAULT_HUBSPOT_SECRET, SandboxClock, SandboxConfig, SandboxLog};
pub use crm_file::{ContactRow, CrmFile, DealRow};
pub use fault::{
    CutPoint, Fault, FaultRule, GraphFault, HumanEdit, Nth, StatusFault, UsageFault, load_faults,
    parse_faults,
};
pub use file::RowProblem;
pub use state::{BudgetLimitState, FaultState, ObjectState, SandboxState};

use config::ServerClock;
use engine::{App, Engine};
use journal::Journal;
use world::{Seed, World};

const OPERATION: &str = "sandbox.start";

/// A sandbox that serves. Dropping it stops the listener; [`Sandbox::shutdown`] also waits and frees the log.
#[derive(Debug)]
pub struct Sandbox {
    engine: Arc<Engine>,
    urls: SandboxUrls,
    stop: watch::Sender<()>,
    server: JoinHandle<()>,
}

/// The base addresses to give to clients, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SandboxUrls {
    /// The sandbox itself, `http://127.0.0.1:8787`: control is below `/_sandbox/`.
    pub base: String,
    /// OpenAI's, with `/v1`.
    pub openai: String,
    /// Abacus.AI's, with `/v1`.
    pub abacus: String,
    /// The self-hosted model's, with `/v1`.
    pub internal: String,
    /// The Graph API's, without the version.
    pub graph: String,
    /// HubSpot's.
    pub hubspot: String,
}

impl SandboxUrls {
    fn new(address: std::net::SocketAddr) -> Self {
        let base = format!("http://{address}");
        Self {
            openai: format!("{base}/openai/v1"),
            abacus: format!("{base}/abacus/v1"),
            internal: format!("{base}/internal/v1"),
            graph: format!("{base}/graph"),
            hubspot: format!("{base}/hubspot"),
            base,
        }
    }
}

/// Starts a sandbox on the runtime of the caller. A log file that is there already is folded first.
///
/// # Errors
///
/// The address is taken, or the log cannot be opened, is in use, is of another ads file, or has a line that is none: the
/// message names the line.
pub async fn start(config: SandboxConfig) -> Result<Sandbox> {
    let listener = TcpListener::bind(config.listen).await.map_err(|e| {
        Error::new(
            ErrorKind::Unavailable,
            OPERATION,
            format!("cannot listen on {}; give another port, or 0 for any that is free", config.listen),
        )
        .with_source(e)
    })?;
    let address = listener.local_addr().map_err(|e| {
        Error::new(ErrorKind::Unexpected, OPERATION, "the listener has no address").with_source(e)
    })?;
    let mut world = World::new(Arc::new(Seed {
        ads: config.ads,
        rules: config.faults,
        budget_changes_per_hour: config.budget_changes_per_hour,
        calls_per_hour: config.calls_per_hour,
    }));
    let journal = match config.log {
        SandboxLog::Memory => Journal::Memory(Vec::new()),
        SandboxLog::File(path) => {
            let shown = path.display().to_string();
            let (journal, records) = Journal::open(path).await?;
            for (index, record) in records.iter().enumerate() {
                world.apply(record).map_err(|why| {
                    Error::new(
                        ErrorKind::Corrupt,
                        OPERATION,
                        format!(
                            "line {} of {shown} does not follow from the ads file and the lines above: {why}; give the ads \
                             file that the log was begun with, or another log",
                            index + 1
                        ),
                    )
                })?;
            }
            journal
        }
    };
    let clock = ServerClock::new(config.clock, world.last_at);
    let app = App { id: config.app_id, name: config.app_name };
    let engine = Arc::new(Engine::new(world, journal, clock, config.crm, app, config.hubspot_secret));
    let (stop, stopped) = watch::channel(());
    let server = tokio::spawn(server::serve(listener, server::router(engine.clone()), stopped));
    Ok(Sandbox { engine, urls: SandboxUrls::new(address), stop, server })
}

impl Sandbox {
    /// The base addresses of what is served.
    pub fn urls(&self) -> &SandboxUrls {
        &self.urls
    }

    /// When the next late effect lands, by the sandbox's clock; a time that has passed until [`Sandbox::apply_due`] or any
    /// request lets it land; none when nothing is on its way.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.engine.next_due()
    }

    /// Lets late effects land whose time has come, each at its own, and returns once they are in the log. Any request does
    /// the same. Cancel safe: once begun it goes on.
    pub async fn apply_due(&self) -> Result<()> {
        self.state().await.map(|_| ())
    }

    /// The state, with every late effect that is due. Cancel safe.
    pub async fn state(&self) -> Result<SandboxState> {
        let engine = self.engine.clone();
        tokio::spawn(async move { engine.state().await }).await.unwrap_or_else(|e| {
            Err(Error::new(ErrorKind::Unexpected, "sandbox.state", "the task ended early").with_source(e))
        })
    }

    /// Stops: no new connections, up to 5 s for those that are being answered, then the log is closed. Requests that are
    /// still delayed by a fault are dropped without an effect.
    pub async fn shutdown(self) {
        let _ = self.stop.send(());
        let _ = self.server.await;
        self.engine.close().await;
    }
}
