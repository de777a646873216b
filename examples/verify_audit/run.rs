//! Reads all of the history and says whether it is whole.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Parser;
use serde::{Deserialize, Serialize};
use xynergy::execution::{AuditReport, ChainHead, ChainVerifier, HistoryFilter};
use xynergy::secrets::{EnvSecrets, SecretSource};
use xynergy::store::ChangeStore;
use xynergy::{StoreConfig, Stores, TenantId};

/// Something is wrong.
pub(crate) const TAMPERED: u8 = 1;

const PAGE: usize = 1_000;

/// Verifies the history of every budget change: of all tenants and accounts, row by row.
#[derive(Clone, Debug, Parser)]
#[command(name = "verify_audit", disable_version_flag = true)]
pub(crate) struct Options {
    /// The SQLite file, or the postgres:// URL of the database; its password is taken from PGPASSWORD
    #[arg(value_name = "PATH|URL")]
    pub(crate) store: String,
    /// The schema that the tables are in, for PostgreSQL
    #[arg(long, value_name = "NAME", default_value = "xynergy")]
    pub(crate) schema: String,
    /// Compare with the heads that this file has kept, and keep the present ones in it when all is well
    #[arg(long, value_name = "FILE")]
    pub(crate) anchor: Option<PathBuf>,
}

/// The newest rows of all histories, for safe keeping elsewhere.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Anchor {
    heads: Vec<Anchored>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Anchored {
    tenant: TenantId,
    account: String,
    seq: u64,
    hash: String,
}

/// What there is to say, and the exit code.
///
/// # Errors
/// One line on a store or an anchor that cannot be read, or that a newer version wrote.
pub(crate) async fn run(options: &Options) -> Result<(String, u8), String> {
    let stores = open(options).await?;
    let kept = options.anchor.as_deref().map(read_anchor).transpose()?.flatten();
    let mut heads = BTreeMap::new();
    let (mut text, mut rows, mut open, mut bad) = (String::new(), 0, 0, None);
    for tenant in stores.changes.tenants().await.map_err(|e| e.to_string())? {
        for (account, head) in stores.changes.heads(&tenant).await.map_err(|e| e.to_string())? {
            let report = verify(&*stores.changes, &tenant, &account, &head).await?;
            let _ = writeln!(
                text,
                "{tenant} {account}: {} rows, {} open intents, head {}: {}",
                report.rows,
                report.open_intents,
                head.hash,
                report.first_bad.as_deref().unwrap_or("whole")
            );
            rows += report.rows;
            open += report.open_intents;
            bad = bad.or(report.first_bad.map(|row| format!("{tenant} {row}")));
            heads.insert((tenant.clone(), account), head);
        }
    }
    for anchored in kept.iter().flat_map(|anchor| &anchor.heads) {
        bad = bad.or(departed(&*stores.changes, anchored).await?);
    }
    let verdict = bad.as_ref().map_or("verified".to_owned(), |row| format!("BROKEN at {row}"));
    let _ = writeln!(text, "{} accounts, {rows} rows, {open} open intents: {verdict}", heads.len());
    if let (Some(path), None) = (&options.anchor, &bad) {
        write_anchor(path, heads)?;
    }
    Ok((text, if bad.is_some() { TAMPERED } else { 0 }))
}

async fn open(options: &Options) -> Result<Stores, String> {
    let config = if options.store.contains("://") {
        database(options)?
    } else {
        let path = PathBuf::from(options.store.strip_prefix("sqlite:").unwrap_or(&options.store));
        if !path.exists() {
            return Err(format!("{} is not there; give the path of the service's store", path.display()));
        }
        StoreConfig::Sqlite { path }
    };
    let secrets: Arc<dyn SecretSource> = Arc::new(EnvSecrets);
    Stores::open(&config, &secrets).await.map_err(|e| e.to_string())
}

#[cfg(feature = "postgres")]
fn database(options: &Options) -> Result<StoreConfig, String> {
    use xynergy::secrets::SecretRef;
    use xynergy::{DatabaseUrl, PostgresConfig};

    let mut config = PostgresConfig::new(DatabaseUrl::Text(options.store.clone()));
    config.schema.clone_from(&options.schema);
    config.password = std::env::var_os("PGPASSWORD").map(|_| SecretRef::Env("PGPASSWORD".to_owned()));
    config.max_connections = 1;
    Ok(StoreConfig::Postgres(config))
}

#[cfg(not(feature = "postgres"))]
fn database(_options: &Options) -> Result<StoreConfig, String> {
    Err("this was built without PostgreSQL: add --features postgres".to_owned())
}

async fn verify(
    store: &dyn ChangeStore,
    tenant: &TenantId,
    account: &str,
    head: &ChainHead,
) -> Result<AuditReport, String> {
    let mut verifier = ChainVerifier::default();
    let mut filter = HistoryFilter { change_id: None, after_seq: 0, limit: PAGE };
    loop {
        let rows = store.history(tenant, account, &filter).await.map_err(|e| e.to_string())?;
        // A service may be at work: what it appends after the head was read is verified next time.
        rows.iter().filter(|row| row.seq <= head.seq).for_each(|row| verifier.push(row));
        match rows.last() {
            Some(last) if last.seq < head.seq && last.seq > filter.after_seq => filter.after_seq = last.seq,
            _ => return Ok(verifier.finish(account, head)),
        }
    }
}

/// How the history has departed from a head that was kept: everything up to it must still be there.
async fn departed(store: &dyn ChangeStore, anchored: &Anchored) -> Result<Option<String>, String> {
    let Anchored { tenant, account, seq, hash } = anchored;
    let filter = HistoryFilter { change_id: None, after_seq: seq.saturating_sub(1), limit: 1 };
    let rows = store.history(tenant, account, &filter).await.map_err(|e| e.to_string())?;
    Ok(match rows.first().filter(|row| row.seq == *seq) {
        None => Some(format!("{tenant} {account}#{seq}: the anchor has it, and the history ends before it")),
        Some(row) if row.hash != *hash => {
            Some(format!("{tenant} {account}#{seq}: the anchor has another row"))
        }
        Some(_) => None,
    })
}

/// The heads that were kept; `None` when none were yet.
fn read_anchor(path: &Path) -> Result<Option<Anchor>, String> {
    match std::fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text)
            .map(Some)
            .map_err(|e| format!("--anchor: {} is no anchor ({e})", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("--anchor: {} cannot be read ({error})", path.display())),
    }
}

fn write_anchor(path: &Path, heads: BTreeMap<(TenantId, String), ChainHead>) -> Result<(), String> {
    let heads = heads.into_iter().map(|((tenant, account), ChainHead { seq, hash })| Anchored {
        tenant,
        account,
        seq,
        hash,
    });
    let anchor = Anchor { heads: heads.collect() };
    let text = serde_json::to_string_pretty(&anchor).map_err(|e| e.to_string())?;
    std::fs::write(path, text + "\n")
        .map_err(|e| format!("--anchor: {} cannot be written ({e})", path.display()))
}
