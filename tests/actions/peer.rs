//! A double of an HTTP server that answers as a test wants it to, well or badly.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::PATIENCE;

/// A request that came in.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub method: String,
    pub path: String,
    /// By name in small letters.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// What is written back.
#[derive(Debug, Clone)]
pub enum Answer {
    /// These bytes, then the connection is closed.
    Bytes(Vec<u8>),
    /// These bytes, and nothing more for as long as the client stays.
    Hold(Vec<u8>),
}

/// An answer with a status and a body of known length.
pub fn whole(status: u16, body: &str) -> Answer {
    Answer::Bytes(head(status, body.len(), body))
}

/// An answer that says that its body is longer than it is.
pub fn part(status: u16, body: &str) -> Vec<u8> {
    head(status, body.len() + 1000, body)
}

fn head(status: u16, length: usize, body: &str) -> Vec<u8> {
    let text = format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    text.into_bytes()
}

/// A running double.
pub struct Peer {
    pub url: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    asked: Mutex<Vec<Asked>>,
    closed: Mutex<usize>,
}

impl Peer {
    /// Listens on a free port.
    pub async fn start(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let shared = Arc::new(Shared::default());
        let (known, answer) = (Arc::clone(&shared), Arc::new(answer));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&known), Arc::clone(&answer)));
            }
        });
        Peer { url, shared, task }
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().expect("no test panics while it holds this").clone()
    }

    /// Waits until as many clients left an answer that was held.
    pub async fn wait_for_closed(&self, count: usize) {
        let closed = || *self.shared.closed.lock().expect("no test panics while it holds this");
        wait(|| closed() >= count, "the connection is closed").await;
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Waits until something is so.
pub async fn wait(is_so: impl Fn() -> bool, what: &str) {
    let poll = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, poll).await.unwrap_or_else(|_| panic!("in time: {what}"));
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>, answer: Arc<impl Fn(&Asked) -> Answer>) {
    let Some(asked) = read(&mut stream).await else { return };
    shared.asked.lock().expect("no test panics while it holds this").push(asked.clone());
    let (bytes, holds) = match answer(&asked) {
        Answer::Bytes(bytes) => (bytes, false),
        Answer::Hold(bytes) => (bytes, true),
    };
    // The client may be gone, which is what some tests are about.
    let _ = stream.write_all(&bytes).await;
    if holds {
        let mut more = [0; 64];
        while stream.read(&mut more).await.is_ok_and(|count| count > 0) {}
        *shared.closed.lock().expect("no test panics while it holds this") += 1;
    }
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ').map(str::to_owned);
    let mut asked = Asked { method: words.next()?, path: words.next()?, ..Asked::default() };
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        asked.headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = asked.headers.get("content-length").and_then(|length| length.parse().ok());
    let whole = end + 4 + length.unwrap_or(0);
    while bytes.len() < whole {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    asked.body = String::from_utf8_lossy(&bytes[end + 4..]).into_owned();
    Some(asked)
}
