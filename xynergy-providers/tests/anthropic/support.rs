use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;
use xynergy_core::config::{EnvSecrets, ProviderConfig};
use xynergy_core::env::{HttpBody, HttpFailure, HttpRequest, HttpResponse, HttpSend};
use xynergy_core::layer::Layer;
use xynergy_core::layers::AttemptLayer;
use xynergy_core::provider::{Assembler, ChatRequest, ChatResponse, Provider};
use xynergy_core::registry::ProviderParts;
use xynergy_core::{Ctx, Env, ErrorKind, Result, TenantId};
use xynergy_providers::registry::providers;

/// Answers every request with the same bytes, in pieces cut at `cuts`.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) cuts: Vec<usize>,
    pub(crate) sent: Mutex<Vec<HttpRequest>>,
}

impl Replay {
    pub(crate) fn new(status: u16, kind: &'static str, body: &[u8], cuts: &[usize]) -> Self {
        let headers = HeaderMap::from_iter([(http::header::CONTENT_TYPE, HeaderValue::from_static(kind))]);
        let body = Bytes::copy_from_slice(body);
        Self { status, headers, body, cuts: cuts.to_vec(), sent: Mutex::default() }
    }

    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap()
    }
}

#[async_trait]
impl HttpSend for Replay {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        self.sent.lock().unwrap().push(request);
        Ok(HttpResponse { status: self.status(), headers: self.headers.clone(), body: self.body.clone() })
    }

    async fn stream(&self, request: HttpRequest) -> Result<HttpBody, HttpFailure> {
        self.sent.lock().unwrap().push(request);
        let mut cuts: Vec<usize> = self.cuts.iter().map(|cut| cut % (self.body.len() + 1)).collect();
        cuts.extend([0, self.body.len()]);
        cuts.sort_unstable();
        let pieces: Vec<_> = cuts.windows(2).map(|pair| Ok(self.body.slice(pair[0]..pair[1]))).collect();
        let chunks = futures_util::stream::iter(pieces).boxed();
        Ok(HttpBody { status: self.status(), headers: self.headers.clone(), chunks })
    }
}

pub(crate) fn provider(http: Arc<Replay>) -> Arc<dyn Provider> {
    let config =
        ProviderConfig { base_url: Some("https://replay.example/v1".into()), ..ProviderConfig::default() };
    let parts = ProviderParts { http, secrets: Arc::new(EnvSecrets) };
    AttemptLayer.wrap(providers().build("anthropic", &config, &parts).unwrap())
}

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

pub(crate) fn ctx() -> Ctx {
    Ctx::new(&Env::default(), TenantId::default())
}

pub(crate) fn chat(replay: Replay) -> Result<ChatResponse> {
    block_on(provider(Arc::new(replay)).chat(&ctx(), &"Hi".into()))
}

/// The body that `request` is sent as.
pub(crate) fn sent(request: &ChatRequest) -> Result<Value> {
    let http = Arc::new(Replay::new(200, "application/json", b"{\"content\": []}", &[]));
    block_on(provider(Arc::clone(&http)).chat(&ctx(), request))?;
    let sent = http.sent.lock().unwrap();
    Ok(serde_json::from_slice(&sent[0].body).unwrap())
}

/// The answer as far as it came, and the kind of the error that ended it.
pub(crate) async fn streamed(body: &[u8], cuts: &[usize]) -> (ChatResponse, Option<ErrorKind>) {
    let http = Replay::new(200, "text/event-stream; charset=utf-8", body, cuts);
    let mut seen = Assembler::default();
    let failed = match provider(Arc::new(http)).stream(&ctx(), &"Hi".into()).await {
        Ok(mut chunks) => loop {
            match chunks.next().await {
                Some(Ok(chunk)) => seen.push(&chunk),
                Some(Err(error)) => break Some(error.kind()),
                None => break None,
            }
        },
        Err(error) => Some(error.kind()),
    };
    (seen.response(), failed)
}

pub(crate) fn stream(body: &[u8], cuts: &[usize]) -> (ChatResponse, Option<ErrorKind>) {
    block_on(streamed(body, cuts))
}

pub(crate) struct Recorded {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) status: u16,
    pub(crate) sse: bool,
    pub(crate) headers: HeaderMap,
    pub(crate) request: Option<Value>,
    pub(crate) body: Vec<u8>,
}

/// The recorded exchanges of an API, or nothing where they are absent.
pub(crate) fn recorded(api: &str) -> Vec<Recorded> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/exchanges");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skipped: ../shared/data/exchanges is absent");
        return Vec::new();
    };
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let read = |path: PathBuf| {
        let meta: Value = serde_json::from_slice(&std::fs::read(path.join("meta.json")).unwrap()).unwrap();
        let mut headers = HeaderMap::new();
        for (name, values) in meta["response_headers"].as_object().into_iter().flatten() {
            let value = values[0].as_str().and_then(|value| HeaderValue::from_str(value).ok());
            if let (Ok(name), Some(value)) = (HeaderName::from_bytes(name.as_bytes()), value) {
                headers.insert(name, value);
            }
        }
        let request =
            std::fs::read(path.join("request.json")).ok().and_then(|json| serde_json::from_slice(&json).ok());
        Recorded {
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            url: meta["url"].as_str().unwrap_or_default().to_owned(),
            status: u16::try_from(meta["status"].as_u64().unwrap()).unwrap(),
            sse: meta["sse"].as_bool().unwrap_or(false),
            headers,
            request,
            body: std::fs::read(path.join("response.body")).unwrap(),
        }
    };
    let exchanges: Vec<Recorded> =
        folders.into_iter().map(read).filter(|exchange| exchange.url.contains(api)).collect();
    assert!(!exchanges.is_empty(), "no exchange of {api}");
    exchanges
}
