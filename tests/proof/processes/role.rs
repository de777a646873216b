//! The processes: the platform, the workers, and the one that queues.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use xynergy::execution::{MetaConfig, RunOptions};
use xynergy::sandbox::{self, CrmFile, SandboxConfig, SandboxLog};
use xynergy::secrets::{Secret, SecretRef, SecretSource};
use xynergy::{Client, Config, TenantId};

use crate::database::Store;
use crate::{field, load};

const ORDER: &str = "XYNERGY_PROOF_ROLE";
const TOLD: &str = "proof: ";

/// What a process is to do until its standard input ends.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Role {
    /// It queues, cancels and supersedes.
    Load(Site),
    /// It is the platform, with its log in this file.
    Platform(PathBuf),
    /// It works.
    Work(Site),
}

/// Where the others are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Site {
    pub(crate) store: Store,
    pub(crate) graph: String,
    /// A file `dead-TENANT` here kills that tenant's access token.
    pub(crate) folder: PathBuf,
    /// What draws follow from.
    pub(crate) seed: u64,
}

/// A process that was started.
pub(crate) struct Process {
    child: Child,
    /// It works until this is closed.
    input: Option<ChildStdin>,
    /// What it prints in the end would break it if nobody held this.
    _out: BufReader<ChildStdout>,
    told: String,
}

impl Process {
    /// Starts one, and waits for the first thing that it tells.
    pub(crate) fn start(role: &Role, log: &Path) -> Option<Self> {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "role", "--ignored", "--nocapture", "--test-threads=1"])
            .env(ORDER, serde_json::to_string(role).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::options().create(true).append(true).open(log).unwrap())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let told = out
            .by_ref()
            .lines()
            .map_while(std::result::Result::ok)
            .find_map(|line| line.strip_prefix(TOLD).map(str::to_owned));
        match told {
            Some(told) => Some(Self { child, input, _out: out, told }),
            None => {
                // The database may be away: whoever starts it tries again.
                let _ = child.wait();
                None
            }
        }
    }

    pub(crate) fn told(&self) -> &str {
        &self.told
    }

    /// As by a power cut.
    pub(crate) fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Lets it end by itself; whether it ended well.
    pub(crate) fn end(mut self) -> bool {
        drop(self.input.take());
        self.child.wait().unwrap().success()
    }
}

/// Access tokens that can die.
#[derive(Debug)]
struct Tokens(PathBuf);

#[async_trait]
impl SecretSource for Tokens {
    async fn get(&self, tenant: &TenantId, _reference: &SecretRef) -> xynergy::Result<Secret> {
        let dead = self.0.join(format!("dead-{tenant}")).exists();
        Ok(Secret::new(if dead { "expired" } else { "sandbox" }))
    }
}

impl Site {
    /// A client as each of the processes has one.
    pub(crate) fn client(&self) -> Client {
        let mut config = Config { store: self.store.config(), ..Config::default() };
        config.meta = Some(MetaConfig {
            base_url: self.graph.clone(),
            access_token: SecretRef::Env(sandbox::KEY.to_owned()),
            app_id: Some(sandbox::APP_ID.to_owned()),
            timeout_ms: 450,
            ..MetaConfig::default()
        });
        config.execution.policy = Some(field::policy());
        let tokens = Arc::new(Tokens(self.folder.clone()));
        Client::builder(config).secrets(tokens).build().unwrap()
    }
}

/// What the process does.
pub(crate) fn play() {
    let Ok(order) = std::env::var(ORDER) else { return };
    let role: Role = serde_json::from_str(&order).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        match role {
            Role::Load(site) => {
                let client = site.client();
                client.stores().await.unwrap();
                tell("ready");
                load::until(&client, site.seed, closed()).await;
            }
            Role::Platform(log) => {
                let crm = CrmFile::parse(r#"{"deals": {}, "contacts": {}}"#).unwrap().0;
                let log = SandboxLog::File(log);
                let config = SandboxConfig { log, ..SandboxConfig::new(field::ads(), crm) };
                let sandbox = sandbox::start(config).await.unwrap();
                tell(&sandbox.urls().base);
                closed().await;
                sandbox.shutdown().await;
            }
            Role::Work(site) => {
                let client = site.client();
                client.stores().await.unwrap();
                tell("ready");
                let options = RunOptions { workers: 3, poll_ms: 50, reconcile_ms: 700 };
                client.execution().run(options, closed()).await.unwrap();
            }
        }
    });
}

fn tell(what: &str) {
    // The harness has begun a line of its own.
    println!("\n{TOLD}{what}");
    let _ = std::io::stdout().flush();
}

/// Waits until nobody holds the other end of the standard input.
async fn closed() {
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = ended.send(());
    });
    let _ = end.await;
    tokio::time::sleep(Duration::ZERO).await;
}
