//! The clock of a run: simulated, and never behind what was stored.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use xynergy::env::{Clock, ManualClock};
use xynergy::store::StateStore;
use xynergy::{Error, ErrorKind, Result, TenantId, Timestamp};

const COLLECTION: &str = "clock";
const KEY: &str = "high_water";

/// How far ahead the simulated clock looks for something to do.
pub(crate) const HORIZON: Duration = Duration::from_secs(3600);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Time {
    Simulated,
    System,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Mark {
    time: Time,
    high_water: Timestamp,
    /// How many processes have run on the store.
    starts: u64,
}

/// A clock that stands still while something is in flight and jumps to the next due time.
#[derive(Clone, Debug)]
pub(crate) struct SimulatedClock {
    clock: Arc<ManualClock>,
    store: Arc<dyn StateStore>,
    starts: u64,
}

impl SimulatedClock {
    /// The clock of a store: at the greater of `now` and the time that the store has already seen. It writes nothing:
    /// another process may be running on the store.
    ///
    /// # Errors
    /// A store that was used with the system's clock, whose times would mix with simulated ones.
    pub(crate) async fn look(store: Arc<dyn StateStore>, now: Timestamp) -> Result<Self> {
        let stored = read(&*store).await?;
        refuse_system_time(stored)?;
        let now = stored.map_or(now, |mark| mark.high_water.max(now));
        Ok(Self { clock: Arc::new(ManualClock::new(now)), store, starts: 0 })
    }

    /// Stores the time before it is used. Called once the sandbox's log is locked, so that no other process runs on the
    /// store; one that ran until just now may have moved its time.
    pub(crate) async fn begin(&mut self) -> Result<()> {
        let stored = read(&*self.store).await?;
        let high_water = stored.map_or(self.now(), |mark| mark.high_water.max(self.now()));
        self.starts = stored.map_or(0, |mark| mark.starts) + 1;
        write(&*self.store, Mark { time: Time::Simulated, high_water, starts: self.starts }).await?;
        self.clock.set(high_water);
        Ok(())
    }

    /// The clock that the loop and the sandbox share.
    pub(crate) fn shared(&self) -> Arc<ManualClock> {
        self.clock.clone()
    }

    /// How many processes have run on the store, this one included: 1 on a fresh one.
    pub(crate) fn starts(&self) -> u64 {
        self.starts
    }

    /// The time now.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Jumps forward to `to`, which is stored before anybody can see it.
    pub(crate) async fn jump(&self, to: Timestamp) -> Result<()> {
        if to > self.now() {
            write(&*self.store, Mark { time: Time::Simulated, high_water: to, starts: self.starts }).await?;
            self.clock.set(to);
        }
        Ok(())
    }
}

/// Marks a store as one of the system's time.
///
/// # Errors
/// A store that has held simulated time: its windows and high-water marks mean nothing to a real platform.
pub(crate) async fn use_system_time(store: &dyn StateStore, now: Timestamp) -> Result<()> {
    match read(store).await? {
        Some(mark) if mark.time == Time::Simulated => {
            Err(mixed("the store has held simulated time: use another --store for --platform meta"))
        }
        stored => {
            let starts = stored.map_or(0, |mark| mark.starts) + 1;
            write(store, Mark { time: Time::System, high_water: now, starts }).await
        }
    }
}

/// Whether a run in simulated time has used this store.
///
/// # Errors
/// A store that was used with the system's clock.
pub(crate) async fn has_simulated_time(store: &dyn StateStore) -> Result<bool> {
    let stored = read(store).await?;
    refuse_system_time(stored)?;
    Ok(stored.is_some())
}

fn refuse_system_time(stored: Option<Mark>) -> Result<()> {
    match stored {
        Some(mark) if mark.time == Time::System => {
            Err(mixed("the store has held real time: use another --store for the sandbox"))
        }
        _ => Ok(()),
    }
}

async fn read(store: &dyn StateStore) -> Result<Option<Mark>> {
    let document = store.get(&TenantId::default(), COLLECTION, KEY).await?;
    document.map(|d| serde_json::from_str(&d.value)).transpose().map_err(|e| {
        Error::new(
            ErrorKind::Corrupt,
            "clock",
            "the stored time cannot be read: restore the store, or use another --store",
        )
        .with_source(e)
    })
}

async fn write(store: &dyn StateStore, mark: Mark) -> Result<()> {
    let value = serde_json::to_string(&mark).map_err(|e| {
        Error::new(ErrorKind::Unexpected, "clock", "the time cannot be stored").with_source(e)
    })?;
    store.put(&TenantId::default(), COLLECTION, KEY, None, &value).await.map(drop)
}

fn mixed(message: &'static str) -> Error {
    Error::new(ErrorKind::Conflict, "clock", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use xynergy::Stores;

    /// A second process looks at the store, and is refused by the sandbox's log only after the first has gone on.
    #[tokio::test]
    async fn whoever_comes_second_never_takes_the_stores_time_back() {
        let store = Stores::memory().state;
        let at = Timestamp::from_micros;
        let mut first = SimulatedClock::look(store.clone(), at(10)).await.unwrap();
        first.begin().await.unwrap();
        let mut second = SimulatedClock::look(store.clone(), at(10)).await.unwrap();
        first.jump(at(50)).await.unwrap();
        assert_eq!(read(&*store).await.unwrap().unwrap().high_water, at(50), "looking writes nothing");
        second.begin().await.unwrap();
        assert_eq!(second.now(), at(50), "what begins later begins at the greatest time");
        assert_eq!((first.starts(), second.starts()), (1, 2));
    }
}
