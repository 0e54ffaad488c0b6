//! Who may use the second port. Cookies are shared by all ports of a host, so each port has a
//! cookie of its own, and neither opens the other: the main port gives a ticket, which the second
//! one takes once in exchange for a pass. Like the session's cookie it is not marked `Secure`: a
//! port-forward is plain HTTP on localhost.

use hyper::{HeaderMap, header::COOKIE};

use super::tokens::Tokens;
use crate::http::limits::{TICKET_TIME, TICKETS_MAX, TOOLS_SESSION_TIME, TOOLS_SESSIONS_MAX};

/// Someone who may use the second port.
#[derive(Debug, Clone)]
pub(super) struct Pass {
    /// The name that stands in the audit.
    pub(super) actor: String,
    /// Whether this caller may act, or only see.
    pub(super) can_act: bool,
    /// The only page that may put the tools into a frame.
    pub(super) framed_by: String,
}

/// Leads onto the second port.
#[derive(Debug, Clone)]
struct Ticket {
    pass: Pass,
    /// The path there, with its query.
    place: String,
}

/// The tickets and passes of one process.
#[derive(Debug)]
pub(in crate::http) struct Passes {
    tickets: Tokens<Ticket>,
    passes: Tokens<Pass>,
    cookie: String,
}

impl Passes {
    pub(in crate::http) fn new() -> Passes {
        // Two processes behind two port-forwards must not take each other's cookies; without
        // randomness there is no ticket either.
        let number = getrandom::u32().unwrap_or_default();
        Passes {
            tickets: Tokens::new(TICKET_TIME, TICKETS_MAX),
            passes: Tokens::new(TOOLS_SESSION_TIME, TOOLS_SESSIONS_MAX),
            cookie: format!("monitor-tools-{number:08x}"),
        }
    }

    /// A ticket to a place.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub(super) fn ticket(&self, pass: Pass, place: String) -> Result<String, getrandom::Error> {
        self.tickets.issue(Ticket { pass, place })
    }

    /// Exchanges a ticket for a place and a `Set-Cookie`; `None` where it is none, or was used.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub(super) fn enter(&self, ticket: &str) -> Result<Option<(String, String)>, getrandom::Error> {
        let Some(Ticket { pass, place }) = self.tickets.take(ticket) else { return Ok(None) };
        let word = self.passes.issue(pass)?;
        let (name, seconds) = (&self.cookie, TOOLS_SESSION_TIME.as_secs());
        let cookie = format!("{name}={word}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Strict");
        Ok(Some((place, cookie)))
    }

    /// Whose request it is.
    pub(super) fn of(&self, headers: &HeaderMap) -> Option<Pass> {
        self.words(headers).find_map(|word| self.passes.get(word))
    }

    /// Ends the pass of a browser that logs out on the main port, which sees this cookie too.
    pub(in crate::http) fn end(&self, headers: &HeaderMap) {
        for word in self.words(headers) {
            self.passes.take(word);
        }
    }

    fn words<'a>(&'a self, headers: &'a HeaderMap) -> impl Iterator<Item = &'a str> {
        let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';'));
        let pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
        pairs.filter(|(name, _)| *name == self.cookie).map(|(_, word)| word)
    }
}
