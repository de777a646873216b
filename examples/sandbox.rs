//! Serves the sandbox on a port: `cargo run --example sandbox`.
//!
//! Point a backend under development at the printed addresses instead of OpenAI, Abacus.AI, Meta and HubSpot. `GET /_sandbox/`
//! says how it is watched and steered.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "shared/command_line.rs"]
mod command_line;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use command_line::bundled;
use xynergy::sandbox::{
    self, AdsFile, CrmFile, DEFAULT_HUBSPOT_SECRET, RowProblem, Sandbox, SandboxConfig, SandboxLog,
    load_faults,
};
use xynergy::secrets::Secret;

/// Serves stand-ins for the AI providers, the Meta Graph API and HubSpot's CRM on this machine.
#[derive(Debug, Parser)]
#[command(name = "sandbox", disable_version_flag = true)]
struct Options {
    /// The port; 0 takes any that is free
    #[arg(long, value_name = "PORT", default_value_t = 8787)]
    port: u16,
    /// The ad account [default: examples/data/ads.json]
    #[arg(long, value_name = "FILE")]
    ads: Option<PathBuf>,
    /// The deals and contacts [default: examples/data/crm.json]
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

#[tokio::main]
async fn main() -> ExitCode {
    let served = match command_line::parse::<Options>() {
        Ok(options) => serve(&options).await,
        Err(problem) => Err(problem),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("sandbox: {}", problem.replace('\n', " "));
            ExitCode::from(2)
        }
    }
}

async fn serve(options: &Options) -> Result<(), String> {
    let sandbox = start(options).await?;
    print_usage(&sandbox, options);
    tokio::signal::ctrl_c().await.map_err(|e| format!("cannot wait for Ctrl-C: {e}"))?;
    sandbox.shutdown().await;
    Ok(())
}

async fn start(options: &Options) -> Result<Sandbox, String> {
    let ads_path = options.ads.clone().unwrap_or_else(|| bundled("ads.json"));
    let crm_path = options.crm.clone().unwrap_or_else(|| bundled("crm.json"));
    let (ads, skipped) = AdsFile::load(&ads_path).map_err(|e| named("--ads", &e))?;
    report(&ads_path, &skipped);
    let (crm, skipped) = CrmFile::load(&crm_path).map_err(|e| named("--crm", &e))?;
    report(&crm_path, &skipped);
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

fn report(path: &Path, skipped: &[RowProblem]) {
    for problem in skipped {
        eprintln!("{}, {problem}: skipped", path.display());
    }
}

fn print_usage(sandbox: &Sandbox, options: &Options) {
    let urls = sandbox.urls();
    println!("The sandbox serves on {} until Ctrl-C; any key or token will do.\n", urls.base);
    println!("  OpenAI        {}", urls.openai);
    println!("  Abacus.AI     {}", urls.abacus);
    println!("  internal AI   {}", urls.internal);
    println!("  Meta Graph    {}", urls.graph);
    println!("  HubSpot       {}", urls.hubspot);
    println!("\nOpenAI's own packages and Xynergy's Config::from_env take from the environment:\n");
    println!(
        "  export OPENAI_BASE_URL={} OPENAI_API_KEY=sandbox INTERNAL_AI_URL={}",
        urls.openai, urls.internal
    );
    if options.hubspot_secret == DEFAULT_HUBSPOT_SECRET {
        println!("  export HUBSPOT_CLIENT_SECRET={DEFAULT_HUBSPOT_SECRET}");
    }
    println!(
        "\nThe other addresses go into a configuration as base_url; in Rust xynergy::sandbox::config writes all of it."
    );
    println!("\nTry it:\n");
    println!("  curl {}/_sandbox/", urls.base);
    println!(
        "  curl -H 'Authorization: Bearer sandbox' -d '{{\"model\":\"m\",\"messages\":[{{\"role\":\"user\",\"content\":\"Hello?\"}}]}}' \\"
    );
    println!("    {}/chat/completions", urls.openai);
    println!("  curl {}/_sandbox/log", urls.base);
}
