use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::config::{Host, SslMode};
use url::Url;
use xynergy_core::config::{SecretRef, SecretSource};
use xynergy_core::{Error, ErrorKind, Result, TenantId};

/// Where a PostgreSQL database is and how it is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PostgresConfig {
    /// The database's URL, `postgres://USER@HOST/DATABASE`, or where a secret with the whole URL is found.
    pub url: DatabaseUrl,
    /// The password, when the URL is written here: a URL in the configuration must not hold one.
    #[serde(default)]
    pub password: Option<SecretRef>,
    /// The schema that all tables are in; made when absent.
    #[serde(default = "default_schema")]
    pub schema: String,
    /// How many connections this process holds at most, the one that listens for work not counted.
    #[serde(default = "default_max_connections")]
    pub max_connections: u32,
    /// How long making a connection, or waiting for a free one, may take.
    #[serde(default = "default_connect_timeout_ms")]
    pub connect_timeout_ms: u64,
    /// How long one statement may take.
    #[serde(default = "default_statement_timeout_ms")]
    pub statement_timeout_ms: u64,
    /// How long a statement waits for a lock.
    #[serde(default = "default_lock_timeout_ms")]
    pub lock_timeout_ms: u64,
    /// A file with the certificate authorities (PEM) that a server's certificate is checked against; the operating
    /// system's when absent.
    #[serde(default)]
    pub tls_ca_file: Option<PathBuf>,
    /// Whether a server on another host may be used without TLS.
    #[serde(default)]
    pub allow_plaintext: bool,
    /// For tests only: accepts a server that can lose acknowledged commits. A budget change could then be sent twice.
    #[serde(default)]
    pub allow_unsafe_durability: bool,
}

fn default_schema() -> String {
    "xynergy".to_owned()
}

fn default_max_connections() -> u32 {
    16
}

fn default_connect_timeout_ms() -> u64 {
    5_000
}

fn default_statement_timeout_ms() -> u64 {
    30_000
}

fn default_lock_timeout_ms() -> u64 {
    10_000
}

/// A database's URL, or where it is found.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum DatabaseUrl {
    /// The environment variable or file that holds it.
    Secret(SecretRef),
    /// The URL itself, without a password.
    Text(String),
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(reference) => f.debug_tuple("Secret").field(reference).finish(),
            Self::Text(text) => f.debug_tuple("Text").field(&without_password(text)).finish(),
        }
    }
}

/// The URL as it may be shown.
fn without_password(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else { return "(not a URL)".to_owned() };
    if url.password().is_some() {
        let _ = url.set_password(Some("***"));
    }
    url.set_query(None);
    url.to_string()
}

impl PostgresConfig {
    /// The database at this URL, everything else as by default.
    pub fn new(url: DatabaseUrl) -> Self {
        Self {
            url,
            password: None,
            schema: default_schema(),
            max_connections: default_max_connections(),
            connect_timeout_ms: default_connect_timeout_ms(),
            statement_timeout_ms: default_statement_timeout_ms(),
            lock_timeout_ms: default_lock_timeout_ms(),
            tls_ca_file: None,
            allow_plaintext: false,
            allow_unsafe_durability: false,
        }
    }

    /// Refuses what cannot work, before anything is connected to.
    ///
    /// # Errors
    /// [`ConfigInvalid`](ErrorKind::ConfigInvalid) that names the field.
    pub fn validate(&self) -> Result<()> {
        let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let starts = self.schema.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        if !starts || !self.schema.chars().all(letters) || self.schema.len() > 63 {
            return refused(
                "schema: 1 to 63 characters of a-z, 0-9 and _, not starting with a digit, such as \"xynergy\"",
            );
        }
        if self.schema.starts_with("pg_") || self.schema == "information_schema" {
            return refused("schema: PostgreSQL keeps names that start with pg_ for itself: choose another");
        }
        if self.max_connections == 0 || self.max_connections > 1_000 {
            return refused("max_connections: 1 to 1000");
        }
        const DAY: u64 = 24 * 3_600_000;
        let timeouts = [self.connect_timeout_ms, self.statement_timeout_ms, self.lock_timeout_ms];
        if timeouts.iter().any(|t| *t == 0 || *t > DAY) {
            return refused(
                "connect_timeout_ms, statement_timeout_ms, lock_timeout_ms: each must be above 0 and at most a day",
            );
        }
        if let DatabaseUrl::Text(text) = &self.url
            && Url::parse(text).is_ok_and(|url| {
                url.password().is_some() || url.query_pairs().any(|(key, _)| key == "password")
            })
        {
            return refused(
                "url: it holds a password: put the password, or the whole URL, in an environment variable or a file and name that",
            );
        }
        Ok(())
    }

    /// How to connect, with the credentials as they are now.
    pub(super) async fn target(&self, secrets: &dyn SecretSource) -> Result<Target> {
        let tenant = TenantId::default();
        let text = match &self.url {
            DatabaseUrl::Text(text) => text.clone(),
            DatabaseUrl::Secret(reference) => secrets.get(&tenant, reference).await?.expose().to_owned(),
        };
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return refused("url: it must start with postgres:// or postgresql://");
        }
        // The parser's own error could quote a part of the URL.
        let Ok(mut config) = text.parse::<tokio_postgres::Config>() else {
            return refused("url: not a valid PostgreSQL URL (postgres://USER@HOST:PORT/DATABASE)");
        };
        if let Some(reference) = &self.password {
            config.password(secrets.get(&tenant, reference).await?.expose());
        }
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return refused("url: it names no host");
        }
        let tls = !local(&config);
        if tls && config.get_ssl_mode() == SslMode::Disable && !self.allow_plaintext {
            return refused(
                "url: the server is on another host and sslmode=disable: use TLS, or set allow_plaintext if the network is yours alone",
            );
        }
        if tls && !self.allow_plaintext {
            config.ssl_mode(SslMode::Require);
        }
        if config.get_application_name().is_none() {
            config.application_name("xynergy");
        }
        config.connect_timeout(Duration::from_millis(self.connect_timeout_ms));
        config.keepalives_idle(Duration::from_secs(30));
        config.tcp_user_timeout(Duration::from_secs(30));
        Ok(Target { config, tls })
    }
}

/// A server and whether it is spoken to over TLS.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) config: tokio_postgres::Config,
    pub(super) tls: bool,
}

/// Whether every host is this one and TLS was not asked for.
fn local(config: &tokio_postgres::Config) -> bool {
    let loopback = |host: &Host| match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    };
    config.get_ssl_mode() != SslMode::Require
        && config.get_hosts().iter().all(loopback)
        && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

fn refused<T>(message: &'static str) -> Result<T> {
    Err(Error::new(ErrorKind::ConfigInvalid, "store.open", message))
}

#[cfg(test)]
mod tests {
    use xynergy_core::config::{Secret, StaticSecrets};

    use super::*;

    fn text(url: &str) -> PostgresConfig {
        PostgresConfig::new(DatabaseUrl::Text(url.to_owned()))
    }

    async fn target(config: &PostgresConfig) -> Result<Target> {
        config.validate()?;
        config.target(&StaticSecrets::default()).await
    }

    #[test]
    fn reads_a_url_or_where_it_is() {
        let read: PostgresConfig = serde_json::from_str(r#"{"url": "postgres://u@h/d"}"#).unwrap();
        assert_eq!(read, text("postgres://u@h/d"));
        let read: PostgresConfig =
            serde_json::from_str(r#"{"url": {"env": "DATABASE_URL"}, "schema": "ads"}"#).unwrap();
        assert_eq!(read.url, DatabaseUrl::Secret(SecretRef::Env("DATABASE_URL".into())));
        assert!(serde_json::from_str::<PostgresConfig>(r#"{"url": "x", "pool": 3}"#).is_err());
    }

    #[tokio::test]
    async fn no_password_is_shown_or_kept_in_a_configuration() {
        for url in ["postgres://u:geheim@h/d", "postgres://u@h/d?password=geheim"] {
            let config = text(url);
            assert!(!format!("{config:?}").contains("geheim"), "{config:?}");
            let error = target(&config).await.err().unwrap();
            assert!(error.message().starts_with("url:") && !error.to_string().contains("geheim"), "{error}");
        }
        let secrets = StaticSecrets::default().with("URL", Secret::new("postgres://u:geheim@h:x/d"));
        let config = PostgresConfig::new(DatabaseUrl::Secret(SecretRef::Env("URL".into())));
        let error = config.target(&secrets).await.err().unwrap();
        assert!(!format!("{error:?}").contains("geheim"), "{error:?}");
    }

    #[tokio::test]
    async fn another_host_is_spoken_to_over_tls() {
        for (url, tls) in [
            ("postgres://u@127.0.0.1:5432/d", false),
            ("postgres://u@localhost/d", false),
            ("postgres://u@localhost/d?sslmode=require", true),
            ("postgres://u@%2Frun%2Fpostgresql/d", false),
            ("postgres://u@db.example.com/d", true),
            ("postgres://u@127.0.0.1,10.0.0.7/d", true),
        ] {
            let target = target(&text(url)).await.unwrap();
            assert_eq!(target.tls, tls, "{url}");
            assert_eq!(target.config.get_ssl_mode() == SslMode::Require, tls, "{url}");
        }
        let plain = text("postgres://u@db/d?sslmode=disable");
        let error = target(&plain).await.err().unwrap();
        assert!(error.message().contains("allow_plaintext"), "{error}");
        assert!(target(&PostgresConfig { allow_plaintext: true, ..plain }).await.is_ok());
    }

    #[tokio::test]
    async fn what_cannot_work_is_named() {
        let good = text("postgres://u@localhost/d");
        for (broken, field) in [
            (PostgresConfig { schema: "x\"; DROP".into(), ..good.clone() }, "schema"),
            (PostgresConfig { schema: "pg_x".into(), ..good.clone() }, "schema"),
            (PostgresConfig { schema: String::new(), ..good.clone() }, "schema"),
            (PostgresConfig { max_connections: 0, ..good.clone() }, "max_connections"),
            (PostgresConfig { lock_timeout_ms: 0, ..good.clone() }, "connect_timeout_ms"),
            (text("mysql://u@localhost/d"), "url"),
            (text("postgres:///d"), "url"),
        ] {
            let error = target(&broken).await.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
            assert!(error.message().starts_with(field), "{error}");
        }
    }
}
