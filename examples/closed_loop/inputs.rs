//! The input files of a run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use xynergy::Timestamp;
use xynergy::sandbox::{AdsFile, CrmFile, FaultRule};

use super::super::command_line::Bundled;
use super::options::Options;

/// Everything a run is computed from.
pub(crate) struct Inputs {
    /// One click a line.
    pub(crate) clicks: Vec<u8>,
    /// The deliveries that could be read, with the number of their line.
    pub(crate) deliveries: Vec<(usize, Delivery)>,
    /// Lines of the webhooks that are no delivery.
    pub(crate) broken_deliveries: u64,
    pub(crate) crm: CrmFile,
    pub(crate) ads: AdsFile,
    pub(crate) faults: Vec<FaultRule>,
    /// The newest time of a click or a delivery.
    pub(crate) newest: Timestamp,
    /// What was skipped: file, line and why.
    pub(crate) problems: Vec<String>,
    digest: Sha256,
}

/// One webhook delivery as HubSpot sent it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) received_at: Timestamp,
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Inputs {
    /// Reads all files.
    ///
    /// # Errors
    /// One line that names the file, what is wrong with it and how to mend it.
    pub(crate) fn read(options: &Options, bundled: Bundled) -> Result<Self, String> {
        let clicks = read("clicks", &options.clicks, bundled)?;
        let webhooks = read("webhooks", &options.webhooks, bundled)?;
        let crm_text = read_text("crm", &options.crm, bundled)?;
        let ads_text = read_text("ads", &options.ads, bundled)?;
        let mut digest = Sha256::new();
        for bytes in [&clicks.1, &webhooks.1, crm_text.1.as_bytes(), ads_text.1.as_bytes()] {
            digest.update((bytes.len() as u64).to_le_bytes());
            digest.update(bytes);
        }

        let mut problems = Vec::new();
        let (ads, rows) = AdsFile::parse(&ads_text.1).map_err(|e| in_file(&ads_text.0, &e))?;
        problems.extend(rows.iter().map(|problem| format!("{}: {problem}", ads_text.0.display())));
        if ads.ads.is_empty() {
            let why = rows.first().map_or_else(|| "ads: is empty".to_owned(), ToString::to_string);
            return Err(format!("{}: no ad can be read ({why}): give at least one", ads_text.0.display()));
        }
        let (crm, rows) = CrmFile::parse(&crm_text.1).map_err(|e| in_file(&crm_text.0, &e))?;
        problems.extend(rows.iter().map(|problem| format!("{}: {problem}", crm_text.0.display())));
        let faults = match &options.faults {
            Some(path) if path.as_os_str() == "none" => Vec::new(),
            path => {
                let (path, text) = read_text("faults", path, bundled)?;
                xynergy::sandbox::parse_faults(&text).map_err(|e| in_file(&path, &e))?
            }
        };

        let (mut deliveries, mut broken_deliveries) = (Vec::new(), 0);
        for (number, line) in lines(&webhooks.1) {
            match serde_json::from_slice::<Delivery>(line) {
                Ok(delivery) => deliveries.push((number, delivery)),
                Err(error) => {
                    broken_deliveries += 1;
                    problems.push(format!("{}, line {number}: {error}", webhooks.0.display()));
                }
            }
        }
        let newest_delivery = deliveries.iter().map(|(_, delivery)| delivery.received_at).max();
        let newest = newest_click(&clicks.1).max(newest_delivery).unwrap_or_default();
        Ok(Self {
            clicks: clicks.1,
            deliveries,
            broken_deliveries,
            crm,
            ads,
            faults,
            newest,
            problems,
            digest,
        })
    }

    /// The id of the run: the same inputs, seed and start give the same, so that a run can be resumed.
    pub(crate) fn run_id(&self, seed: u64, now: Timestamp) -> String {
        let mut digest = self.digest.clone();
        digest.update(seed.to_le_bytes());
        digest.update(now.micros().to_le_bytes());
        digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The lines of an NDJSON file with their numbers, without the empty ones and a byte-order mark. A line need not be UTF-8: one that is not
/// is a bad line, not a bad file.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    bytes
        .strip_prefix("\u{feff}".as_bytes())
        .unwrap_or(bytes)
        .split(|b| *b == b'\n')
        .map(<[u8]>::trim_ascii)
        .zip(1..)
        .map(|(line, n)| (n, line))
        .filter(|(_, line)| !line.is_empty())
}

/// The newest time of a click line; lines that cannot be read are reported when they are ingested.
fn newest_click(clicks: &[u8]) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct Time {
        ts: Timestamp,
    }
    lines(clicks).filter_map(|(_, line)| serde_json::from_slice::<Time>(line).ok()).map(|time| time.ts).max()
}

/// The file that `option` names, or the bundled one.
fn read(name: &str, option: &Option<PathBuf>, bundled: Bundled) -> Result<(PathBuf, Vec<u8>), String> {
    let Some(path) = option else {
        let extension = if matches!(name, "clicks" | "webhooks") { "ndjson" } else { "json" };
        return bundled(&format!("{name}.{extension}")).map_err(|e| format!("--{name}: {e}"));
    };
    let bytes = std::fs::read(path).map_err(|e| {
        format!("--{name}: {} cannot be read ({e}): give the path of a readable file", path.display())
    })?;
    Ok((path.clone(), bytes))
}

fn read_text(name: &str, option: &Option<PathBuf>, bundled: Bundled) -> Result<(PathBuf, String), String> {
    let (path, bytes) = read(name, option, bundled)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| format!("--{name}: {} is not UTF-8 text: save it as UTF-8", path.display()))?;
    Ok((path, text))
}

fn in_file(path: &Path, error: &xynergy::Error) -> String {
    format!("{}: {}", path.display(), error.message())
}
