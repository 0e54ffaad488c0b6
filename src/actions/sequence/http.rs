//! One request of a test sequence.

use std::{collections::BTreeMap, time::Duration};

use reqwest::Client;
use serde_json::Value;

use super::{HttpLeaf, placeholder};
use crate::{
    actions::request,
    peer::{self, Trust},
};

/// An app-server that is silent for so long has hung.
const STILL_MAX: Duration = Duration::from_secs(60);

/// Of an answer so much is read: enough for the errors of a GraphQL answer.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Of an error that the app-server tells so much is shown.
const TOLD_CHARS_MAX: usize = 500;

/// Sends requests to an app-server.
#[derive(Debug)]
pub struct Sender {
    client: Client,
    url: String,
    /// Secrets are filled in.
    headers: BTreeMap<String, String>,
}

impl Sender {
    /// For the app-server at an address; the headers go with every request.
    ///
    /// # Errors
    /// There is no client.
    pub fn new(url: &str, headers: BTreeMap<String, String>) -> Result<Sender, String> {
        let client = peer::client(Trust::System, STILL_MAX).map_err(|e| e.to_string())?;
        Ok(Sender { client, url: url.to_owned(), headers })
    }

    /// Sends one request; says what it came to.
    ///
    /// A status of 400 and above is a failure, and so is JSON with a list of `errors`, which is how
    /// GraphQL tells them.
    pub async fn send(&self, leaf: &HttpLeaf) -> Result<String, String> {
        let now = jiff::Timestamp::now();
        let fill = |text: &str| placeholder::fill(text, now);
        let method = request::method(method(leaf))?;
        let mut request = self.client.request(method, format!("{}{}", self.url, fill(&leaf.path)));
        let headers = self.headers.iter().map(|(name, value)| (name, value.clone()));
        for (name, value) in headers.chain(leaf.headers.iter().map(|(n, v)| (n, fill(v)))) {
            request = request.header(name, value);
        }
        request = match &leaf.body {
            None => request,
            Some(Value::String(text)) => request.body(fill(text)),
            Some(json) => {
                let has_type = leaf.headers.keys().any(|n| n.eq_ignore_ascii_case("content-type"));
                let request = request.body(fill(&json.to_string()));
                if has_type { request } else { request.header("content-type", "application/json") }
            }
        };
        let mut answer = request.send().await.map_err(|e| peer::explain(&e))?;
        let status = answer.status();
        let body = read(&mut answer).await?;
        if status.as_u16() >= 400 {
            return Err(format!(
                "the answer is {status}: {}",
                cut(&String::from_utf8_lossy(&body))
            ));
        }
        match errors(&body) {
            Some(errors) => Err(format!("the answer tells errors: {}", cut(&errors))),
            None => Ok(format!("the answer is {status}")),
        }
    }
}

/// The method of a request.
pub fn method(leaf: &HttpLeaf) -> &str {
    leaf.method.as_deref().unwrap_or("POST")
}

/// Reads an answer to its end, and keeps its beginning.
async fn read(answer: &mut reqwest::Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    let broke_off = |e: reqwest::Error| format!("the answer broke off: {}", peer::explain(&e));
    while let Some(piece) = answer.chunk().await.map_err(broke_off)? {
        let room = ANSWER_BYTES_MAX - body.len();
        body.extend_from_slice(&piece[..piece.len().min(room)]);
    }
    Ok(body)
}

/// The errors that an answer of GraphQL tells.
fn errors(body: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let errors = answer.get("errors")?.as_array().filter(|errors| !errors.is_empty())?;
    let message = |error: &Value| match error.get("message").and_then(Value::as_str) {
        Some(message) => message.to_owned(),
        None => error.to_string(),
    };
    Some(errors.iter().map(message).collect::<Vec<_>>().join("; "))
}

fn cut(text: &str) -> String {
    text.chars().take(TOLD_CHARS_MAX).collect()
}
