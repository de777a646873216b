//! A server of webhooks: HubSpot's at `/webhooks/hubspot`, signed ones of any backend at `/webhooks/deals`.
//!
//! A delivery is verified and stored before its answer, which is quick; the work is done behind it by one task, and by any number of
//! such servers on one database. `cargo run --example webhook_server -- xynergy.toml`, or without a file by the environment's
//! `DATABASE_URL` and `HUBSPOT_CLIENT_SECRET`. `ADDRESS` is where it listens. It ends on SIGTERM or Ctrl-C, when what has begun is done.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use xynergy::hubspot::{Accepted, Delivery};
use xynergy::webhooks::SignedDelivery;
use xynergy::{Client, Config, Error, ErrorKind};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// HubSpot gives up after five seconds, and sends again what was not answered.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);
/// How long the worker sleeps at most: what another server accepted is not told to it.
const LOOK_AGAIN: Duration = Duration::from_secs(15);
/// Deals that are read from the CRM at once.
const DEALS: usize = 100;
/// No more of a body is read than this, whatever its length is said to be.
const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;

/// What the handlers share.
#[derive(Clone)]
struct Shared {
    client: Client,
    wake: Arc<Notify>,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let config = match std::env::args().nth(1) {
        Some(file) => Config::from_toml(&std::fs::read_to_string(file)?)?,
        None => Config::from_env()?,
    };
    let address = std::env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    serve(Client::new(config)?, listener, ended()).await
}

/// Serves until `end`, and returns when what has begun is done.
pub(crate) async fn serve(
    client: Client,
    listener: TcpListener,
    end: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Failure> {
    let shared = Shared { client, wake: Arc::default() };
    let (stop, stopped) = watch::channel(());
    let worker = tokio::spawn(work(shared.clone(), stopped));
    let app = Router::new()
        .route("/webhooks/hubspot", post(hubspot))
        .route("/webhooks/deals", post(deals))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(shared.clone());
    axum::serve(listener, app).with_graceful_shutdown(end).await?;
    drop(stop);
    worker.await?;
    shared.client.drain().await;
    Ok(())
}

async fn hubspot(
    State(shared): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    // Of the address only path and query are the server's to know: hubspot.webhook_urls has the rest.
    let (url, headers) = (uri.to_string(), by_name(&headers));
    let delivery = Delivery {
        method: method.as_str(),
        url: &url,
        headers: &headers,
        body: &body,
        received_at: None,
        source: "hubspot",
    };
    answer(&shared, shared.client.hubspot().accept(&delivery)).await
}

async fn deals(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let headers = by_name(&headers);
    let delivery = SignedDelivery { headers: &headers, body: &body, received_at: None, source: "deals" };
    answer(&shared, shared.client.webhooks().accept(&delivery)).await
}

/// 200 once the events are stored, for they are not sent again then.
async fn answer(shared: &Shared, accept: impl Future<Output = xynergy::Result<Accepted>>) -> Response {
    match tokio::time::timeout(ANSWER_WITHIN, accept).await {
        Ok(Ok(accepted)) => {
            shared.wake.notify_one();
            Json(accepted).into_response()
        }
        Ok(Err(error)) => {
            eprintln!("{error}");
            (status(&error), Json(error)).into_response()
        }
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

fn status(error: &Error) -> StatusCode {
    match error.kind() {
        ErrorKind::Unauthorized => StatusCode::UNAUTHORIZED,
        ErrorKind::InvalidInput => StatusCode::BAD_REQUEST,
        ErrorKind::LimitExceeded => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Throttled => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A header that is there twice stays two values, so that none of them passes for the whole.
fn by_name(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        all.entry(name.to_string())
            .and_modify(|known| *known += &format!(", {value}"))
            .or_insert_with(|| value.into());
    }
    all
}

/// Works on stored events until it is stopped; what was begun is ended.
async fn work(shared: Shared, mut stopped: watch::Receiver<()>) {
    loop {
        match shared.client.hubspot().process(&BTreeMap::new(), DEALS).await {
            Ok(done) if !done.is_idle() => {
                for failed in &done.failed {
                    eprintln!(
                        "deal {} waits until {}: {}",
                        failed.deal_id, failed.next_attempt_at, failed.problem
                    );
                }
                if stopped.has_changed().is_err() {
                    return;
                }
                continue;
            }
            Ok(_) => {}
            // Nothing is lost: it waits in the store until the CRM is there again.
            Err(error) => eprintln!("{error}"),
        }
        tokio::select! {
            () = shared.wake.notified() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            _ = stopped.changed() => return,
        }
    }
}

/// Ctrl-C, or what a supervisor sends.
async fn ended() {
    let interrupted = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}
