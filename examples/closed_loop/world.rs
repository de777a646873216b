//! What a run happens in: the store, the clock, the sandbox, and the client that joins them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use xynergy::closed_loop::AdAccount;
use xynergy::env::SeededEntropy;
use xynergy::sandbox::{self, Sandbox, SandboxClock, SandboxConfig, SandboxLog};
use xynergy::secrets::{EnvSecrets, Secret, SecretRef, SecretSource};
use xynergy::{Client, Clock, Config, StoreConfig, Stores, Timestamp};

use super::Host;
use super::clock::{self, SimulatedClock};
use super::inputs::Inputs;
use super::options::{Options, PlatformOption, StoreOption};

/// The name under which the client finds the key of jitter and fuzz, which comes from the seed.
const DRAW_KEY: &str = "XYNERGY_EXAMPLE_DRAW_KEY";

/// Whose time a run has.
pub(crate) enum RunClock {
    /// Time that jumps to what is due.
    Simulated(SimulatedClock),
    /// The system's, for a real platform.
    System,
}

/// The surroundings of one run.
pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) stores: Stores,
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: RunClock,
    /// When the run was asked to start: a part of its id.
    pub(crate) asked: Timestamp,
    /// The ad account of the inputs.
    pub(crate) account: AdAccount,
    /// Where the run is kept, for people.
    pub(crate) store_name: String,
}

impl World {
    /// Opens the store, starts the sandbox and builds the client.
    ///
    /// # Errors
    /// One line that says what is wrong and how to mend it.
    pub(crate) async fn build(options: &Options, inputs: &Inputs, host: &Host) -> Result<Self, String> {
        let configured = configured(options)?;
        let asked = options.now.unwrap_or(inputs.newest);
        let (store, log, store_name) = place(options, host)?;
        let secrets: Arc<dyn SecretSource> = Arc::new(EnvSecrets);
        let stores = Stores::open(&store, &secrets).await.map_err(|e| line(&e))?;
        refuse_leftover_log(&stores, &log, &store_name).await?;

        let (mut clock, sandbox_clock) = match options.platform {
            PlatformOption::Sandbox => {
                let clock = SimulatedClock::look(stores.state.clone(), asked).await.map_err(|e| line(&e))?;
                let shared = clock.shared();
                (RunClock::Simulated(clock), SandboxClock::Shared(shared))
            }
            PlatformOption::Meta => {
                let now = xynergy::env::SystemClock.now();
                clock::use_system_time(&*stores.state, now).await.map_err(|e| line(&e))?;
                (RunClock::System, SandboxClock::System)
            }
        };
        let sandbox = sandbox::start(SandboxConfig {
            faults: inputs.faults.clone(),
            log: log.map_or(SandboxLog::Memory, SandboxLog::File),
            clock: sandbox_clock,
            ..SandboxConfig::new(inputs.ads.clone(), inputs.crm.clone())
        })
        .await
        .map_err(|e| line(&e))?;

        if let RunClock::Simulated(clock) = &mut clock {
            clock.begin().await.map_err(|e| line(&e))?;
        }

        let (config, account_id) = against(&sandbox, configured, options, inputs)?;
        let secrets = sandbox::secrets(options.hubspot_secret.as_deref())
            .with(DRAW_KEY, Secret::new(format!("closed loop, seed {}", options.seed)));
        let mut builder = Client::builder(config).stores(stores.clone()).secrets(Arc::new(secrets));
        if let RunClock::Simulated(clock) = &clock {
            // A resumed run must not draw the ids and lease tokens of the one that was killed again.
            let entropy = SeededEntropy::new(options.seed ^ (clock.starts() << 32));
            builder = builder.clock(clock.shared()).entropy(Arc::new(entropy));
        }
        let client = builder.build().map_err(|e| line(&e))?;
        let account = AdAccount { account_id, ..sandbox::ad_account(&inputs.ads) };
        Ok(Self { client, stores, sandbox, clock, asked, account, store_name })
    }

    /// The time now.
    pub(crate) fn now(&self) -> Timestamp {
        match &self.clock {
            RunClock::Simulated(clock) => clock.now(),
            RunClock::System => xynergy::env::SystemClock.now(),
        }
    }
}

/// The user's configuration, or the defaults.
fn configured(options: &Options) -> Result<Option<Config>, String> {
    let Some(path) = &options.config else { return Ok(None) };
    let text = std::fs::read_to_string(path).map_err(|e| {
        format!("--config: {} cannot be read ({e}): give the path of a TOML file", path.display())
    })?;
    Config::from_toml(&text).map(Some).map_err(|e| format!("{}: {}", path.display(), e.message()))
}

/// The configuration of the run: the user's AI part where there is one, the sandbox for everything else that is not real.
fn against(
    sandbox: &Sandbox,
    configured: Option<Config>,
    options: &Options,
    inputs: &Inputs,
) -> Result<(Config, String), String> {
    let mut config = sandbox::config(sandbox.urls());
    config.execution.preset = options.preset.name().to_owned();
    config.execution.draw_key = Some(SecretRef::Env(DRAW_KEY.to_owned()));
    let real = configured.as_ref().and_then(|configured| configured.meta.clone());
    if let Some(configured) = configured {
        let stand_ins = std::mem::replace(&mut config.ai, configured.ai).providers;
        // A file about something else, as about [meta], says nothing of whom to ask.
        if config.ai.providers.is_empty() {
            config.ai.providers = stand_ins;
        }
    }
    let account_id = match options.platform {
        PlatformOption::Sandbox => sandbox::ad_account(&inputs.ads).account_id,
        PlatformOption::Meta => {
            let from_env = Config::from_env().map_err(|e| line(&e))?;
            let meta = real.or(from_env.meta).ok_or_else(|| {
                "--platform meta needs META_ACCESS_TOKEN and META_AD_ACCOUNT_ID in the environment, or [meta] in --config"
                    .to_owned()
            })?;
            let account_id = meta.account_id.clone();
            config.meta = Some(meta);
            account_id
        }
    };
    Ok((config, account_id))
}

/// Where the run is kept: the store, the sandbox's log beside it, and how a person would name it.
fn place(options: &Options, host: &Host) -> Result<(StoreConfig, Option<PathBuf>, String), String> {
    let path = match &options.store {
        Some(StoreOption::Memory) => return Ok((StoreConfig::Memory, None, "memory".to_owned())),
        Some(StoreOption::Sqlite(path)) => path.clone(),
        None => (host.fresh_store)()?,
    };
    let log = beside(&path);
    if !path.exists() && log.exists() {
        return Err(leftover(&log));
    }
    let name = path.display().to_string();
    Ok((StoreConfig::Sqlite { path }, (options.platform == PlatformOption::Sandbox).then_some(log), name))
}

/// The sandbox's log of a store: its path and `.sandbox`.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".sandbox");
    name.into()
}

/// A store that has not seen time yet is new: a log beside it belongs to a store that is gone.
async fn refuse_leftover_log(stores: &Stores, log: &Option<PathBuf>, store: &str) -> Result<(), String> {
    let Some(log) = log else { return Ok(()) };
    let used = clock::has_simulated_time(&*stores.state).await.map_err(|e| line(&e))?;
    let written = std::fs::metadata(log).is_ok_and(|file| file.len() > 0);
    match (used, written) {
        (false, true) => Err(leftover(log)),
        (true, false) if sent_changes(stores).await? => Err(format!(
            "{store}: the sandbox's log {} is gone, and with it what the platform did: use a new --store",
            log.display()
        )),
        _ => Ok(()),
    }
}

fn leftover(log: &Path) -> String {
    format!("{}: a sandbox's log without its store: remove it, or choose another --store", log.display())
}

/// Whether a change was ever sent: the platform then remembers what the store believes.
async fn sent_changes(stores: &Stores) -> Result<bool, String> {
    let heads = stores.changes.heads(&xynergy::TenantId::default()).await.map_err(|e| line(&e))?;
    Ok(!heads.is_empty())
}

/// An error as one line.
pub(crate) fn line(error: &xynergy::Error) -> String {
    error.to_string().replace('\n', " ")
}
