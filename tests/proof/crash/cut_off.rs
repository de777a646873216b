//! A process is killed in the place of each message that it sends to PostgreSQL, one after the other.

use futures_util::{StreamExt, stream};
use xynergy::env::{Clock, SystemClock};
use xynergy::{Stores, Timestamp};

use crate::child::{self, End, Order};
use crate::killed::Points;
use crate::place::{Place, database};
use crate::site::Site;
use crate::unit::Unit;
use crate::wire::Wire;
use crate::{check, full, units};

const AT_ONCE: usize = 4;

/// A database server, and what makes the names of one run differ from those of others.
struct Server {
    url: String,
    /// The schema that all units but one share.
    stores: Option<Stores>,
    run: String,
}

impl Server {
    fn place(&self, unit: Unit, point: u64) -> Place {
        // The tables of one unit are made anew each time; the others each have a tenant of their own.
        let own = if unit == Unit::Open { format!("_{point}") } else { String::new() };
        Place::Postgres { url: self.url.clone(), schema: format!("crash_{}{own}", self.run) }
    }

    /// The part of the URL that names the server, and the URL with another in its place.
    fn through(&self, wire: &Wire, place: &Place) -> Place {
        let Place::Postgres { url, schema } = place else { panic!("it is no server") };
        Place::Postgres {
            url: url.replace(&self.address(), &wire.address().to_string()),
            schema: schema.clone(),
        }
    }

    fn address(&self) -> String {
        let (_, rest) = self.url.split_once('@').expect("postgres://USER@HOST:PORT/DATABASE");
        rest.split('/').next().unwrap().to_owned()
    }
}

/// Kills at one message; how the process ended, and how many messages it had sent.
async fn kill_at(server: &Server, unit: Unit, point: u64) -> (End, u64) {
    let tenant = format!("{unit:?}-{point}").replace(['(', ')'], "-");
    let place = server.place(unit, point);
    let mut site = Site::new(place, &tenant, unit.requires_approval(), unit.faults()).await;
    site.stores = server.stores.clone().filter(|_| unit != Unit::Open);
    unit.prepare(&site).await;
    let wire = Wire::to(server.address());
    let order = Order::new(&site, unit, 0).on(server.through(&wire, &site.place));
    let (end, seen) = tokio::task::spawn_blocking(move || {
        let ready = child::start(&order);
        wire.arm(point, ready.killer());
        let end = ready.go();
        (end, wire.seen())
    })
    .await
    .unwrap();
    let scope = site.scope().await;
    unit.go_on(&site, &scope).await;
    check::ended(&site, &scope, unit, &format!("PostgreSQL, {unit:?}, killed at message {point} ({end:?})"))
        .await;
    (end, seen)
}

/// The messages of a unit, every `stride`-th of them tried, the first one at `first`.
async fn points(server: &Server, unit: Unit, first: u64, stride: u64) -> Points {
    let (end, found) = kill_at(server, unit, 0).await;
    assert_ne!(end, End::Killed);
    let tried = (first..=found).step_by(usize::try_from(stride).unwrap());
    let ends = tried.map(|point| async move {
        assert_eq!(kill_at(server, unit, point).await.0, End::Killed, "{unit:?}, point {point}");
    });
    let covered = stream::iter(ends).buffer_unordered(AT_ONCE).count().await;
    Points { found, covered: u64::try_from(covered).unwrap() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_whichever_message_to_postgres_is_the_last() {
    let Some(url) = database() else { return };
    let now: Timestamp = SystemClock.now();
    let mut server = Server { url, stores: None, run: format!("{}_{}", std::process::id(), now.millis()) };
    server.stores = Some(server.place(Unit::Apply, 0).open().await);
    let stride = if full() { 1 } else { 97 };
    let mut total = Points::default();
    for (number, unit) in units() {
        let started = std::time::Instant::now();
        let points = points(&server, unit, 1 + number % stride, stride).await;
        points.report("postgres", unit, started.elapsed());
        total.add(points);
    }
    total.report_all("postgres", full());
}
