//! A double of a tool: a bare socket that records every request to the byte, and answers what a
//! test makes it answer, sense or nonsense.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use monitor_backend::outside::Upstream;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
};

/// How a double answers.
#[derive(Debug, Clone)]
pub enum Reply {
    /// All of this, then the end of the connection.
    Bytes(Vec<u8>),
    /// This, and then nothing for ever.
    ThenHang(Vec<u8>),
    /// This, and then the same a little later, again and again.
    Drip(Vec<u8>, Duration),
}

impl Reply {
    /// A whole answer with a length.
    pub fn ok(headers: &str, body: &str) -> Reply {
        Reply::whole("200 OK", headers, body)
    }

    /// A whole answer of a status; `headers` are whole lines.
    pub fn whole(status: &str, headers: &str, body: &str) -> Reply {
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n");
        Reply::Bytes(format!("{head}{body}").into_bytes())
    }
}

/// A running double; it ends when it is dropped.
pub struct Double {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
    task: AbortHandle,
}

impl Double {
    /// Answers each request, but for those how it is, by what `reply` makes of its first line.
    pub async fn start(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Double {
        Double::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), reply)
    }

    /// The same on a listener of one's own.
    pub fn on(
        listener: TcpListener,
        reply: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> Double {
        let port = listener.local_addr().unwrap().port();
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let (kept, reply) = (seen.clone(), Arc::new(reply));
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, reply) = (kept.clone(), reply.clone());
                connections.spawn(async move {
                    // A client that goes away is what some tests are about.
                    let _ = serve(stream, &kept, &*reply).await;
                });
            }
        });
        Double { port, seen, task: task.abort_handle() }
    }

    /// Where it is.
    pub fn url(&self) -> Upstream {
        Upstream::parse(&format!("http://127.0.0.1:{}", self.port)).unwrap()
    }

    /// Where it is, with a path.
    pub fn url_at(&self, path: &str) -> Upstream {
        Upstream::parse(&format!("http://127.0.0.1:{}{path}", self.port)).unwrap()
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Every request but those how it is, head and body.
    pub fn seen(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|one| !is_question(one)).cloned().collect()
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn is_question(request: &str) -> bool {
    request.contains("/-/healthy ") || request.contains("/ready ") || request.contains("/health ")
}

async fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Vec<String>>,
    reply: &(dyn Fn(&str) -> Reply + Send + Sync),
) -> std::io::Result<()> {
    let request = read(&mut stream).await?;
    let line = request.lines().next().unwrap_or_default().to_owned();
    let reply = if is_question(&line) { Reply::ok("", "well") } else { reply(&line) };
    seen.lock().unwrap().push(request);
    match reply {
        Reply::Bytes(bytes) => {
            stream.write_all(&bytes).await?;
            stream.shutdown().await
        }
        Reply::ThenHang(bytes) => {
            stream.write_all(&bytes).await?;
            stream.read_to_end(&mut Vec::new()).await.map(drop)
        }
        Reply::Drip(bytes, pause) => loop {
            stream.write_all(&bytes).await?;
            tokio::time::sleep(pause).await;
        },
    }
}

/// Head, and as much of a body as it announces.
async fn read(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return Ok(text);
            }
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(text);
        }
    }
}
