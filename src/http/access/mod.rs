//! Who may ask: the admin key as a bearer token, a Kubernetes token that the cluster vouches for,
//! or a session cookie that was given for one of them.

mod provenance;

mod session;

mod tokens;

use std::time::Duration;

use hyper::{
    HeaderMap, Method,
    header::{AUTHORIZATION, COOKIE},
};

pub(super) use self::provenance::{Provenance, provenance};
pub use self::session::AdminKey;
use self::{
    provenance::names_this_machine,
    tokens::{Tokens, Unreviewed},
};
use super::{
    error::Error,
    limits::{SESSION_TIME, TOKEN_SESSION_TIME},
    wrong_keys::WrongKeys,
};
use crate::cluster::Reviewer;

/// The name that stands in the audit for whoever holds the admin key.
const KEY_ACTOR: &str = "admin key";

/// The name of whoever looks at a replay, which nobody can act in.
const REPLAY_ACTOR: &str = "replay";

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// See everything.
    See,
    /// See everything, act, and wipe.
    Act,
}

impl Role {
    fn word(self) -> &'static str {
        match self {
            Role::See => "see",
            Role::Act => "act",
        }
    }

    fn of_word(word: &str) -> Option<Role> {
        [Role::See, Role::Act].into_iter().find(|role| role.word() == word)
    }
}

/// Who vouches for a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Via {
    /// The admin key.
    Key,
    /// The cluster, which knows the caller's token.
    Token,
    /// Nobody: a replay is open on loopback.
    Replay,
}

impl Via {
    /// The word on the wire and in the cookie.
    pub(super) fn word(self) -> &'static str {
        match self {
            Via::Key => "key",
            Via::Token => "token",
            Via::Replay => "replay",
        }
    }

    /// Of a session; a replay gives none.
    fn of_word(word: &str) -> Option<Via> {
        [Via::Key, Via::Token].into_iter().find(|via| via.word() == word)
    }
}

/// Someone who may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    /// The name that stands in the audit.
    pub(super) actor: String,
    /// What it may do.
    pub(super) role: Role,
    /// Who vouches for it.
    pub(super) via: Via,
    by_cookie: bool,
}

impl Caller {
    fn key() -> Caller {
        Caller { actor: KEY_ACTOR.into(), role: Role::Act, via: Via::Key, by_cookie: false }
    }

    fn replay() -> Caller {
        Caller { actor: REPLAY_ACTOR.into(), role: Role::See, via: Via::Replay, by_cookie: false }
    }

    /// Whether this caller may act, or only see.
    pub(super) fn can_act(&self) -> bool {
        self.role == Role::Act
    }

    /// Refuses whoever may only see.
    ///
    /// # Errors
    /// It may only see; the error says who could change that.
    pub(super) fn may_act(&self) -> Result<(), Error> {
        match (self.role, self.via) {
            (Role::Act, _) => Ok(()),
            (Role::See, Via::Replay) => Err(Error::Replay),
            (Role::See, _) => Err(Error::SeeOnly { actor: self.actor.clone() }),
        }
    }

    /// A browser sends a cookie on its own, so a write that comes with one must also come from one
    /// of this site's pages.
    pub(super) fn may_send(&self, method: &Method, headers: &HeaderMap) -> Result<(), Error> {
        let is_write = !matches!(*method, Method::GET | Method::HEAD);
        if is_write && self.by_cookie && provenance(headers) != Provenance::Here {
            return Err(Error::CrossOrigin);
        }
        Ok(())
    }

    /// How long a session or a live feed of this caller holds. The rights behind a token may be
    /// taken back, and neither is asked about again.
    pub(super) fn session_time(&self) -> Duration {
        match self.via {
            Via::Token => TOKEN_SESSION_TIME,
            Via::Key | Via::Replay => SESSION_TIME,
        }
    }
}

/// Decides who may ask.
#[derive(Debug)]
pub(super) struct Access {
    /// `None` in a replay, which is open on loopback.
    key: Option<AdminKey>,
    /// `None` where only the admin key counts.
    tokens: Option<Tokens>,
    /// Counted and delayed.
    pub(super) wrong_keys: WrongKeys,
}

impl Access {
    pub(super) fn new(key: Option<AdminKey>, reviewer: Option<Reviewer>) -> Access {
        Access { key, tokens: reviewer.map(Tokens::new), wrong_keys: WrongKeys::default() }
    }

    /// Who is asking.
    ///
    /// # Errors
    /// Nobody who may; what is neither the key nor a token is counted and delayed first.
    pub(super) async fn caller(&self, headers: &HeaderMap) -> Result<Caller, Error> {
        let Some(key) = &self.key else {
            self.check_host(headers)?;
            return Ok(Caller::replay());
        };
        if let Some(given) = bearer(headers) {
            return self.identify(key, given).await;
        }
        let name = key.cookie_name();
        let caller = cookies(headers, &name).find_map(|value| key.caller(value));
        // Tokens may have been switched off since the session was given.
        let counts = |caller: &Caller| caller.via != Via::Token || self.tokens.is_some();
        caller.filter(counts).ok_or(Error::NoAccess)
    }

    /// Exchanges the key or a token for a `Set-Cookie`; none in a replay, which needs no session.
    ///
    /// # Errors
    /// What was given is neither, or gives no rights, or another site's page sent it.
    pub(super) async fn log_in(
        &self,
        headers: &HeaderMap,
        given: &str,
    ) -> Result<(Caller, Option<String>), Error> {
        self.check_host(headers)?;
        if provenance(headers) == Provenance::Elsewhere {
            return Err(Error::CrossOrigin);
        }
        let Some(key) = &self.key else {
            return Ok((Caller::replay(), None));
        };
        let caller = self.identify(key, given).await?;
        let cookie = key.session_cookie(&caller, caller.session_time());
        Ok((caller, Some(cookie)))
    }

    /// A `Set-Cookie` that ends the session in this browser.
    pub(super) fn log_out(&self) -> Option<String> {
        self.key.as_ref().map(AdminKey::no_cookie)
    }

    /// The key is looked at first, so that it works whatever the cluster does.
    async fn identify(&self, key: &AdminKey, given: &str) -> Result<Caller, Error> {
        if key.is(given) {
            return Ok(Caller::key());
        }
        let Some(tokens) = &self.tokens else {
            return Err(self.wrong_key().await);
        };
        match tokens.caller(given).await {
            Ok(caller) => Ok(caller),
            Err(Unreviewed::NoToken) => Err(self.wrong_key().await),
            Err(Unreviewed::NotGranted { actor, path }) => Err(Error::NotGranted { actor, path }),
            Err(Unreviewed::Unknown { why }) => {
                // It may have been a guess at the key: delayed as one, but nobody knows that it
                // was wrong, so that it is not counted as one.
                tokio::time::sleep(self.wrong_keys.delay()).await;
                Err(Error::Unreviewed { why })
            }
        }
    }

    async fn wrong_key(&self) -> Error {
        tokio::time::sleep(self.wrong_keys.count()).await;
        Error::WrongKey
    }

    /// A replay has no key, so another site whose name was pointed at this machine could read it.
    fn check_host(&self, headers: &HeaderMap) -> Result<(), Error> {
        if self.key.is_none() && !names_this_machine(headers) {
            return Err(Error::ForeignHost);
        }
        Ok(())
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs =
        lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(given, _)| *given == name).map(|(_, value)| value)
}
