//! The listener: connections, and how one is cut.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt;

use super::engine::{Engine, Served};
use super::incoming::{Incoming, MAX_BODY_BYTES};
use super::record::Surface;
use super::reply::Reply;

/// How long a shutdown waits for requests that are being answered.
const GRACE: Duration = Duration::from_secs(5);

/// How much of a body that is too long is read and dropped, so that its sender gets to see the refusal.
const MAX_DRAINED_BYTES: usize = 16 << 20;

/// Marks a response that is not to be sent: the connection closes instead.
#[derive(Clone, Copy)]
struct CutConnection;

pub(super) fn router(engine: Arc<Engine>) -> Router {
    Router::new().fallback(answer).with_state(engine)
}

/// Serves until `stop` changes or is dropped, then lets what is being answered end.
pub(super) async fn serve(listener: TcpListener, router: Router, mut stop: watch::Receiver<()>) {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, router.clone(), graceful.watcher()));
                }
                // The process may be out of file descriptors: waiting lets some go.
                Err(error) => {
                    tracing::warn!(%error, "the sandbox cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, router: Router, watcher: hyper_util::server::graceful::Watcher) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let router = router.clone();
        async move {
            let response: Result<Response, Infallible> = router.oneshot(request.map(Body::new)).await;
            match response {
                Ok(response) if response.extensions().get::<CutConnection>().is_some() => {
                    Err(std::io::Error::other("the sandbox cut the connection"))
                }
                Ok(response) => Ok(response),
            }
        }
    });
    let connection =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection of the sandbox ended early");
    }
}

async fn answer(State(engine): State<Arc<Engine>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = collect(body).await else {
        return Reply::json(400, &json!({"error": {"message": "the body broke off"}})).into_response();
    };
    let incoming = Incoming::new(&parts, body);
    // In a task of its own: a caller that hangs up must not tear a request apart between its effect and its line.
    let handled = tokio::spawn(async move {
        if incoming.surface == Surface::Control {
            Served::Reply(engine.control(incoming).await)
        } else {
            engine.serve(incoming).await
        }
    });
    match handled.await {
        Ok(Served::Reply(reply)) => reply.into_response(),
        Ok(Served::Cut) => {
            let mut response = ().into_response();
            response.extensions_mut().insert(CutConnection);
            response
        }
        Err(_) => Reply::json(500, &json!({"error": {"message": "a defect of the sandbox"}})).into_response(),
    }
}

/// The body, or the length of one that is too long.
async fn collect(body: Body) -> Result<Result<Bytes, u64>, axum::Error> {
    let mut chunks = body.into_data_stream();
    let mut whole = BytesMut::new();
    let mut length = 0_usize;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        length += chunk.len();
        if length <= MAX_BODY_BYTES {
            whole.extend_from_slice(&chunk);
        } else if length > MAX_DRAINED_BYTES {
            break;
        }
    }
    if length > MAX_BODY_BYTES {
        return Ok(Err(u64::try_from(length).unwrap_or(u64::MAX)));
    }
    Ok(Ok(whole.freeze()))
}
