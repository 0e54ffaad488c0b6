//! An app-server that says what a bench wants, as fast as it wants: the link's frames as bytes.

use std::{
    io::{self, Write},
    net::{TcpListener, TcpStream},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::Context;

/// A listening app-server that nothing has connected to yet.
#[derive(Debug)]
pub struct AppServer {
    listener: TcpListener,
}

/// The link, once it is there.
#[derive(Debug)]
pub struct Link {
    stream: TcpStream,
}

impl AppServer {
    /// Listens on a free port of loopback.
    ///
    /// # Errors
    /// There is none.
    pub fn start() -> io::Result<AppServer> {
        Ok(AppServer { listener: TcpListener::bind("127.0.0.1:0")? })
    }

    /// What the recorder is told.
    ///
    /// # Errors
    /// The port has no address.
    pub fn url(&self) -> io::Result<String> {
        Ok(format!("ws://{}", self.listener.local_addr()?))
    }

    /// Waits for the link and greets it. Whatever else connects speaks no WebSocket, and is refused.
    ///
    /// # Errors
    /// Nothing can be accepted any more.
    pub fn accept(&self) -> anyhow::Result<Link> {
        loop {
            let (stream, _) = self.listener.accept()?;
            let kept = stream.try_clone()?;
            if tungstenite::accept(stream).is_ok() {
                kept.set_nodelay(true)?;
                return Ok(Link { stream: kept });
            }
        }
    }
}

impl Link {
    /// Sends frames as they are.
    ///
    /// # Errors
    /// The recorder is gone.
    pub fn send(&mut self, frames: &[u8]) -> anyhow::Result<()> {
        self.stream.write_all(frames).context("the link broke")
    }
}

/// Appends a text as a frame, as servers send it: unmasked.
pub fn frame(out: &mut Vec<u8>, text: &str) {
    out.push(0x81);
    match u16::try_from(text.len()) {
        Ok(length @ ..126) => out.push(length as u8),
        Ok(length) => {
            out.push(126);
            out.extend(length.to_be_bytes());
        }
        Err(_) => {
            out.push(127);
            out.extend((text.len() as u64).to_be_bytes());
        }
    }
    out.extend(text.as_bytes());
}

/// A log line of about 185 bytes as it is recorded.
pub fn line(out: &mut Vec<u8>, number: u64, time_ms: f64) {
    let text = format!(
        "{{\"LogEntryAdded\":{{\"entry\":{{\"time\":{time_ms},\"level\":\"INFO\",\"target\":\
         \"app_server::db::commands\",\"span_name\":\"run_command\",\"message\":\"command {number} \
         by user 7f3a took 12.7 ms, touched 3 rows of nodes and 1 of maps; queue 4\"}}}}}}"
    );
    frame(out, &text);
}

/// An open request with so many sections, the last of them running.
pub fn open_request(out: &mut Vec<u8>, id: usize, sections: usize, start_ms: f64) {
    let mut text = format!(
        "{{\"MtxEntryDone\":{{\"mtx\":{{\"id\":\"00000000-0000-4000-8000-{id:012}\",\
         \"section_lifetimes\":{{"
    );
    for section in 0..sections {
        let comma = if section == 0 { "" } else { "," };
        let start = start_ms + 10.0 * section as f64;
        let duration = if section + 1 < sections { "9.25" } else { "null" };
        text += &format!(
            "{comma}\"f/{section}:part#{start}\":{{\"path\":\"f/{section}:part\",\"extra_info\":\
             null,\"start_time\":{start},\"duration\":{duration}}}"
        );
    }
    frame(out, &(text + "}}}}"));
}

/// The present time, milliseconds.
pub fn now_ms() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs_f64() * 1e3
}
