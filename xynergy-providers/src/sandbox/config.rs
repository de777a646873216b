//! How a sandbox is set up.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use xynergy_core::config::Secret;
use xynergy_core::env::{ManualClock, SystemClock};
use xynergy_core::{Clock, Timestamp};

use super::ads_file::AdsFile;
use super::crm_file::CrmFile;
use super::fault::FaultRule;
use super::plan::BUDGET_CHANGES_AN_HOUR;

/// The webhook secret of a sandbox that is given none.
pub const DEFAULT_HUBSPOT_SECRET: &str = "sandbox-client-secret";

/// The id of the app behind every API write of a sandbox that is given none, as the activity log shows it.
pub const APP_ID: &str = "1000000000000001";

/// What a sandbox serves, and how.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// The ad account at its start.
    pub ads: AdsFile,
    /// The CRM.
    pub crm: CrmFile,
    /// The faults from the start, until `POST /_sandbox/faults` replaces them.
    pub faults: Vec<FaultRule>,
    /// Where the log is kept.
    pub log: SandboxLog,
    /// The time of every decision and line.
    pub clock: SandboxClock,
    /// The address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The secret that `POST /_sandbox/sign` signs webhooks with.
    pub hubspot_secret: Secret,
    /// How many changes of an ad set's daily budget apps may make in an hour.
    pub budget_changes_per_hour: usize,
    /// How many Graph calls the account takes in an hour: with more it answers error 80004. Meta's own quota when `None`.
    pub calls_per_hour: Option<usize>,
    /// The id of the app behind every API write, as the activity log shows it.
    pub app_id: String,
    /// The name of that app.
    pub app_name: String,
}

impl SandboxConfig {
    /// A sandbox of these files on a free port of 127.0.0.1, with its log in memory, the system's time and no faults.
    pub fn new(ads: AdsFile, crm: CrmFile) -> Self {
        Self {
            ads,
            crm,
            faults: Vec::new(),
            log: SandboxLog::Memory,
            clock: SandboxClock::System,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            hubspot_secret: Secret::new(DEFAULT_HUBSPOT_SECRET),
            budget_changes_per_hour: BUDGET_CHANGES_AN_HOUR,
            calls_per_hour: None,
            app_id: APP_ID.to_owned(),
            app_name: "Xynergy".to_owned(),
        }
    }
}

/// Where the log is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SandboxLog {
    /// In memory: gone with the sandbox.
    #[default]
    Memory,
    /// In this file, on disk before every answer. A file that is there already is taken up: the state continues from it.
    File(PathBuf),
}

/// Whose time it is.
#[derive(Clone, Debug, Default)]
pub enum SandboxClock {
    /// The system's, and what `POST /_sandbox/clock` has added.
    #[default]
    System,
    /// The host's simulated clock, which `POST /_sandbox/clock` moves too.
    Shared(Arc<ManualClock>),
}

/// The clock as the sandbox runs it.
#[derive(Debug)]
pub(super) enum ServerClock {
    System { ahead_micros: AtomicI64 },
    Shared(Arc<ManualClock>),
}

impl ServerClock {
    /// A clock that is not before `floor`, the last line of the log.
    pub(super) fn new(clock: SandboxClock, floor: Timestamp) -> Self {
        match clock {
            SandboxClock::Shared(clock) => Self::Shared(clock),
            SandboxClock::System => {
                let clock = Self::System { ahead_micros: AtomicI64::new(0) };
                clock.forward_to(floor);
                clock
            }
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        match self {
            Self::Shared(clock) => clock.now(),
            Self::System { ahead_micros } => {
                let ahead = u64::try_from(ahead_micros.load(Ordering::SeqCst)).unwrap_or(0);
                SystemClock.now().plus(Duration::from_micros(ahead))
            }
        }
    }

    /// Moves the time to `target`, never back.
    pub(super) fn forward_to(&self, target: Timestamp) {
        let gap = target.since(self.now());
        match self {
            Self::Shared(clock) => clock.advance(gap),
            Self::System { ahead_micros } => {
                let gap = i64::try_from(gap.as_micros()).unwrap_or(i64::MAX);
                ahead_micros.fetch_add(gap, Ordering::SeqCst);
            }
        }
    }
}
