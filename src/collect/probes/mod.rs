//! Probes: checks of what others serve, by HTTP or TCP, each result recorded.
//!
//! All of them are one source, which is up while they run: a target that fails is a result, and no
//! source that is down.

mod check;

mod prober;

use std::{ops::RangeInclusive, path::PathBuf, time::Duration};

pub use prober::Prober;

/// How many probes are run; each is a request at once and a state in memory.
pub const PROBES_MAX: usize = 100;

/// A configured check.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// Unique among probes.
    pub name: String,
    /// What is checked.
    pub check: Check,
    /// From the beginning of one check to that of the next.
    pub interval: Duration,
    /// A check that takes longer has failed; less than the interval.
    pub timeout: Duration,
}

impl Probe {
    /// What is recorded as its target: nothing that may be secret, so neither query nor fragment.
    pub fn target(&self) -> String {
        match &self.check {
            Check::Tcp { host, port } if host.contains(':') => format!("tcp://[{host}]:{port}"),
            Check::Tcp { host, port } => format!("tcp://{host}:{port}"),
            Check::Http(http) => http.url.split(['?', '#']).next().unwrap_or_default().to_owned(),
        }
    }
}

/// What a probe checks.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// A connection is accepted.
    Tcp {
        /// Name or address.
        host: String,
        /// Its port.
        port: u16,
    },
    /// A GET is answered as expected.
    Http(HttpCheck),
}

/// A GET, and the answer that it should get.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpCheck {
    /// `http://` or `https://`, without user and password.
    pub url: String,
    /// Which status is as expected.
    pub status: RangeInclusive<u16>,
    /// What the body has to hold; `None` for anything.
    pub body: Option<String>,
    /// Sent with the request; never recorded.
    pub headers: Vec<Header>,
    /// Whose certificates are trusted, PEM; `None` for those that the system trusts.
    pub ca_file: Option<PathBuf>,
}

/// A header of the request.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Where its value comes from, each time anew.
    pub value: HeaderValue,
}

/// Where the value of a header comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum HeaderValue {
    /// The configuration.
    Plain(String),
    /// A file, whose last line break is left out.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
}
