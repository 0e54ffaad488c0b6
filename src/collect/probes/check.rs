//! One check: what came of it, in words for an admin.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use reqwest::{
    Client, Response, StatusCode,
    header::{CONNECTION, HeaderMap, HeaderName, HeaderValue as Value},
};
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};

use super::{Check, Header, HeaderValue, HttpCheck, Probe};
use crate::{
    event::Millis,
    peer::{self, Trust},
};

/// How far into a body the expected text is looked for.
const BODY_BYTES_MAX: usize = 1 << 20;

/// The time-out of the whole check is the shorter one.
const STILL_MAX: Duration = Duration::from_secs(300);

/// What came of a check.
#[derive(Debug, PartialEq)]
pub struct Found {
    /// Whether the target answered as expected.
    pub ok: bool,
    /// Up to the result; `None` where there was no answer.
    pub latency: Option<Millis>,
    /// The status of the answer; `None` where there was none.
    pub status: Option<u16>,
    /// What was attempted, what failed and what to do; empty when ok.
    pub detail: String,
}

/// A check that failed: the status of its answer, if it had one, and why.
struct Failed {
    status: Option<StatusCode>,
    why: String,
}

impl From<String> for Failed {
    fn from(why: String) -> Failed {
        Failed { status: None, why }
    }
}

/// A probe that can be run again and again.
pub struct Checker<'a> {
    /// Which one.
    pub probe: &'a Probe,
    system: &'a SystemClient,
    /// For an authority of its own: its certificates as they were read last.
    own: Option<(Vec<u8>, Client)>,
}

/// The client that trusts whom the system trusts, or why there is none. Shared, since it holds all
/// of the system's certificates.
pub struct SystemClient(Result<Client, String>);

impl SystemClient {
    /// Prepares it.
    pub fn new() -> SystemClient {
        SystemClient(peer::client(Trust::System, STILL_MAX).map_err(|e| e.to_string()))
    }
}

impl<'a> Checker<'a> {
    /// Has checked nothing yet.
    pub fn new(probe: &'a Probe, system: &'a SystemClient) -> Checker<'a> {
        Checker { probe, system, own: None }
    }

    /// Checks once; takes no longer than the probe's time-out.
    pub async fn run(&mut self) -> Found {
        let probe = self.probe;
        let began = Instant::now();
        let checked = match timeout(probe.timeout, self.attempt()).await {
            Ok(checked) => checked,
            Err(_) => Err(Failed::from(no_answer(probe.timeout))),
        };
        let latency = began.elapsed().as_secs_f64() * 1000.0;
        match checked {
            Ok(status) => {
                let status = status.map(|status| status.as_u16());
                Found { ok: true, latency: Some(latency), status, detail: String::new() }
            }
            Err(Failed { status, why }) => Found {
                ok: false,
                latency: status.map(|_| latency),
                status: status.map(|status| status.as_u16()),
                detail: format!("checking {} failed: {why}", probe.target()),
            },
        }
    }

    async fn attempt(&mut self) -> Result<Option<StatusCode>, Failed> {
        match &self.probe.check {
            Check::Tcp { host, port } => tcp(host, *port).await.map(|()| None),
            Check::Http(http) => {
                let client = self.client(http).await?;
                get(&client, http).await.map(Some)
            }
        }
    }

    async fn client(&mut self, http: &HttpCheck) -> Result<Client, String> {
        let Some(path) = &http.ca_file else { return self.system.0.clone() };
        let pem = tokio::fs::read(path).await.map_err(|e| unreadable(path, &e))?;
        match &self.own {
            Some((known, client)) if *known == pem => Ok(client.clone()),
            _ => {
                let made = peer::client(Trust::Authority(&pem), STILL_MAX);
                let client = made.map_err(|e| format!("{e} ({})", path.display()))?;
                self.own = Some((pem, client.clone()));
                Ok(client)
            }
        }
    }
}

fn no_answer(limit: Duration) -> String {
    format!(
        "no answer within {} s; is it overloaded, or does the network let nothing through?",
        limit.as_secs_f64()
    )
}

async fn tcp(host: &str, port: u16) -> Result<(), Failed> {
    let addresses = lookup_host((host, port)).await;
    let addresses = addresses
        .map_err(|e| format!("the name {host} was not found: {e}; is it spelled right?"))?;
    let mut last = "its name has no address".to_owned();
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(_) => return Ok(()),
            Err(error) => last = format!("{error}; does it run, and listen on that port?"),
        }
    }
    Err(last.into())
}

async fn get(client: &Client, http: &HttpCheck) -> Result<StatusCode, Failed> {
    let request = client.get(&http.url).headers(headers(http).await?);
    let answer = request.send().await.map_err(|e| peer::explain(&e))?;
    let status = answer.status();
    if !http.status.contains(&status.as_u16()) {
        let (from, to) = http.status.clone().into_inner();
        let why = format!("it answered {status}; expected is {from} to {to}");
        return Err(Failed { status: Some(status), why });
    }
    if let Some(text) = &http.body {
        let failed = |why| Failed { status: Some(status), why };
        has_text(answer, text).await.map_err(failed)?;
    }
    Ok(status)
}

async fn has_text(mut answer: Response, text: &str) -> Result<(), String> {
    let mut body = Vec::new();
    loop {
        let before = body.len().saturating_sub(text.len());
        match answer.chunk().await.map_err(|e| peer::explain(&e))? {
            Some(chunk) => body.extend_from_slice(&chunk),
            None => return Err(format!("its body does not hold {text:?}")),
        }
        if body[before..].windows(text.len()).any(|part| part == text.as_bytes()) {
            return Ok(());
        }
        if body.len() > BODY_BYTES_MAX {
            return Err(format!("the first MiB of its body does not hold {text:?}"));
        }
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> String {
    format!("reading {} failed: {error}; is it mounted?", path.display())
}

async fn headers(http: &HttpCheck) -> Result<HeaderMap, Failed> {
    let mut headers = HeaderMap::new();
    // A check that went over an earlier one's connection would not say whether a new one can be made.
    headers.insert(CONNECTION, Value::from_static("close"));
    for header in &http.headers {
        let wrong = |what: &str| format!("the header {} {what}", header.name);
        let name = HeaderName::from_bytes(header.name.as_bytes())
            .map_err(|_| wrong("has a name that no header may have"))?;
        let mut value = Value::from_str(&value_of(header).await?)
            .map_err(|_| wrong("has a value with characters that no header may have"))?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

/// The value of a header as it is now: a secret may be replaced while we run.
async fn value_of(header: &Header) -> Result<String, Failed> {
    match &header.value {
        HeaderValue::Plain(value) => Ok(value.clone()),
        HeaderValue::File(path) => {
            let text = tokio::fs::read_to_string(path).await.map_err(|e| unreadable(path, &e))?;
            Ok(text.trim_end_matches(['\r', '\n']).to_owned())
        }
        HeaderValue::Variable(name) => std::env::var(name).map_err(|_| {
            format!("the environment variable {name} of the header {} is not set", header.name)
                .into()
        }),
    }
}
