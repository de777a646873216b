//! Asks one question and prints the answer as JSON: `cargo run --release --example ask -- "PROMPT"`.
//!
//! Without keys the sandbox answers. With `OPENAI_API_KEY` or `ABACUS_API_KEY` in the environment, or with `--config FILE`,
//! real providers do.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "shared/command_line.rs"]
mod command_line;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use command_line::bundled;
use futures_util::StreamExt;
use xynergy::ai::GenerateRequest;
use xynergy::provider::ChatRequest;
use xynergy::sandbox::{self, AdsFile, CrmFile, Sandbox, SandboxConfig};
use xynergy::{Client, Config, ErrorKind};

/// Wrong use: nothing was asked.
const WRONG_USE: u8 = 2;

/// Asks one question and prints the answer as one JSON document.
#[derive(Debug, Parser)]
#[command(name = "ask", disable_version_flag = true)]
struct Options {
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

#[tokio::main]
async fn main() -> ExitCode {
    let options: Options = match command_line::parse() {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("ask: {problem}");
            return ExitCode::from(WRONG_USE);
        }
    };
    let (client, _sandbox) = match client(options.config.as_deref()).await {
        Ok(built) => built,
        Err(problem) => {
            eprintln!("ask: {}", problem.replace('\n', " "));
            return ExitCode::from(WRONG_USE);
        }
    };
    let answered =
        if options.stream { stream(&client, &options).await } else { generate(&client, &options).await };
    match answered {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ask: {}", error.to_string().replace('\n', " "));
            match error.kind() {
                ErrorKind::ConfigInvalid | ErrorKind::InvalidInput => ExitCode::from(WRONG_USE),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

async fn generate(client: &Client, options: &Options) -> xynergy::Result<()> {
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
    print_whole(&serde_json::to_string_pretty(&answer).unwrap_or_default());
    Ok(())
}

async fn stream(client: &Client, options: &Options) -> xynergy::Result<()> {
    let mut request = ChatRequest::prompt(&options.prompt);
    request.max_tokens = options.max_tokens;
    request.temperature = options.temperature;
    let mut chunks = client.ai().stream(request).await?;
    let mut out = std::io::stdout();
    while let Some(chunk) = chunks.next().await {
        let _ = write!(out, "{}", chunk?.added_text());
        let _ = out.flush();
    }
    print_whole("");
    Ok(())
}

/// Prints a line. A reader that has gone, as `head` does, is no failure.
fn print_whole(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// The client, and the sandbox that it asks where there is one.
async fn client(config: Option<&Path>) -> Result<(Client, Option<Sandbox>), String> {
    let real = ["OPENAI_API_KEY", "ABACUS_API_KEY"]
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
            let sandbox = start_sandbox().await.map_err(|e| e.to_string())?;
            let client =
                Client::builder(sandbox::config(sandbox.urls())).secrets(Arc::new(sandbox::secrets(None)));
            (client.build(), Some(sandbox))
        }
    };
    Ok((client.map_err(|e| e.to_string())?, sandbox))
}

async fn start_sandbox() -> xynergy::Result<Sandbox> {
    let (ads, _) = AdsFile::load(&bundled("ads.json"))?;
    let (crm, _) = CrmFile::load(&bundled("crm.json"))?;
    sandbox::start(SandboxConfig::new(ads, crm)).await
}
