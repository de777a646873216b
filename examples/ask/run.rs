//! One question and its answer.
#![allow(clippy::print_stderr)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Parser;
use futures_util::StreamExt;
use xynergy::ai::GenerateRequest;
use xynergy::provider::ChatRequest;
use xynergy::sandbox::{self, AdsFile, CrmFile, Sandbox, SandboxConfig};
use xynergy::{Client, Config, ErrorKind};

use super::command_line::{Bundled, DONE, WRONG_USE, print};

/// No provider could answer.
const FAILED: u8 = 1;

/// Asks one question and prints the answer as one JSON document.
///
/// Without keys the sandbox answers. With OPENAI_API_KEY, ABACUS_API_KEY or ANTHROPIC_API_KEY in the environment, or with --config, real
/// providers do.
#[derive(Clone, Debug, Parser)]
#[command(name = "ask", disable_version_flag = true)]
pub(crate) struct Options {
    /// What to ask
    prompt: String,
    /// Print the answer as it arrives
    #[arg(long)]
    stream: bool,
    /// The most tokens of the answer; sized by the library when not given
    #[arg(long, value_name = "N")]
    max_tokens: Option<u32>,
    /// How far the answer may stray, 0 to 2
    #[arg(long, value_name = "T")]
    temperature: Option<f64>,
    /// A configuration file with an [ai] part
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Asks, prints the answer and says the exit code.
///
/// # Errors
/// One line on a wrong option or configuration; nothing was asked.
pub(crate) async fn run(options: &Options, name: &str, bundled: Bundled) -> Result<u8, String> {
    let (client, sandbox) = client(options.config.as_deref(), bundled).await?;
    let answered =
        if options.stream { stream(&client, options).await } else { generate(&client, options).await };
    if let Some(sandbox) = sandbox {
        sandbox.shutdown().await;
    }
    match answered {
        Ok(rest) => print(&rest).map(|()| DONE),
        Err(error) => {
            eprintln!("{name}: {}", error.to_string().replace('\n', " "));
            match error.kind() {
                ErrorKind::ConfigInvalid | ErrorKind::InvalidInput => Ok(WRONG_USE),
                _ => Ok(FAILED),
            }
        }
    }
}

/// What is left to print.
async fn generate(client: &Client, options: &Options) -> xynergy::Result<String> {
    // region: generate
    let answer = client
        .ai()
        .generate(GenerateRequest {
            prompt: options.prompt.clone(),
            max_tokens: options.max_tokens,
            temperature: options.temperature,
            ..GenerateRequest::default()
        })
        .await?;
    // endregion: generate
    Ok(format!("{}\n", serde_json::to_string_pretty(&answer).unwrap_or_default()))
}

/// Prints the pieces as they come; the line break is left.
async fn stream(client: &Client, options: &Options) -> xynergy::Result<String> {
    let mut request = ChatRequest::prompt(&options.prompt);
    request.max_tokens = options.max_tokens;
    request.temperature = options.temperature;
    let mut chunks = client.ai().stream(request).await?;
    let mut out = std::io::stdout();
    while let Some(chunk) = chunks.next().await {
        // Whoever reads may have seen enough, as `head` has.
        let _ = write!(out, "{}", chunk?.added_text());
        let _ = out.flush();
    }
    Ok("\n".to_owned())
}

/// The client, and the sandbox that it asks where there is one.
async fn client(config: Option<&Path>, bundled: Bundled) -> Result<(Client, Option<Sandbox>), String> {
    let real = ["OPENAI_API_KEY", "ABACUS_API_KEY", "ANTHROPIC_API_KEY"]
        .iter()
        .any(|key| std::env::var(key).is_ok_and(|v| !v.is_empty()));
    let (client, sandbox) = match config {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|e| {
                format!("--config: {} cannot be read ({e}): give the path of a TOML file", path.display())
            })?;
            let config =
                Config::from_toml(&text).map_err(|e| format!("{}: {}", path.display(), e.message()))?;
            (Client::new(config), None)
        }
        None if real => (Client::from_env(), None),
        None => {
            let sandbox = start_sandbox(bundled).await?;
            let client =
                Client::builder(sandbox::config(sandbox.urls())).secrets(Arc::new(sandbox::secrets(None)));
            (client.build(), Some(sandbox))
        }
    };
    Ok((client.map_err(|e| e.to_string())?, sandbox))
}

async fn start_sandbox(bundled: Bundled) -> Result<Sandbox, String> {
    let text = |file| bundled(file).map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned());
    let (ads, _) = AdsFile::parse(&text("ads.json")?).map_err(|e| e.to_string())?;
    let (crm, _) = CrmFile::parse(&text("crm.json")?).map_err(|e| e.to_string())?;
    sandbox::start(SandboxConfig::new(ads, crm)).await.map_err(|e| e.to_string())
}
