//! The database that the processes share, and its restarts.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};
use xynergy::StoreConfig;

/// Where it is, as a process is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Store {
    Postgres(String),
    Sqlite(PathBuf),
}

impl Store {
    pub(crate) fn config(&self) -> StoreConfig {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => {
                use xynergy::{DatabaseUrl, PostgresConfig};
                let mut config = PostgresConfig::new(DatabaseUrl::Text(url.clone()));
                config.max_connections = 4;
                StoreConfig::Postgres(config)
            }
            #[cfg(not(feature = "postgres"))]
            Self::Postgres(_) => panic!("it is built without the feature postgres"),
            Self::Sqlite(path) => StoreConfig::Sqlite { path: path.clone() },
        }
    }

    /// As the judge is told.
    pub(crate) fn address(&self) -> String {
        match self {
            Self::Postgres(url) => url.clone(),
            Self::Sqlite(path) => path.display().to_string(),
        }
    }
}

/// A database of the test's own.
pub(crate) struct Database {
    pub(crate) store: Store,
    pub(crate) folder: tempfile::TempDir,
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { store: Store::Sqlite(folder.path().join("store.sqlite")), folder }
    }

    /// A PostgreSQL server with durable settings, where one can be started: see tests/services.
    #[cfg(feature = "postgres")]
    pub(crate) fn postgres() -> Option<Self> {
        if !crate::judge::reads_postgres() {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "psycopg is missing, and CI=true");
            println!(
                "skipped: processes on PostgreSQL: the judge needs psycopg; XYNERGY_TEST_PYTHON names a Python that has it"
            );
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        // The server has a user of its own.
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let server = folder.path().join("server");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/services");
        let started = Command::new(script).arg("start").arg(&server).output().unwrap();
        if started.status.code() == Some(77) && std::env::var("CI").as_deref() != Ok("true") {
            println!("skipped: processes on PostgreSQL: {}", String::from_utf8_lossy(&started.stderr).trim());
            return None;
        }
        assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
        let env = std::fs::read_to_string(server.join("env")).unwrap();
        let url = env.lines().find_map(|line| line.strip_prefix("export XYNERGY_TEST_POSTGRES=")).unwrap();
        Some(Self { store: Store::Postgres(url.to_owned()), folder })
    }

    /// Ends the server as `mode` says, and starts it again.
    pub(crate) fn restart(&self, mode: &str) {
        let server = self.folder.path().join("server");
        let bin = std::fs::read_to_string(server.join("bin")).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
        if !is_root() {
            command = Command::new("env");
        }
        let done = command
            .arg(Path::new(bin.trim()).join("pg_ctl"))
            .args(["-m", mode, "-w", "-t", "60", "restart", "-D"])
            .arg(server.join("pg/data"))
            .arg("-l")
            .arg(server.join("pg/log"))
            .current_dir("/")
            .stdout(std::process::Stdio::null())
            .status();
        assert!(done.unwrap().success(), "the database does not start again");
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Store::Postgres(_) = self.store {
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/services");
            let _ = Command::new(script).arg("stop").arg(self.folder.path().join("server")).status();
        }
    }
}
