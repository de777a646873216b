//! A process that does one unit of work, and is ended in the midst of it.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use xynergy::env::ManualClock;
use xynergy::{TenantId, Timestamp};

use crate::place::Place;
use crate::site::Site;
use crate::statements;
use crate::unit::Unit;

const ORDER: &str = "XYNERGY_PROOF_CHILD";
const READY: &str = "proof: ready";
const DONE: &str = "proof: done ";

/// What a child is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    unit: Unit,
    place: Place,
    graph: String,
    tenant: TenantId,
    now: Timestamp,
    require_approval: bool,
    /// At which of its SQL statements it ends; 0 for at none.
    stop_at: u64,
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It was killed.
    Killed,
    /// It did its work, past so many points.
    Done(u64),
}

/// A child that stands ready to work.
pub(crate) struct Ready {
    child: Arc<Mutex<Child>>,
    input: ChildStdin,
    out: BufReader<ChildStdout>,
    unit: Unit,
}

impl Order {
    /// The unit on the site's store, ended at one of its statements; 0 for at none.
    pub(crate) fn new(site: &Site, unit: Unit, stop_at: u64) -> Self {
        Self {
            unit,
            place: site.place.clone(),
            graph: site.sandbox.urls().graph.clone(),
            tenant: site.tenant.clone(),
            now: site.now(),
            require_approval: site.require_approval,
            stop_at,
        }
    }

    /// The same on another way to the store.
    #[cfg(feature = "postgres")]
    pub(crate) fn on(self, place: Place) -> Self {
        Self { place, ..self }
    }
}

/// Starts a child, and waits until it has opened the store.
pub(crate) fn start(order: &Order) -> Ready {
    let unit = order.unit;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--nocapture", "--test-threads=1"])
        .env(ORDER, serde_json::to_string(order).unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while line.trim_end() != READY {
        line.clear();
        let read = out.read_line(&mut line).unwrap();
        assert!(read > 0, "{unit:?}: the child did not get ready: {}", rest(&mut child));
    }
    let input = child.stdin.take().unwrap();
    Ready { child: Arc::new(Mutex::new(child)), input, out, unit }
}

impl Ready {
    /// Lets it work, and waits for its end.
    pub(crate) fn go(mut self) -> End {
        // Its end may have come already.
        let _ = self.input.write_all(b"go\n");
        let done = self
            .out
            .by_ref()
            .lines()
            .map_while(std::result::Result::ok)
            .find_map(|line| line.strip_prefix(DONE).and_then(|points| points.parse().ok()));
        let mut child = self.child.lock().unwrap();
        let status = child.wait().unwrap();
        match done {
            Some(points) => End::Done(points),
            None if killed(status) => End::Killed,
            None => panic!("{:?}: the child ended by itself: {status}: {}", self.unit, rest(&mut child)),
        }
    }

    /// What kills it, for whoever stands between it and the database.
    #[cfg(feature = "postgres")]
    pub(crate) fn killer(&self) -> impl FnOnce() + Send + use<> {
        let child = self.child.clone();
        move || child.lock().unwrap().kill().unwrap()
    }
}

#[cfg(unix)]
fn killed(status: ExitStatus) -> bool {
    std::os::unix::process::ExitStatusExt::signal(&status).is_some()
}

fn rest(child: &mut Child) -> String {
    let mut text = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        let _ = stderr.read_to_string(&mut text);
    }
    text
}

/// What the child does.
pub(crate) fn work() {
    let Ok(order) = std::env::var(ORDER) else { return };
    let order: Order = serde_json::from_str(&order).unwrap();
    statements::watch();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let clock = Arc::new(ManualClock::new(order.now));
        let open = async || {
            let stores = order.place.open().await;
            crate::site::scope(stores, &order.graph, clock.clone(), &order.tenant, order.require_approval)
        };
        let mut scope = None;
        if order.unit != Unit::Open {
            let opened = open().await;
            // What is made once a process.
            opened.execution().kills().await.unwrap();
            scope = Some(opened);
        }
        // The harness has begun a line of its own.
        println!("\n{READY}");
        std::io::stdin().lock().read_line(&mut String::new()).unwrap();
        statements::arm(order.stop_at);
        let scope = match scope {
            Some(scope) => scope,
            None => open().await,
        };
        order.unit.work(&scope).await.unwrap();
        println!("\n{DONE}{}", statements::disarm());
    });
}
