use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use xynergy_core::config::{ProviderConfig, Secret, SecretRef, StaticSecrets};
use xynergy_core::provider::{Assembler, ChatRequest, ChatResponse, Provider};
use xynergy_core::registry::ProviderParts;
use xynergy_core::{Ctx, Env, Error, TenantId};
use xynergy_providers::http::ReqwestHttp;
use xynergy_providers::registry::providers;

pub(crate) const KEY: &str = "sk-sesame";

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) target: String,
    pub(crate) head: String,
    pub(crate) body: Value,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// What a server sends once it has read the request.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Sent once.
    pub(crate) start: Vec<u8>,
    /// Sent again and again until the client hangs up or so many bytes went out.
    pub(crate) again: Vec<u8>,
    pub(crate) most: usize,
}

pub(crate) struct Server {
    pub(crate) root: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    sent: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// How many bytes went out.
    pub(crate) fn sent(&self) -> usize {
        self.sent.load(Ordering::SeqCst)
    }
}

/// A server that answers with these bytes.
pub(crate) async fn serve(start: impl Into<Vec<u8>>) -> Server {
    serve_endless(Answer { start: start.into(), again: Vec::new(), most: 0 }).await
}

pub(crate) async fn serve_endless(answer: Answer) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    let (seen, sent) = (Arc::<Mutex<Vec<Seen>>>::default(), Arc::<AtomicUsize>::default());
    let (noted, counted) = (Arc::clone(&seen), Arc::clone(&sent));
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(handle(socket, answer.clone(), Arc::clone(&noted), Arc::clone(&counted)));
        }
    });
    Server { root, seen, sent }
}

async fn handle(mut socket: TcpStream, answer: Answer, noted: Arc<Mutex<Vec<Seen>>>, sent: Arc<AtomicUsize>) {
    let Some(seen) = read(&mut socket).await else { return };
    noted.lock().unwrap().push(seen);
    if socket.write_all(&answer.start).await.is_err() {
        return;
    }
    while sent.load(Ordering::SeqCst) < answer.most {
        if socket.write_all(&answer.again).await.is_err() {
            return;
        }
        sent.fetch_add(answer.again.len(), Ordering::SeqCst);
    }
}

async fn read(socket: &mut TcpStream) -> Option<Seen> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = socket.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let seen =
            Seen { target: head.split(' ').nth(1)?.to_owned(), head: head.to_owned(), body: Value::Null };
        let length: usize = seen.header("content-length")?.parse().ok()?;
        if body.len() >= length {
            return Some(Seen { body: serde_json::from_str(body).ok()?, ..seen });
        }
    }
}

/// A head with these lines and a body that ends with the connection.
pub(crate) fn http(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} X\r\nconnection: close\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

pub(crate) const EVENTS: &str = "content-type: text/event-stream\r\n";
pub(crate) const JSON: &str = "content-type: application/json\r\n";

/// The provider `name` with the key [`KEY`] and a model.
pub(crate) fn provider(name: &str, config: ProviderConfig) -> Arc<dyn Provider> {
    let model = config.model.clone().or(Some("m".into()));
    let config = ProviderConfig { api_key: Some(SecretRef::Env("THE_KEY".into()).into()), model, ..config };
    let secrets = StaticSecrets::default().with("THE_KEY", Secret::new(KEY));
    let parts = ProviderParts { http: Arc::new(ReqwestHttp::new()), secrets: Arc::new(secrets) };
    providers().build(name, &config, &parts).unwrap()
}

pub(crate) fn at(base_url: String) -> ProviderConfig {
    ProviderConfig { base_url: Some(base_url), ..ProviderConfig::default() }
}

pub(crate) fn ctx() -> Ctx {
    Ctx::new(&Env::default(), TenantId::default())
}

/// The answer as far as it came, and the error that ended it.
pub(crate) async fn streamed(
    provider: &Arc<dyn Provider>,
    request: &ChatRequest,
) -> (ChatResponse, Option<Error>) {
    let mut seen = Assembler::default();
    let failed = match provider.stream(&ctx(), request).await {
        Ok(mut chunks) => loop {
            match chunks.next().await {
                Some(Ok(chunk)) => seen.push(&chunk),
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        },
        Err(error) => Some(error),
    };
    (seen.response(), failed)
}
