//! How far a request came, what is bounded and what is never done, over real sockets.
#![cfg(feature = "http-client")]
#![allow(clippy::unwrap_used)] // Helpers of tests are no tests to clippy.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use xynergy_core::env::{HttpPhase, HttpRequest, HttpSend};
use xynergy_providers::http::ReqwestHttp;

/// Serves each connection with the same bytes, then closes it; returns the address.
async fn serve(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/x", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = socket.read(&mut request).await;
            let _ = socket.write_all(answer).await;
        }
    });
    address
}

fn get(url: &str) -> HttpRequest {
    HttpRequest {
        method: http::Method::GET,
        url: url.parse().unwrap(),
        headers: http::HeaderMap::new(),
        body: Bytes::new(),
        timeout: Duration::from_secs(5),
        max_response_bytes: 64,
    }
}

#[tokio::test]
async fn a_refused_connection_was_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/secret", listener.local_addr().unwrap());
    drop(listener);
    let failure = ReqwestHttp::new().send(get(&url)).await.unwrap_err();
    assert_eq!(failure.phase, HttpPhase::NotSent);
    assert!(!failure.message.contains("secret"), "{failure}");
}

#[tokio::test]
async fn a_cut_connection_may_have_been_sent() {
    let url = serve(b"").await;
    let failure = ReqwestHttp::new().send(get(&url)).await.unwrap_err();
    assert_eq!((failure.phase, failure.timed_out), (HttpPhase::MaybeSent, false));
}

#[tokio::test]
async fn a_cut_body_is_a_failure() {
    let url = serve(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc").await;
    let failure = ReqwestHttp::new().send(get(&url)).await.unwrap_err();
    assert_eq!(failure.phase, HttpPhase::MaybeSent);
}

#[tokio::test]
async fn redirects_are_answers() {
    let url =
        serve(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(ReqwestHttp::new().send(get(&url)).await.unwrap().status, 302);
}

#[tokio::test]
async fn bodies_are_bounded_announced_or_not() {
    let announced = serve(b"HTTP/1.1 200 OK\r\ncontent-length: 65\r\n\r\n").await;
    let http = ReqwestHttp::new();
    assert!(http.send(get(&announced)).await.unwrap_err().message.contains("64 bytes"));

    let endless: &'static [u8] =
        b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n0123456789012345678901234567890123456789012345678901234567890123456789";
    let url = serve(endless).await;
    assert!(http.send(get(&url)).await.unwrap_err().message.contains("64 bytes"));
    let chunks: Vec<_> = http.stream(get(&url)).await.unwrap().chunks.collect().await;
    assert!(chunks.last().unwrap().is_err());
}

#[tokio::test]
async fn silence_ends_at_the_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let request = HttpRequest { timeout: Duration::from_millis(50), ..get(&url) };
    let failure = ReqwestHttp::new().send(request).await.unwrap_err();
    assert_eq!((failure.phase, failure.timed_out), (HttpPhase::MaybeSent, true));
}
