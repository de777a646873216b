//! The command line of the closed loop.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use xynergy::Timestamp;

/// Runs the whole loop once: clicks and CRM webhooks in, guarded budget changes out.
///
/// Without options it needs no keys, no servers and no network: the AI providers, the ad platform and the CRM are a
/// sandbox on loopback, and the inputs are a month of one invented advertiser.
#[derive(Clone, Debug, Parser)]
#[command(name = "closed_loop", disable_version_flag = true)]
pub(crate) struct Options {
    /// Ad clicks, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub(crate) clicks: Option<PathBuf>,
    /// HubSpot webhook deliveries, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub(crate) webhooks: Option<PathBuf>,
    /// Deals and contacts of the CRM
    #[arg(long, value_name = "FILE")]
    pub(crate) crm: Option<PathBuf>,
    /// The account, its ads and the constraints on its budgets
    #[arg(long, value_name = "FILE")]
    pub(crate) ads: Option<PathBuf>,
    /// Faults of the sandbox, or `none`
    #[arg(long, value_name = "FILE")]
    pub(crate) faults: Option<PathBuf>,
    /// `sqlite:PATH` or `memory`; a new file when not given, which the report names
    #[arg(long, value_name = "STORE")]
    pub(crate) store: Option<StoreOption>,
    /// The seed of every draw
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// The time the run starts at; the newest time in the inputs when not given
    #[arg(long, value_name = "RFC3339")]
    pub(crate) now: Option<Timestamp>,
    /// Print one JSON document instead of tables
    #[arg(long)]
    pub(crate) json: bool,
    /// Where the report page is written
    #[arg(long, value_name = "FILE", default_value = "closed_loop.html")]
    pub(crate) report: PathBuf,
    /// The limits and spreading of budget changes
    #[arg(long, value_enum, default_value_t = PresetOption::Seed)]
    pub(crate) preset: PresetOption,
    /// The secret that HubSpot signs with; the sandbox's when not given
    #[arg(long, value_name = "SECRET")]
    pub(crate) hubspot_secret: Option<String>,
    /// Where budgets are read and changed: the sandbox, or the real Graph API with META_ACCESS_TOKEN and
    /// META_AD_ACCOUNT_ID
    #[arg(long, value_enum, default_value_t = PlatformOption::Sandbox)]
    pub(crate) platform: PlatformOption,
    /// With `--platform meta`: apply the plan instead of only printing it
    #[arg(long)]
    pub(crate) apply: bool,
    /// A configuration file whose [ai] part is used instead of the sandbox's providers
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Where the run is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreOption {
    /// Gone with the process.
    Memory,
    /// An SQLite file.
    Sqlite(PathBuf),
}

impl std::str::FromStr for StoreOption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "memory" => Ok(Self::Memory),
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            _ => Err("expected sqlite:PATH or memory".to_owned()),
        }
    }
}

/// A preset of the execution policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PresetOption {
    /// Every limit, no fuzz
    Standard,
    /// The same with 3 % fuzz
    Seed,
    /// No jitter and no fuzz
    Exact,
}

impl PresetOption {
    /// The preset's name in the configuration.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Seed => "seed",
            Self::Exact => "exact",
        }
    }
}

/// Where budgets live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlatformOption {
    /// The Graph API stand-in on loopback
    Sandbox,
    /// The real Graph API
    Meta,
}

impl Options {
    /// Makes sure that the report can be written, before there is a run whose end it would be.
    ///
    /// # Errors
    /// One line that names the file and why it cannot be written.
    pub(crate) fn prepare_report(&self) -> Result<(), String> {
        let new = !self.report.exists();
        match std::fs::File::options().append(true).create(true).open(&self.report) {
            Ok(_) if new => std::fs::remove_file(&self.report).or(Ok(())),
            Ok(_) => Ok(()),
            Err(e) => Err(format!(
                "--report: {} cannot be written ({e}): give the path of a file in a folder that is there",
                self.report.display()
            )),
        }
    }

    /// Whether any of the inputs is the bundled one.
    pub(crate) fn uses_bundled_data(&self) -> bool {
        [&self.clicks, &self.webhooks, &self.crm, &self.ads].iter().any(|path| path.is_none())
    }

    /// Refuses options that contradict each other.
    ///
    /// # Errors
    /// One line that names them and the way out.
    pub(crate) fn check(&self) -> Result<(), String> {
        match self.platform {
            PlatformOption::Sandbox if self.apply => {
                Err("--apply belongs to --platform meta: the sandbox's changes are always applied".to_owned())
            }
            PlatformOption::Meta if self.now.is_some() => {
                Err("--now cannot be used with --platform meta: a real platform runs on the system's clock".to_owned())
            }
            PlatformOption::Meta if self.apply && self.uses_bundled_data() => Err(
                "--apply is refused with the bundled data: give --clicks, --webhooks, --crm and --ads of your own"
                    .to_owned(),
            ),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_into_a_missing_folder_is_refused_first() {
        let options = Options::try_parse_from(["closed_loop", "--report", "/nowhere/at/all/x.html"]).unwrap();
        assert!(options.prepare_report().unwrap_err().contains("--report: /nowhere/at/all/x.html"));
    }

    #[test]
    fn stores_are_named() {
        assert_eq!("memory".parse(), Ok(StoreOption::Memory));
        assert_eq!("sqlite:a/b.db".parse(), Ok(StoreOption::Sqlite("a/b.db".into())));
        for bad in ["", "sqlite", "sqlite:", "postgres://x", "mem"] {
            assert!(bad.parse::<StoreOption>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_real_platform_keeps_real_time_and_real_data() {
        let parse = |arguments: &[&str]| {
            Options::try_parse_from([&["closed_loop"], arguments].concat()).unwrap().check()
        };
        assert!(parse(&["--platform", "meta"]).is_ok());
        assert!(parse(&["--platform", "meta", "--now", "2026-01-01T00:00:00Z"]).is_err());
        assert!(parse(&["--platform", "meta", "--apply"]).is_err());
        assert!(parse(&["--apply"]).is_err());
    }
}
