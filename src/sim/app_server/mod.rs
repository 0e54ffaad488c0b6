//! An app-server's monitoring link: a WebSocket server that tells every client the same frames.
//! On the same port it tells of its own process.
//!
//! Nothing is acknowledged and nothing is sent again; a client that connects is told the present
//! live queries and then whatever comes.

mod basic_info;

mod beginning;

mod content;

mod frames;

mod graphql;

mod traffic;

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{SinkExt, StreamExt, stream::SplitSink};
use tokio::{net::TcpStream, sync::mpsc, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        self, Message, Utf8Bytes,
        handshake::server::{ErrorResponse, Request, Response},
        http::StatusCode,
    },
};

pub use self::frames::{Frame, LiveQuery, LogEntry, Mtx, Section};
pub(super) use self::traffic::{Mood, run as run_traffic};
use super::port::Port;

/// Where clients find the link.
pub const LINK_PATH: &str = "/monitor-backend-link";

/// Frames that wait for one client before the sender waits.
const CLIENT_FRAMES_MAX: usize = 1024;
/// Frames written before they are flushed.
const BATCH_FRAMES_MAX: usize = 128;
/// A client that does not take a batch in this time is cut, so that it does not hold up the others.
const CLIENT_STALL_MAX: Duration = Duration::from_secs(5);

/// The simulated app-server. Dropping it ends its connections.
#[derive(Debug)]
pub struct AppServer {
    shared: Arc<Shared>,
    port: Port,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    clients: Vec<mpsc::Sender<Utf8Bytes>>,
    /// By table and filter.
    live_queries: BTreeMap<(String, String), LiveQuery>,
}

/// A client's side of [`State`]: what is so, and what will be told.
struct Subscription {
    present: Vec<Utf8Bytes>,
    queue: mpsc::Receiver<Utf8Bytes>,
}

impl AppServer {
    /// Listens on a free port of loopback and tells nothing by itself.
    pub(super) async fn start() -> io::Result<AppServer> {
        let shared = Arc::new(Shared::default());
        let served = shared.clone();
        let port = Port::open(move |stream| serve(served.clone(), stream)).await?;
        Ok(AppServer { shared, port })
    }

    /// The link's address: `ws://127.0.0.1:PORT/monitor-backend-link`.
    pub fn url(&self) -> String {
        format!("ws://{}{LINK_PATH}", self.port.address())
    }

    /// The address of what it tells of its own process.
    pub fn basic_info_url(&self) -> String {
        format!("http://{}/basic-info", self.port.address())
    }

    /// How many clients are connected.
    pub fn clients(&self) -> usize {
        let mut state = self.shared.state();
        state.clients.retain(|client| !client.is_closed());
        state.clients.len()
    }

    /// Tells every client a frame, waiting for slow ones; returns how many took it.
    ///
    /// Taken is not received: a client may be gone before it has read it.
    pub async fn send(&self, frame: &Frame) -> usize {
        let text = Utf8Bytes::from(frame.to_text());
        let clients = self.shared.note(frame);
        deliver(&clients, text).await
    }

    /// Tells every client a text that need not be a frame.
    pub async fn send_text(&self, text: &str) -> usize {
        let clients = self.shared.state().clients.clone();
        deliver(&clients, Utf8Bytes::from(text)).await
    }

    /// Refuses connections from now on and ends those that there are.
    ///
    /// # Errors
    /// The port could not be kept.
    pub async fn stop_listening(&self) -> io::Result<()> {
        self.port.close().await
    }

    /// Listens again, at the same address.
    ///
    /// # Errors
    /// The port could not be opened.
    pub async fn resume_listening(&self) -> io::Result<()> {
        self.port.reopen().await
    }

    /// Ends every connection; new ones are accepted.
    ///
    /// # Errors
    /// The accepting task has ended.
    pub async fn drop_connections(&self) -> io::Result<()> {
        self.port.drop_connections().await
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what a later client has to be told; returns the present clients.
    fn note(&self, frame: &Frame) -> Vec<mpsc::Sender<Utf8Bytes>> {
        let mut state = self.state();
        if let Frame::LQInstanceUpdated(query) = frame {
            if query.deleting {
                state.live_queries.remove(&query.identity());
            } else {
                state.live_queries.insert(query.identity(), query.clone());
            }
        }
        state.clients.retain(|client| !client.is_closed());
        state.clients.clone()
    }

    fn subscribe(&self) -> Subscription {
        let mut state = self.state();
        let (client, queue) = mpsc::channel(CLIENT_FRAMES_MAX);
        state.clients.push(client);
        let frames = state.live_queries.values().cloned().map(Frame::LQInstanceUpdated);
        Subscription { present: frames.map(|frame| frame.to_text().into()).collect(), queue }
    }
}

async fn deliver(clients: &[mpsc::Sender<Utf8Bytes>], text: Utf8Bytes) -> usize {
    let mut taken = 0;
    for client in clients {
        taken += usize::from(client.send(text.clone()).await.is_ok());
    }
    taken
}

async fn serve(shared: Arc<Shared>, stream: TcpStream) {
    if beginning::is(&stream, basic_info::BEGINNING).await {
        let clients = shared.state().clients.len();
        return basic_info::serve(stream, clients).await;
    }
    if beginning::is(&stream, graphql::BEGINNING).await {
        return graphql::serve(shared, stream).await;
    }
    let mut subscription = None;
    #[expect(clippy::result_large_err, reason = "the WebSocket crate asks for this type")]
    let accept = |request: &Request, response: Response| {
        if request.uri().path() != LINK_PATH {
            return Err(not_found());
        }
        // Before the client learns that it is connected: whatever is told after that, it is told.
        subscription = Some(shared.subscribe());
        Ok(response)
    };
    if let Ok(socket) = accept_hdr_async(stream, accept).await
        && let Some(subscription) = subscription
    {
        talk(socket, subscription).await;
    }
}

/// Until the client closes, the connection breaks, or the client takes nothing for too long.
async fn talk(socket: WebSocketStream<TcpStream>, subscription: Subscription) {
    let (mut sink, mut incoming) = socket.split();
    let Subscription { present, mut queue } = subscription;
    if write(&mut sink, present).await.is_err() {
        return;
    }
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            count = queue.recv_many(&mut batch, BATCH_FRAMES_MAX) => {
                if count == 0 || write(&mut sink, batch.drain(..)).await.is_err() {
                    return;
                }
            }
            // Reading answers pings and notices the end; clients say nothing else.
            message = incoming.next() => match message {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            }
        }
    }
}

type Sink = SplitSink<WebSocketStream<TcpStream>, Message>;

/// The client took nothing for too long, or is gone.
struct Lost;

async fn write(sink: &mut Sink, texts: impl IntoIterator<Item = Utf8Bytes>) -> Result<(), Lost> {
    let written = timeout(CLIENT_STALL_MAX, async {
        for text in texts {
            sink.feed(Message::Text(text)).await?;
        }
        sink.flush().await
    });
    written.await.map_err(|_| Lost)?.map_err(|_: tungstenite::Error| Lost)
}

fn not_found() -> ErrorResponse {
    let mut response = ErrorResponse::new(Some(format!("the link is at {LINK_PATH}")));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
