//! The sandbox on a port, until Ctrl-C.
#![allow(clippy::print_stderr)]

use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::task::Poll;

use clap::Parser;
use xynergy::sandbox::{
    self, AdsFile, CrmFile, DEFAULT_HUBSPOT_SECRET, RowProblem, Sandbox, SandboxConfig, SandboxLog,
    load_faults,
};
use xynergy::secrets::Secret;

use super::command_line::{Bundled, DONE, print};

/// Serves stand-ins for the AI providers, the Meta Graph API and HubSpot's CRM on this machine.
///
/// Ctrl-C is its ordinary end, and exit code 0.
#[derive(Clone, Debug, Parser)]
#[command(name = "sandbox", disable_version_flag = true)]
pub(crate) struct Options {
    /// The port; 0 takes any that is free
    #[arg(long, value_name = "PORT", default_value_t = 8787)]
    port: u16,
    /// The ad account [default: the demo's]
    #[arg(long, value_name = "FILE")]
    ads: Option<PathBuf>,
    /// The deals and contacts [default: the demo's]
    #[arg(long, value_name = "FILE")]
    crm: Option<PathBuf>,
    /// Fault rules from the start
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Keep the log in this file, and continue from it
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// The secret that POST /_sandbox/sign signs webhooks with
    #[arg(long, value_name = "SECRET", default_value = DEFAULT_HUBSPOT_SECRET)]
    hubspot_secret: String,
}

/// Serves until Ctrl-C, and says the exit code.
///
/// # Errors
/// One line on a wrong option or file, or a port that cannot be had.
pub(crate) async fn run(options: &Options, bundled: Bundled) -> Result<u8, String> {
    let sandbox = start(options, bundled).await?;
    // Looked at once before anybody is told of Ctrl-C: from then on it is seen.
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    let ended = match futures_util::poll!(&mut interrupted) {
        Poll::Ready(ended) => ended,
        Poll::Pending => {
            print(&usage(&sandbox, options))?;
            interrupted.await
        }
    };
    sandbox.shutdown().await;
    ended.map(|()| DONE).map_err(|e| format!("cannot wait for Ctrl-C: {e}"))
}

async fn start(options: &Options, bundled: Bundled) -> Result<Sandbox, String> {
    let text = |file| bundled(file).map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned());
    let ads = match &options.ads {
        Some(path) => AdsFile::load(path).map(|(ads, skipped)| report(path, &skipped, ads)),
        None => AdsFile::parse(&text("ads.json")?).map(|(ads, _)| ads),
    };
    let crm = match &options.crm {
        Some(path) => CrmFile::load(path).map(|(crm, skipped)| report(path, &skipped, crm)),
        None => CrmFile::parse(&text("crm.json")?).map(|(crm, _)| crm),
    };
    let (ads, crm) = (ads.map_err(|e| named("--ads", &e))?, crm.map_err(|e| named("--crm", &e))?);
    let faults = match &options.faults {
        Some(path) => load_faults(path).map_err(|e| named("--faults", &e))?,
        None => Vec::new(),
    };
    sandbox::start(SandboxConfig {
        faults,
        log: options.log.clone().map_or(SandboxLog::Memory, SandboxLog::File),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, options.port)),
        hubspot_secret: Secret::new(&options.hubspot_secret),
        ..SandboxConfig::new(ads, crm)
    })
    .await
    .map_err(|e| e.to_string())
}

fn named(option: &str, error: &xynergy::Error) -> String {
    format!("{option}: {error}")
}

/// Tells the rows that were skipped, and hands on the rest.
fn report<T>(path: &Path, skipped: &[RowProblem], rest: T) -> T {
    for problem in skipped {
        eprintln!("{}, {problem}: skipped", path.display());
    }
    rest
}

fn usage(sandbox: &Sandbox, options: &Options) -> String {
    let urls = sandbox.urls();
    let mut text = format!(
        "The sandbox serves on {base} until Ctrl-C; any key or token will do.

  OpenAI        {openai}
  Abacus.AI     {abacus}
  internal AI   {internal}
  Meta Graph    {graph}
  HubSpot       {hubspot}

OpenAI's own packages and Xynergy's Config::from_env take from the environment:

  export OPENAI_BASE_URL={openai} OPENAI_API_KEY=sandbox INTERNAL_AI_URL={internal}
",
        base = urls.base,
        openai = urls.openai,
        abacus = urls.abacus,
        internal = urls.internal,
        graph = urls.graph,
        hubspot = urls.hubspot,
    );
    if options.hubspot_secret == DEFAULT_HUBSPOT_SECRET {
        let _ = writeln!(text, "  export HUBSPOT_CLIENT_SECRET={DEFAULT_HUBSPOT_SECRET}");
    }
    let _ = write!(
        text,
        r#"
The other addresses go into a configuration as base_url; in Rust xynergy::sandbox::config writes all of it.

Try it:

  curl {base}/_sandbox/
  curl -H 'Authorization: Bearer sandbox' -d '{{"model":"m","messages":[{{"role":"user","content":"Hello?"}}]}}' \
    {openai}/chat/completions
  curl {base}/_sandbox/log
"#,
        base = urls.base,
        openai = urls.openai,
    );
    text
}
