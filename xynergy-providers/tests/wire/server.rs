use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// One thing that a server does after it has read a request.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Send(Vec<u8>),
    /// Sends this again and again, with a pause after each.
    Forever(Vec<u8>, Duration),
    Pause(Duration),
    /// Is silent until the client goes.
    Hang,
    /// Breaks the connection off without a word.
    Reset,
}

/// A server that does the same for every request, and closes the connection at the end.
pub(crate) struct Server {
    pub(crate) base_url: String,
    requests: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// Serves streams and whole answers apart.
pub(crate) async fn serve(whole: Vec<Step>, streamed: Vec<Step>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    let requests = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (whole, streamed, counted) = (whole.clone(), streamed.clone(), Arc::clone(&counted));
            tokio::spawn(async move { handle(socket, &whole, &streamed, &counted).await });
        }
    });
    Server { base_url, requests }
}

async fn handle(
    mut socket: TcpStream,
    whole: &[Step],
    streamed: &[Step],
    counted: &AtomicUsize,
) -> Option<()> {
    let body = request(&mut socket).await?;
    counted.fetch_add(1, Ordering::SeqCst);
    for step in if body.contains("\"stream\":true") { streamed } else { whole } {
        match step {
            Step::Send(bytes) => socket.write_all(bytes).await.ok()?,
            Step::Forever(bytes, pause) => loop {
                socket.write_all(bytes).await.ok()?;
                sleep(*pause).await;
            },
            Step::Pause(time) => sleep(*time).await,
            Step::Hang => drop(socket.read(&mut [0]).await),
            Step::Reset => {
                socket.set_zero_linger().ok()?;
                return None;
            }
        }
    }
    socket.shutdown().await.ok()
}

async fn request(socket: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    let mut buffer = vec![0; 65_536];
    loop {
        let read = socket.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        if body.len() >= length.unwrap_or(0_usize) {
            return Some(body.to_owned());
        }
    }
}

/// An answer that ends with the connection.
pub(crate) fn http(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} X\r\nconnection: close\r\n{headers}\r\n");
    [head.as_bytes(), body.as_ref()].concat()
}

/// JSON that ends where it says.
pub(crate) fn json(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    http(status, &format!("content-type: application/json\r\ncontent-length: {length}\r\n{headers}"), body)
}

pub(crate) const EVENTS: &str = "content-type: text/event-stream\r\n";
