//! The link to the app-server: a WebSocket client that takes what comes.
//!
//! Nothing is acknowledged or sent again, so what comes while the link is down is lost. Frames come
//! in the order in which they were sent: everything that was sent before the last frame has come.

mod basic_info;

mod frame;

mod heard;

mod overflow;

mod session;

mod traces;

mod url;

use std::{convert::Infallible, time::Duration};

use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{Error as WsError, protocol::WebSocketConfig},
};

use super::{
    pace::Pace,
    report::Report,
    supervisor::{Failure, Retry, Source},
};
use crate::{event::Event, redact};
pub use basic_info::{BasicInfo, NAME as BASIC_INFO_NAME};
use session::Session;

/// The name of this source.
pub const NAME: &str = "app-server";

/// The longest message that is taken; half of what a record can hold.
const MESSAGE_BYTES_MAX: usize = 4 << 20;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The link to one app-server.
pub struct Link {
    url: Option<String>,
    pace: Pace,
    session: Option<Session>,
}

impl Link {
    /// A link to the app-server at `url`, if there is one.
    pub fn new(url: Option<&str>, pace: Pace) -> Link {
        Link { url: url.map(str::to_owned), pace, session: None }
    }
}

impl Source for Link {
    async fn observe(&mut self, report: &mut Report) -> Result<Infallible, Failure> {
        let Some(url) = &self.url else {
            let reason = "not configured: set --app-server-url or APP_SERVER_URL";
            return Err(Failure::NotConfigured { reason: reason.into() });
        };
        let url =
            url::complete(url).map_err(|reason| Failure::Down { reason, retry: Retry::Rarely })?;
        let session = match &mut self.session {
            Some(session) => session,
            None => {
                report.connecting().await?;
                let socket = connect(&url, self.pace.greeting_max).await?;
                self.session.insert(Session::new(socket, self.pace))
            }
        };
        let since = session.settled().await;
        report.up_since(since).await?;
        let failed = session.run(report).await?;
        self.session = None;
        let reason = format!("the link to {} ended: {failed}", redact::text(&url));
        Err(Failure::Down { reason, retry: Retry::BackOff })
    }

    fn forget(&mut self) {
        self.session = None;
    }

    fn last_words(&self) -> Vec<Event> {
        self.session.as_ref().map(Session::last_words).unwrap_or_default()
    }

    fn start_over(&mut self) {
        // What comes while the link is down is lost, so the connection stays.
        if let Some(session) = &mut self.session {
            session.start_over();
        }
    }
}

async fn connect(url: &str, limit: Duration) -> Result<Socket, Failure> {
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let connecting = connect_async_with_config(url, Some(config), true);
    let failed = match timeout(limit, connecting).await {
        Ok(Ok((socket, _))) => return Ok(socket),
        Ok(Err(WsError::Http(answer))) => format!(
            "it answered {}; is this the app-server, and does it serve the link?",
            answer.status()
        ),
        Ok(Err(WsError::Io(e))) => format!("{e}; is the app-server running?"),
        Ok(Err(e)) => format!("{e}; is this the address of the app-server?"),
        Err(_) => format!(
            "no answer within {} s; is the app-server running, and does the network let us through?",
            limit.as_secs()
        ),
    };
    let reason = format!("connecting to {} failed: {failed}", redact::text(url));
    Err(Failure::Down { reason, retry: Retry::BackOff })
}
