use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::cache::CacheKey;
use crate::ctx::TenantId;
use crate::provider::ChatResponse;

type Key = (TenantId, CacheKey);

/// Equal requests in flight: one leads and is sent, the others follow and wait for its answer.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<BTreeMap<Key, watch::Receiver<Flight>>>);

#[derive(Clone, Debug)]
pub(super) enum Flight {
    Pending,
    Landed(Arc<ChatResponse>),
    /// It failed, or is not to be shared: each follower goes by itself.
    Lost,
}

pub(super) enum Ticket {
    Leader(Leader),
    Follower(watch::Receiver<Flight>),
}

/// Dropped without an answer, its followers wake and one of them leads.
pub(super) struct Leader {
    flights: Arc<Flights>,
    key: Key,
    sender: watch::Sender<Flight>,
}

impl Flights {
    pub(super) fn join(self: &Arc<Self>, tenant: &TenantId, key: &CacheKey) -> Ticket {
        let key = (tenant.clone(), *key);
        let mut flights = self.map();
        if let Some(flight) = flights.get(&key) {
            return Ticket::Follower(flight.clone());
        }
        let (sender, receiver) = watch::channel(Flight::Pending);
        flights.insert(key.clone(), receiver);
        Ticket::Leader(Leader { flights: Arc::clone(self), key, sender })
    }

    fn map(&self) -> MutexGuard<'_, BTreeMap<Key, watch::Receiver<Flight>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Leader {
    pub(super) fn land(self, flight: Flight) {
        self.sender.send_replace(flight);
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.flights.map().remove(&self.key);
    }
}

/// What became of the leader; `None` when it was dropped on the way.
pub(super) async fn landing(mut flight: watch::Receiver<Flight>) -> Option<Flight> {
    flight.wait_for(|flight| !matches!(flight, Flight::Pending)).await.ok().map(|flight| flight.clone())
}
