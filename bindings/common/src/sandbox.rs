use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use xynergy::env::ManualClock;
use xynergy::sandbox::{
    self, AdsFile, CrmFile, DEFAULT_HUBSPOT_SECRET, FaultRule, Sandbox, SandboxClock, SandboxConfig,
    SandboxLog, SandboxUrls,
};
use xynergy::{Error, ErrorKind, Result, Timestamp};

use crate::failure::Failure;
use crate::runtime::pool;

const OPERATION: &str = "sandbox.start";

/// An account with two campaigns and four ads, for a sandbox that is given none.
const ADS: &str = include_str!("sandbox/ads.json");

/// What a sandbox serves; everything may be absent.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SandboxOptions {
    /// The ad account: an ads file's content, or its path.
    ads: Option<FileOr>,
    /// Deals and contacts: a CRM file's content, or its path. None when absent.
    crm: Option<FileOr>,
    /// Rules of faults, or the path of a file of them. None when absent.
    faults: Option<FileOr>,
    /// The file of its log; in memory when absent.
    log: Option<PathBuf>,
    /// The port of 127.0.0.1; a free one when absent.
    port: u16,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "give the content as a value, or the path of a file")]
enum FileOr {
    Path(PathBuf),
    Content(Value),
}

impl FileOr {
    fn text(self, field: &'static str) -> Result<String> {
        match self {
            Self::Content(value) => Ok(value.to_string()),
            Self::Path(path) => std::fs::read_to_string(&path).map_err(|e| {
                Error::invalid(
                    OPERATION,
                    format!("{field}: {} cannot be read: give the path of a readable file", path.display()),
                )
                .with_source(e)
            }),
        }
    }
}

/// A running sandbox: stand-ins on loopback for the AI providers, the ad platform and the CRM.
#[derive(Debug)]
pub struct SandboxHandle {
    running: Mutex<Option<Sandbox>>,
    description: Described,
    process: u32,
}

/// What a client needs to talk to it.
#[derive(Clone, Debug, Serialize)]
struct Described {
    urls: SandboxUrls,
    config: Value,
    secrets: Value,
    account: Value,
    problems: Vec<String>,
}

impl SandboxHandle {
    /// Starts one on the pool. `options` is JSON: `ads`, `crm`, `faults` (each content or a path), `log`, `port`. With a `clock`, it
    /// runs in that simulated time.
    ///
    /// # Errors
    /// A file that cannot be read or used, a log of another sandbox, an address that is taken.
    pub async fn start(options: &str, clock: Option<Arc<ManualClock>>) -> std::result::Result<Self, Failure> {
        let options: SandboxOptions = crate::methods::read(OPERATION, options)?;
        let pool = pool()?;
        let started = pool.handle().spawn(Self::start_here(options, clock)).await;
        started
            .unwrap_or_else(|e| {
                Err(Error::new(ErrorKind::Unexpected, OPERATION, "the start was torn").with_source(e))
            })
            .map_err(Failure::from)
    }

    async fn start_here(options: SandboxOptions, clock: Option<Arc<ManualClock>>) -> Result<Self> {
        let (ads, bad_ads) =
            AdsFile::parse(&options.ads.map_or_else(|| Ok(ADS.to_owned()), |file| file.text("ads"))?)?;
        let (crm, bad_rows) = match options.crm {
            Some(file) => CrmFile::parse(&file.text("crm")?)?,
            None => (CrmFile::default(), Vec::new()),
        };
        let faults: Vec<FaultRule> = match options.faults {
            Some(file) => sandbox::parse_faults(&file.text("faults")?)?,
            None => Vec::new(),
        };
        let account = serde_json::to_value(sandbox::ad_account(&ads)).unwrap_or_default();
        let config = SandboxConfig {
            faults,
            log: options.log.map_or(SandboxLog::Memory, SandboxLog::File),
            clock: clock.map_or(SandboxClock::System, SandboxClock::Shared),
            listen: ([127, 0, 0, 1], options.port).into(),
            ..SandboxConfig::new(ads, crm)
        };
        let running = sandbox::start(config).await?;
        let description = Described {
            urls: running.urls().clone(),
            config: serde_json::to_value(sandbox::config(running.urls())).unwrap_or_default(),
            // They open nothing but this sandbox.
            secrets: json!({sandbox::KEY: "sandbox", sandbox::WEBHOOK_SECRET: DEFAULT_HUBSPOT_SECRET}),
            account,
            problems: bad_ads.iter().chain(&bad_rows).map(ToString::to_string).collect(),
        };
        Ok(Self { running: Mutex::new(Some(running)), description, process: std::process::id() })
    }

    /// `{urls, config, secrets, account, problems}` as JSON: its addresses, the configuration and the credentials of a client that talks to
    /// it, its ad account as the closed loop takes it, and the rows of the files that were skipped.
    pub fn describe(&self) -> String {
        serde_json::to_string(&self.description).unwrap_or_default()
    }

    /// When the next late effect lands; none when nothing is on its way, or it was stopped.
    pub async fn next_due(&self) -> Option<Timestamp> {
        self.here().await.ok()?.as_ref().and_then(Sandbox::next_due)
    }

    /// Lets late effects land whose time has come.
    ///
    /// # Errors
    /// It was stopped, or its log cannot be written.
    pub async fn apply_due(&self) -> std::result::Result<(), Failure> {
        self.state().await.map(drop)
    }

    /// Its state as JSON, with every late effect that is due.
    ///
    /// # Errors
    /// As [`apply_due`](Self::apply_due).
    pub async fn state(&self) -> std::result::Result<String, Failure> {
        let here = self.here().await?;
        let running = here.as_ref().ok_or_else(stopped)?;
        let pool = pool()?;
        // Entered for each poll, not across the wait: a guard would bind the future to one thread.
        let mut reading = std::pin::pin!(running.state());
        let state = std::future::poll_fn(|cx| pool.enter(|| reading.as_mut().poll(cx))).await?;
        serde_json::to_string(&state).map_err(|e| {
            Error::new(ErrorKind::Unexpected, OPERATION, "the state cannot be written as JSON")
                .with_source(e)
                .into()
        })
    }

    /// Stops it: requests that are being answered are waited for, the log is closed. Stopping twice does nothing.
    pub async fn stop(&self) {
        let Ok(mut here) = self.here().await else { return };
        if let Some(running) = here.take()
            && let Ok(pool) = pool()
        {
            let _ = pool.handle().spawn(running.shutdown()).await;
        }
    }

    /// Blocking forms of the same, for a thread without a loop.
    ///
    /// # Errors
    /// As `work`'s; [`Unavailable`](ErrorKind::Unavailable) when there is no pool.
    pub fn wait_for<T>(work: impl Future<Output = T>) -> std::result::Result<T, Failure> {
        let pool = pool()?;
        Ok(pool.enter(|| pool.handle().block_on(work)))
    }

    /// A child of a fork has the handle, but the sandbox runs in its parent.
    async fn here(&self) -> Result<tokio::sync::MutexGuard<'_, Option<Sandbox>>> {
        if self.process != std::process::id() {
            return Err(Error::invalid(
                "sandbox",
                "sandbox: it runs in the process that forked this one; start another one here",
            ));
        }
        Ok(self.running.lock().await)
    }
}

/// One that is forgotten stops listening, and must not need a runtime to do so.
impl Drop for SandboxHandle {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            std::mem::forget(self.running.get_mut().take());
        } else if let (Some(running), Ok(pool)) = (self.running.get_mut().take(), pool()) {
            pool.enter(|| drop(running));
        }
    }
}

fn stopped() -> Error {
    Error::invalid("sandbox", "sandbox: it was stopped; start another one")
}
