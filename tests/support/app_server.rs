//! A double of the app-server: it greets, and says what a test makes it say.

#![allow(dead_code, reason = "every test binary compiles this file and uses its own part of it")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Bytes, Message},
};

/// The link connects within this time, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(30);

/// A listening double.
pub struct AppServer {
    listener: TcpListener,
}

/// One connection of the link.
pub struct Connection(pub WebSocketStream<TcpStream>);

impl AppServer {
    /// Listens on a free port.
    pub async fn start() -> AppServer {
        AppServer { listener: TcpListener::bind("127.0.0.1:0").await.expect("a free port") }
    }

    /// Holds a port on which connections are refused; `listen` on it makes it a server.
    pub fn stopped() -> TcpSocket {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        socket
    }

    /// Begins to listen on a held port.
    pub fn listen(socket: TcpSocket) -> AppServer {
        AppServer { listener: socket.listen(16).expect("the port is held") }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("ws://{}", self.listener.local_addr().expect("it is bound"))
    }

    /// The next connection, before any greeting.
    pub async fn accept_bare(&self) -> TcpStream {
        let accepted = timeout(PATIENCE, self.listener.accept()).await;
        accepted.expect("the link connects").expect("accepting works").0
    }

    /// The next connection, greeted.
    pub async fn accept(&self) -> Connection {
        let stream = self.accept_bare().await;
        Connection(tokio_tungstenite::accept_async(stream).await.expect("a good greeting"))
    }
}

impl AppServer {
    /// The next connection, greeted; `None` for one that does not speak WebSocket.
    pub async fn try_accept(&self) -> Option<Connection> {
        let stream = self.accept_bare().await;
        tokio_tungstenite::accept_async(stream).await.ok().map(Connection)
    }
}

impl Connection {
    /// Sends one text frame.
    pub async fn say(&mut self, frame: &str) {
        self.0.send(Message::text(frame)).await.expect("the link listens");
    }

    /// Returns when the link has read all that was said.
    pub async fn wait_until_read(&mut self) {
        let ping = Message::Ping(Bytes::from_static(b"read?"));
        self.0.send(ping).await.expect("the link listens");
        let answer = async {
            while !matches!(self.0.next().await, Some(Ok(Message::Pong(p))) if &p[..] == b"read?") {
            }
        };
        timeout(PATIENCE, answer).await.expect("the link reads on");
    }

    /// Reads, and so answers pings, until `count` have come.
    pub async fn answer_pings(&mut self, count: usize) {
        for _ in 0..count {
            let message = timeout(PATIENCE, self.0.next()).await.expect("the link sends pings");
            assert!(matches!(message, Some(Ok(Message::Ping(_)))), "{message:?}");
        }
        self.0.flush().await.expect("the link listens");
    }
}

/// A frame with a log line.
pub fn log(time: f64, message: &str) -> String {
    json!({"LogEntryAdded": {"entry": {
        "time": time, "level": "INFO", "target": "t", "span_name": "s", "message": message,
    }}})
    .to_string()
}

/// A frame with a trace of one section.
pub fn trace(id: &str, duration: Option<f64>) -> String {
    let section = json!({
        "path": "f", "extra_info": null, "start_time": 1000.0, "duration": duration,
    });
    let lifetimes: Value = [("f#1000".to_owned(), section)].into_iter().collect();
    json!({"MtxEntryDone": {"mtx": {"id": id, "section_lifetimes": lifetimes}}}).to_string()
}

/// A frame with a live query.
pub fn live_query(table: &str, watchers: u64) -> String {
    json!({"LQInstanceUpdated": {
        "table_name": table, "filter": {"b": 1, "a": 2}, "last_entries": [{"id": "x"}],
        "watchers_count": watchers, "deleting": false,
    }})
    .to_string()
}

/// The present time in milliseconds.
pub fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is after 1970");
    since.as_secs_f64() * 1000.0
}
