use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::{Host, Url};
use xynergy_core::config::{SecretRef, SecretSource};
use xynergy_core::{Error, ErrorKind, Result, TenantId};

use super::error::from_redis;

/// Where a Redis server is and how it is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedisConfig {
    /// The server's URL, `redis://HOST:PORT/DATABASE` (`rediss` with TLS), or where a secret with the whole URL is found.
    pub url: RedisUrl,
    /// What every key begins with.
    #[serde(default = "default_prefix")]
    pub prefix: String,
    /// How long making a connection may take.
    #[serde(default = "default_connect_timeout_ms")]
    pub connect_timeout_ms: u64,
    /// How long an answer may take.
    #[serde(default = "default_response_timeout_ms")]
    pub response_timeout_ms: u64,
    /// Whether a server on another host may be used without TLS.
    #[serde(default)]
    pub allow_plaintext: bool,
}

fn default_prefix() -> String {
    "xynergy".to_owned()
}

fn default_connect_timeout_ms() -> u64 {
    1_000
}

fn default_response_timeout_ms() -> u64 {
    1_000
}

/// A server's URL, or where it is found.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RedisUrl {
    /// The environment variable or file that holds it.
    Secret(SecretRef),
    /// The URL itself, without a password.
    Text(String),
}

impl fmt::Debug for RedisUrl {
    /// A URL that holds a password against the rules is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(reference) => f.debug_tuple("Secret").field(reference).finish(),
            Self::Text(text) if !text.contains('@') => f.debug_tuple("Text").field(text).finish(),
            Self::Text(_) => f.write_str("Text(***)"),
        }
    }
}

impl RedisConfig {
    /// The server at this URL, everything else as by default.
    pub fn new(url: RedisUrl) -> Self {
        Self {
            url,
            prefix: default_prefix(),
            connect_timeout_ms: default_connect_timeout_ms(),
            response_timeout_ms: default_response_timeout_ms(),
            allow_plaintext: false,
        }
    }

    /// Refuses what cannot work, before anything is connected to.
    ///
    /// # Errors
    /// [`ConfigInvalid`](ErrorKind::ConfigInvalid) that names the field.
    pub fn validate(&self) -> Result<()> {
        if self.prefix.is_empty() || self.prefix.contains(['{', '}']) {
            return Err(wrong("redis.prefix: empty or with a brace; give a name such as xynergy"));
        }
        if self.connect_timeout_ms == 0 || self.response_timeout_ms == 0 {
            return Err(wrong("redis.connect_timeout_ms and redis.response_timeout_ms: give at least 1"));
        }
        match &self.url {
            RedisUrl::Text(text) => self.checked(text, true).map(drop),
            RedisUrl::Secret(_) => Ok(()),
        }
    }

    /// The URL is never repeated: it may hold a password.
    fn checked(&self, text: &str, is_written: bool) -> Result<Url> {
        let url: Url =
            text.parse().map_err(|_| wrong("redis.url: not an address such as redis://localhost:6379/0"))?;
        if is_written && url.password().is_some() {
            return Err(wrong(
                "redis.url: holds a password; put the URL in the environment and give { env = NAME }",
            ));
        }
        let is_local = match url.host() {
            // With a scheme that is none of the web's, an address is a name like any other.
            Some(Host::Domain(name)) => {
                name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            }
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => return Err(wrong("redis.url: no host; give redis://HOST:PORT/DATABASE")),
        };
        match url.scheme() {
            "rediss" => Ok(url),
            "redis" if is_local || self.allow_plaintext => Ok(url),
            "redis" => Err(wrong(
                "redis.url: redis to another host is unencrypted; use rediss or set redis.allow_plaintext = true",
            )),
            _ => Err(wrong("redis.url: the scheme is neither redis nor rediss")),
        }
    }

    /// A connection that is made at its first use and made again when it breaks.
    pub(super) async fn connection(&self, secrets: &dyn SecretSource) -> Result<ConnectionManager> {
        let url = match &self.url {
            RedisUrl::Text(text) => self.checked(text, true)?,
            RedisUrl::Secret(reference) => {
                self.checked(secrets.get(&TenantId::default(), reference).await?.expose(), false)?
            }
        };
        if url.scheme() == "rediss" && rustls::crypto::CryptoProvider::get_default().is_none() {
            // The client asks for the process's own, and where a program holds two kinds, there is none by itself.
            let Some(provider) = crate::tls::provider() else {
                return Err(wrong("redis.url: rediss needs the feature rustls or ring"));
            };
            // Somebody else may have been first, which is as good.
            let _ = provider.as_ref().clone().install_default();
        }
        let client = redis::Client::open(url.as_str())
            .map_err(|_| wrong("redis.url: the client cannot use it; give redis://HOST:PORT/DATABASE"))?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(Duration::from_millis(self.connect_timeout_ms)))
            .set_response_timeout(Some(Duration::from_millis(self.response_timeout_ms)))
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_millis(100));
        ConnectionManager::new_lazy_with_config(client, config).map_err(|e| from_redis("ai.spend", &e))
    }
}

fn wrong(message: &'static str) -> Error {
    Error::new(ErrorKind::ConfigInvalid, "config", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_and_not_repeated() {
        let of = |url: &str| RedisConfig::new(RedisUrl::Text(url.to_owned()));
        for url in ["redis://localhost:6379/0", "redis://127.0.0.1:1", "rediss://cache.example:6380/1"] {
            of(url).validate().unwrap();
        }
        for (url, part) in [
            ("redis://cache.example", "unencrypted"),
            ("redis://:geheim@localhost", "holds a password"),
            ("http://localhost", "scheme"),
            ("geheim", "not an address"),
        ] {
            let error = of(url).validate().unwrap_err();
            assert!(error.message().contains(part), "{error}");
            assert!(!format!("{error:?} {:?}", of("redis://:geheim@localhost")).contains("geheim"));
        }
        let plain = RedisConfig { allow_plaintext: true, ..of("redis://cache.example") };
        plain.validate().unwrap();
        assert!(RedisConfig { prefix: "a{b}".into(), ..plain }.validate().is_err());
    }
}
