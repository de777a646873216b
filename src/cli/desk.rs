//! Where an operator works: the store of a service, as one tenant and one actor.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use xynergy_core::ads::MemoryPlatform;
use xynergy_core::config::{EnvSecrets, Secret, SecretSource};
use xynergy_core::execution::{DrawKey, Executor};

use crate::{
    Client, Config, Ctx, Currency, Env, Error, ErrorKind, Result, Scope, StoreConfig, Stores, TenantId,
};

const OPERATION: &str = "config";

/// Whose store, and who works on it.
#[derive(Clone, Debug, Args)]
pub(super) struct Place {
    /// The service's configuration file; its environment variables when not given
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Whose data
    #[arg(long, value_name = "TENANT", default_value_t = TenantId::default(), value_parser = tenant)]
    tenant: TenantId,
    /// Who acts, for the audit trail [default: the user's name in the environment]
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    pub(super) json: bool,
}

/// The opened store.
pub(super) struct Desk {
    pub(super) stores: Stores,
    pub(super) executor: Executor,
    pub(super) ctx: Ctx,
}

impl Place {
    /// The service's configuration.
    pub(super) fn config(&self) -> Result<Config> {
        let Some(path) = &self.config else { return Config::from_env() };
        let wrong = |why: String| {
            Error::new(ErrorKind::ConfigInvalid, OPERATION, format!("--config: {}: {why}", path.display()))
        };
        let text = std::fs::read_to_string(path)
            .map_err(|e| wrong(format!("cannot be read ({e}); give the path of a TOML file")))?;
        Config::from_toml(&text).map_err(|e| wrong(e.message().to_owned()))
    }

    /// The service's configuration, if it has a store that outlives a process.
    pub(super) fn lasting(&self) -> Result<Config> {
        let config = self.config()?;
        if config.store == StoreConfig::Memory {
            return Err(Error::new(
                ErrorKind::ConfigInvalid,
                OPERATION,
                "store: memory is gone with its process; name the service's store by DATABASE_URL, or by [store] in --config",
            ));
        }
        Ok(config)
    }

    /// Opens the store that is there. Needs no credentials: whoever has to stop everything may have none.
    pub(super) async fn open(&self) -> Result<Desk> {
        let config = self.lasting()?;
        refuse_absent(&config.store)?;
        let secrets: Arc<dyn SecretSource> = Arc::new(EnvSecrets);
        let stores = Stores::open(&config.store, &secrets).await?;
        // Nothing here sends, reads the ad platform or needs a jitter that cannot be guessed.
        let platform = Arc::new(MemoryPlatform::new("none", Currency::USD));
        let key = DrawKey::new(Secret::new("an operator's"));
        let executor = Executor::new(stores.changes.clone(), platform, config.execution.policy()?, key)?
            .with_roles(config.execution.roles.clone());
        let ctx = Ctx::new(&Env::default(), self.tenant.clone());
        Ok(Desk {
            stores,
            executor,
            ctx: match self.actor() {
                Some(actor) => ctx.with_actor(actor),
                None => ctx,
            },
        })
    }

    /// The service's client, with its credentials, on the store that is there.
    pub(super) fn client(&self) -> Result<Client> {
        let config = self.lasting()?;
        refuse_absent(&config.store)?;
        Client::new(config)
    }

    /// The client of the tenant, for who acts.
    pub(super) fn scope_of(&self, client: &Client) -> Scope {
        let scope = client.scope(self.tenant.clone());
        match self.actor() {
            Some(actor) => scope.with_actor(actor),
            None => scope,
        }
    }

    /// Both at once.
    pub(super) fn scope(&self) -> Result<Scope> {
        Ok(self.scope_of(&self.client()?))
    }

    /// Who acts; nobody where neither the command line nor the environment says.
    fn actor(&self) -> Option<String> {
        let from_env = || {
            ["USER", "LOGNAME", "USERNAME"]
                .iter()
                .find_map(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()))
        };
        self.actor.clone().filter(|actor| !actor.trim().is_empty()).or_else(from_env)
    }
}

fn tenant(name: &str) -> Result<TenantId> {
    TenantId::new(name)
}

/// A store that is not there would be made empty, and a mistyped path taken for a service in which nothing happened.
fn refuse_absent(store: &StoreConfig) -> Result<()> {
    match store {
        StoreConfig::Sqlite { path } if !path.exists() => Err(Error::new(
            ErrorKind::ConfigInvalid,
            OPERATION,
            format!(
                "store: {} is not there; give the path of the service's store, or make one by `xynergy migrate`",
                path.display()
            ),
        )),
        _ => Ok(()),
    }
}
