//! A reader of server-sent events.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::{DEADLINE, Server};

/// One message of a live feed.
#[derive(Debug)]
pub struct Message {
    pub event: String,
    pub id: Option<u64>,
    pub data: Value,
}

/// A live feed that is being read; dropping it cuts the connection.
pub struct Feed {
    answer: reqwest::Response,
    unread: Vec<u8>,
}

impl Feed {
    /// Opens a feed with the admin key.
    pub async fn open(server: &Server, query: &str, last_event_id: Option<u64>) -> Feed {
        let mut request = server.ask(Method::GET, &format!("/api/live{query}"));
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let answer = request.send().await.expect("the feed answers");
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Feed { answer, unread: Vec::new() }
    }

    /// The next message; `None` at the end of the feed.
    pub async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some(end) = self.unread.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.unread.drain(..end + 2).collect();
                return Some(parse(std::str::from_utf8(&block).expect("messages are UTF-8")));
            }
            let chunk = tokio::time::timeout(DEADLINE, self.answer.chunk()).await;
            let chunk = chunk.expect("a message comes in time").ok().flatten()?;
            self.unread.extend_from_slice(&chunk);
        }
    }

    /// The next message of a kind; others are passed over.
    pub async fn next_of(&mut self, event: &str) -> Message {
        loop {
            let message = self.next().await.expect("the feed goes on");
            if message.event == event {
                return message;
            }
        }
    }
}

fn parse(block: &str) -> Message {
    let field =
        |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    Message {
        event: field("event").expect("it has a name").to_owned(),
        id: field("id").map(|id| id.parse().expect("ids are numbers")),
        data: serde_json::from_str(field("data").expect("it has data")).expect("data is JSON"),
    }
}
