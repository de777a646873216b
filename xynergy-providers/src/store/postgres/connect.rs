use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use deadpool_postgres::Connect;
use tokio::task::JoinHandle;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, Config, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;
use xynergy_core::Result;
use xynergy_core::config::SecretSource;

use super::config::{PostgresConfig, Target};
use super::tls;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
type Connected = std::result::Result<(Client, JoinHandle<()>), tokio_postgres::Error>;

/// Makes connections, each with the credentials of its moment: a password may be changed without a restart.
#[derive(Clone)]
pub(super) struct Connector {
    config: Arc<PostgresConfig>,
    secrets: Arc<dyn SecretSource>,
    tls: MakeRustlsConnect,
    first: Target,
}

impl Connector {
    pub(super) async fn new(config: Arc<PostgresConfig>, secrets: Arc<dyn SecretSource>) -> Result<Self> {
        config.validate()?;
        let first = config.target(&*secrets).await?;
        let tls = tls::connector(config.tls_ca_file.as_deref())?;
        Ok(Self { config, secrets, tls, first })
    }

    /// The configuration that pools want to see; connections read their own.
    pub(super) fn first(&self) -> Config {
        self.first.config.clone()
    }

    /// The server as it is reached now.
    pub(super) async fn target(&self) -> Target {
        match self.config.target(&*self.secrets).await {
            Ok(target) => target,
            Err(error) => {
                tracing::warn!(target: "xynergy::store", %error, "the database's credentials cannot be read again: the last ones are used");
                self.first.clone()
            }
        }
    }

    /// TLS for such a target.
    pub(super) fn tls(&self) -> MakeRustlsConnect {
        self.tls.clone()
    }

    /// A connection, with the task that drives it.
    pub(super) async fn open(&self) -> Connected {
        let target = self.target().await;
        if target.tls {
            driven(target.config, self.tls.clone()).await
        } else {
            driven(target.config, NoTls).await
        }
    }
}

async fn driven<T>(config: Config, tls: T) -> Connected
where
    T: MakeTlsConnect<Socket> + Send,
    T::Stream: Send + 'static,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    let (client, connection) = config.connect(tls).await?;
    let task = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::warn!(target: "xynergy::store", %error, "a connection to the database ended");
        }
    });
    Ok((client, task))
}

impl Connect for Connector {
    fn connect(&self, _first: &Config) -> BoxFuture<'_, Connected> {
        Box::pin(self.open())
    }
}
