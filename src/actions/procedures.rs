//! What the configuration lets an admin run: runbooks, test sequences, and the secrets of both.

use std::collections::BTreeMap;

use super::{
    request,
    runbook::Runbook,
    secret::SecretPlaces,
    sequence::{LOG_SOURCE, NamedSequence},
    template::{Place, places},
};

/// The procedures, checked.
#[derive(Debug, Clone, Default)]
pub struct Procedures {
    /// For `run-runbook`.
    pub runbooks: Vec<Runbook>,
    /// For `run-test-sequence`.
    pub sequences: Vec<NamedSequence>,
    /// Where their secrets are.
    pub secrets: SecretPlaces,
    /// What test sequences talk to.
    pub app_server: AppServer,
}

/// The app-server as test sequences see it.
#[derive(Debug, Clone, Default)]
pub struct AppServer {
    /// Where its HTTP surface is, without a slash at the end; `None` where there is none.
    pub url: Option<String>,
    /// Sent with every request; secrets stand as `{secret.NAME}`.
    pub headers: BTreeMap<String, String>,
}

impl AppServer {
    /// By its own address, else on the host of its link.
    pub fn of(
        http_url: Option<String>,
        link: Option<&str>,
        headers: BTreeMap<String, String>,
    ) -> AppServer {
        let on_host = |link: &str| {
            let (scheme, rest) = link.split_once("://")?;
            let scheme = if scheme == "wss" { "https" } else { "http" };
            Some(format!("{scheme}://{}", rest.split(['/', '?']).next()?))
        };
        let url = http_url.or_else(|| link.and_then(on_host));
        AppServer { url: url.map(|url| url.trim_end_matches('/').to_owned()), headers }
    }

    /// What is wrong with it.
    pub fn fault(&self, secrets: &SecretPlaces) -> Option<String> {
        if self.url.as_ref().is_some_and(|url| !request::is_http(url) || url.contains('{')) {
            return Some("http_url must begin with http:// or https:// and a host".into());
        }
        let name = self.headers.keys().find_map(|name| request::header_fault(name));
        let places = self.headers.values().flat_map(|text| places(text));
        name.map(|problem| format!("http_headers {problem}")).or_else(|| {
            places.into_iter().find_map(|place| match place {
                Place::Secret(name) if secrets.contains_key(name) => None,
                place => Some(format!("http_headers name {place}, which is not in [secrets]")),
            })
        })
    }
}

/// The source of the app-server's own log lines.
pub fn default_log_sources() -> Vec<String> {
    vec![LOG_SOURCE.to_owned()]
}
