//! A JSON-RPC server that says what a test wants, with or without faults. Keeps its connections, as real ones do.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use citadel::chain::EndpointUrl;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::fault::{Fault, Faults};
use crate::told::{CONTRACT, reply};
use crate::world::endpoint;

/// A running server; it ends with the test's runtime.
pub(crate) struct Scripted {
    url: String,
    pub(crate) requests: Arc<AtomicUsize>,
    pub(crate) connections: Arc<AtomicUsize>,
    pub(crate) bodies: Arc<Mutex<Vec<Value>>>,
}

/// What makes an answer of all that is asked in one POST, instead of the small chain.
pub(crate) type Answerer = Arc<dyn Fn(&Value) -> Reply + Send + Sync>;

/// A response: status line, further headers, body.
pub(crate) struct Reply {
    pub(crate) status: &'static str,
    pub(crate) headers: &'static str,
    pub(crate) body: Vec<u8>,
}

#[derive(Clone)]
struct State {
    faults: Faults,
    answerer: Option<Answerer>,
    requests: Arc<AtomicUsize>,
    bodies: Arc<Mutex<Vec<Value>>>,
    /// Whether the contract was read already.
    read: Arc<Mutex<bool>>,
}

impl Scripted {
    pub(crate) async fn start(fault: Fault) -> Self {
        Self::with(&[fault]).await
    }

    pub(crate) async fn with(faults: &[Fault]) -> Self {
        Self::serving(Faults::of(faults), None).await
    }

    pub(crate) async fn answering(answerer: Answerer) -> Self {
        Self::serving(Faults::of(&[]), Some(answerer)).await
    }

    async fn serving(faults: Faults, answerer: Option<Answerer>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let scheme = if faults.has(Fault::Untrusted) { "https" } else { "http" };
        let url = format!("{scheme}://127.0.0.1:{port}/v3/secretkey");
        let state = State { faults, answerer, requests: Arc::default(), bodies: Arc::default(), read: Arc::default() };
        let (requests, bodies) = (state.requests.clone(), state.bodies.clone());
        let connections: Arc<AtomicUsize> = Arc::default();
        let counted = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(connected(stream, state.clone()));
            }
        });
        Self { url, requests, connections, bodies }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn endpoint(&self, variable: &str) -> EndpointUrl {
        endpoint(variable, &self.url)
    }
}

async fn connected(stream: TcpStream, state: State) {
    if state.faults.has(Fault::Untrusted) {
        // The handshake ends it: nobody trusts the certificate.
        if let Ok(stream) = untrusted().accept(stream).await {
            serve(stream, state).await;
        }
    } else if state.faults.has(Fault::Resets) {
        reset(stream).await;
    } else {
        serve(stream, state).await;
    }
}

/// A TLS server with a certificate that it signed itself.
fn untrusted() -> TlsAcceptor {
    acceptor(include_bytes!("untrusted.pem"))
}

/// A TLS server with a certificate and its key.
pub(crate) fn acceptor(pem: &[u8]) -> TlsAcceptor {
    let certificates = CertificateDer::pem_slice_iter(pem).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(pem).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    TlsAcceptor::from(Arc::new(config.with_no_client_auth().with_single_cert(certificates, key).unwrap()))
}

/// Ends a connection in the middle of an answer by a reset.
async fn reset(mut stream: TcpStream) {
    let mut part = [0; 16];
    let _ = stream.read(&mut part).await;
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{").await;
    // Closed with bytes that nobody read: the kernel resets it.
    drop(stream);
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, state: State) {
    while let Some(body) = read(&mut stream).await {
        let turn = state.requests.fetch_add(1, Ordering::SeqCst);
        let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
        state.bodies.lock().unwrap().push(asked.clone());
        let Some(reply) = state.reply(turn, &asked).await else { return };
        if send(&mut stream, &state.faults, reply).await.is_none() {
            return;
        }
    }
}

impl State {
    async fn reply(&self, turn: usize, asked: &Value) -> Option<Reply> {
        if let Some(answerer) = &self.answerer {
            return Some(answerer(asked));
        }
        let has = |fault| self.faults.has(fault);
        if has(Fault::Silent) {
            tokio::time::sleep(Duration::from_mins(1)).await;
        }
        if has(Fault::Silent) || has(Fault::Closes) || has(Fault::ClosesOnBatches) && asked.is_array() {
            return None;
        }
        let reply = |status, headers, body: String| Some(Reply { status, headers, body: body.into_bytes() });
        let refused = json!({ "jsonrpc": "2.0", "id": null, "error": { "code": -32600, "message": "no batches" } });
        let many = asked.as_array().map_or(0, Vec::len);
        if has(Fault::NoBatches) && many > 0 || has(Fault::FewAtOnce) && many > 100 {
            return reply("200 OK", "", refused.to_string());
        }
        if has(Fault::ErrorsOnBatches) && many > 0 {
            return reply("400 Bad Request", "", refused.to_string());
        }
        if has(Fault::TooMany) || has(Fault::LimitsOnce) && turn == 0 {
            let wait = if has(Fault::TooMany) { "Retry-After: 1\r\n" } else { "Retry-After: 0\r\n" };
            return reply("429 Too Many Requests", wait, "<html>slow, /v3/secretkey</html>".to_owned());
        }
        let answer = match asked {
            Value::Array(all) => Value::Array(all.iter().map(|one| self.one(one)).collect()),
            one => self.one(one),
        };
        let text = spoil(&self.faults, answer).to_string();
        match () {
            () if has(Fault::Status500) => reply("500 Internal Server Error", "", text),
            () if has(Fault::Redirect) => reply("302 Found", "Location: http://127.0.0.1:1/v3/secretkey\r\n", text),
            () if has(Fault::Unauthorized) => reply("401 Unauthorized", "", text),
            () if has(Fault::Html) => reply("200 OK", "", "<html>busy</html>".to_owned()),
            () if has(Fault::Empty) => reply("200 OK", "", String::new()),
            () if has(Fault::Gzipped) => {
                Some(Reply { status: "200 OK", headers: "Content-Encoding: gzip\r\n", body: BOMB.clone() })
            }
            () => reply("200 OK", "", text),
        }
    }

    /// One answer; some faults begin once the contract was read.
    fn one(&self, asked: &Value) -> Value {
        let mut read = self.read.lock().unwrap();
        let answer = reply(&self.faults.after(*read), asked);
        *read |= asked.to_string().contains(CONTRACT);
        answer
    }
}

/// Sends a response; nothing where the connection is of no more use.
async fn send<S: AsyncWrite + Unpin>(stream: &mut S, faults: &Faults, reply: Reply) -> Option<()> {
    let Reply { status, headers, body } = reply;
    let length = match () {
        () if faults.has(Fault::Truncated) => body.len() + 100,
        () if faults.has(Fault::Endless) => 100 << 20,
        () if faults.has(Fault::Drips) => body.len() + 10_000,
        () => body.len(),
    };
    // One that says how much will come is refused at once; this one only sends.
    let length = if faults.has(Fault::Endless) { String::new() } else { format!("Content-Length: {length}\r\n") };
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Type: application/json\r\n{length}\r\n");
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(&body).await.ok()?;
    if faults.has(Fault::Endless) {
        for _ in 0..100 {
            stream.write_all(&vec![b' '; 1 << 20]).await.ok()?;
        }
    }
    while faults.has(Fault::Drips) {
        tokio::time::sleep(Duration::from_millis(20)).await;
        stream.write_all(b" ").await.ok()?;
    }
    if faults.has(Fault::Truncated) || faults.has(Fault::Endless) {
        let _ = stream.shutdown().await;
        return None;
    }
    Some(())
}

/// A gzip stream of 100 MB of zeros: the literal zero, then matches of 258 bytes, 13 bits each.
static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let mut bits = vec![true, true, false];
    bits.extend([false, false, true, true, false, false, false, false]);
    for _ in 0..400_000 {
        bits.extend([true, true, false, false, false, true, false, true].into_iter().chain([false; 5]));
    }
    bytes.extend(bits.chunks(8).map(|bits| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit))));
    bytes
});

/// The body of one HTTP request.
async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let read = stream.read(&mut part).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&part[..read]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length:"))?.trim().parse::<usize>().ok()?;
        if bytes.len() >= end + 4 + length {
            return Some(bytes.split_off(end + 4));
        }
    }
}

/// Mixes up the ids of a good answer.
fn spoil(faults: &Faults, mut answer: Value) -> Value {
    let has = |fault| faults.has(fault);
    match &mut answer {
        Value::Array(all) if has(Fault::ForeignIds) => {
            for one in all.iter_mut() {
                one["id"] = json!(one["id"].as_u64().unwrap_or_default() + 1000);
            }
        }
        Value::Array(all) if has(Fault::SwappedIds) => {
            let ids: Vec<Value> = all.iter().rev().map(|one| one["id"].clone()).collect();
            for (one, id) in all.iter_mut().zip(ids) {
                one["id"] = id;
            }
        }
        Value::Array(all) if has(Fault::DoubledIds) => {
            let again = all.clone();
            all.extend(again);
        }
        Value::Array(all) if has(Fault::MissingIds) => {
            all.pop();
        }
        Value::Object(one) if has(Fault::ForeignIds) || has(Fault::SwappedIds) => {
            one.insert("id".to_owned(), json!(99999));
        }
        Value::Object(one) if has(Fault::MissingIds) || has(Fault::DoubledIds) => {
            one.remove("id");
        }
        _ => {}
    }
    answer
}
