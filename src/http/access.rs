//! Who may ask: the admin key as a bearer token, or a session cookie that was given for it.
//!
//! The key itself is never kept, logged or answered: only its digest and the MAC key that is
//! derived from it. The cookie carries its expiry and a MAC, so it survives a restart. It is not
//! marked `Secure`: a port-forward is plain HTTP on localhost. It names no path: a browser then
//! sends it below the folder of the log-in, `api/`, wherever a gateway has put that.

use std::{
    fmt,
    net::IpAddr,
    time::{SystemTime, UNIX_EPOCH},
};

use hmac::{Hmac, KeyInit, Mac};
use hyper::{
    HeaderMap, Method,
    header::{AUTHORIZATION, COOKIE, HOST, ORIGIN},
};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{error::Error, limits::SESSION_TIME, wrong_keys::WrongKeys};

/// The name that stands in the audit for whoever holds the admin key.
const KEY_ACTOR: &str = "admin key";

/// The name of whoever looks at a replay, which nobody can act in.
const REPLAY_ACTOR: &str = "replay";

/// The admin key, as far as it has to be known.
pub struct AdminKey {
    /// Digests are compared, so that not even the length of the key can be measured.
    digest: [u8; 32],
    session_key: [u8; 32],
}

impl AdminKey {
    /// Takes in the key.
    pub fn new(key: &str) -> AdminKey {
        let session_key = mac(key.as_bytes(), b"monitor-backend session cookie, version 1");
        AdminKey {
            digest: Sha256::digest(key).into(),
            session_key: session_key.finalize().into_bytes().into(),
        }
    }

    fn is(&self, given: &str) -> bool {
        let given: [u8; 32] = Sha256::digest(given).into();
        given.ct_eq(&self.digest).into()
    }

    /// Cookies are shared by all ports of a host: each key has its own, so that two recorders
    /// behind two port-forwards do not log each other out.
    fn cookie_name(&self) -> String {
        let mac = mac(&self.session_key, b"name").finalize().into_bytes();
        format!("monitor-session-{}", hex(&mac[..4]))
    }

    fn cookie_value(&self, expiry: u64) -> String {
        let mac = mac(&self.session_key, expiry.to_string().as_bytes()).finalize().into_bytes();
        format!("{expiry}.{}", hex(&mac))
    }

    fn is_session(&self, value: &str, now: u64) -> bool {
        let expiry = value.split_once('.').and_then(|(expiry, _)| expiry.parse().ok());
        expiry.is_some_and(|expiry| {
            let genuine = self.cookie_value(expiry);
            now < expiry && bool::from(genuine.as_bytes().ct_eq(value.as_bytes()))
        })
    }
}

/// Nothing of the key is printed.
impl fmt::Debug for AdminKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminKey")
    }
}

fn mac(key: &[u8], message: &[u8]) -> Hmac<Sha256> {
    let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key);
    mac.expect("HMAC takes a key of any length").chain_update(message)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn now_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// How a caller was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Via {
    Bearer,
    Cookie,
    Replay,
}

/// Someone who may ask.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller {
    /// The name that stands in the audit.
    pub(super) actor: &'static str,
    via: Via,
}

impl Caller {
    /// Whether this caller may act, or only see.
    pub(super) fn can_act(self) -> bool {
        self.via != Via::Replay
    }

    /// A browser sends a cookie on its own, so a write that comes with one must also come from one
    /// of this site's pages.
    pub(super) fn may_send(self, method: &Method, headers: &HeaderMap) -> Result<(), Error> {
        let is_write = !matches!(*method, Method::GET | Method::HEAD);
        if is_write && self.via == Via::Cookie && provenance(headers) != Provenance::Here {
            return Err(Error::CrossOrigin);
        }
        Ok(())
    }
}

/// Decides who may ask.
#[derive(Debug)]
pub(super) struct Access {
    /// `None` in a replay, which is open on loopback.
    key: Option<AdminKey>,
    /// Counted and delayed.
    pub(super) wrong_keys: WrongKeys,
}

impl Access {
    pub(super) fn new(key: Option<AdminKey>) -> Access {
        Access { key, wrong_keys: WrongKeys::default() }
    }

    /// Who is asking.
    ///
    /// # Errors
    /// Nobody who may; a wrong key is counted and delayed first.
    pub(super) async fn caller(&self, headers: &HeaderMap) -> Result<Caller, Error> {
        let Some(key) = &self.key else {
            self.check_host(headers)?;
            return Ok(Caller { actor: REPLAY_ACTOR, via: Via::Replay });
        };
        if let Some(given) = bearer(headers) {
            self.check_key(key, given).await?;
            return Ok(Caller { actor: KEY_ACTOR, via: Via::Bearer });
        }
        let name = key.cookie_name();
        let now = now_secs();
        if cookies(headers, &name).any(|value| key.is_session(value, now)) {
            return Ok(Caller { actor: KEY_ACTOR, via: Via::Cookie });
        }
        Err(Error::NoAccess)
    }

    /// Exchanges the key for a `Set-Cookie`; none in a replay, which needs no session.
    ///
    /// # Errors
    /// The key is wrong, or another site's page sent it.
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
            return Ok((Caller { actor: REPLAY_ACTOR, via: Via::Replay }, None));
        };
        self.check_key(key, given).await?;
        let value = key.cookie_value(now_secs() + SESSION_TIME.as_secs());
        let cookie = cookie(key, &value, SESSION_TIME.as_secs());
        Ok((Caller { actor: KEY_ACTOR, via: Via::Cookie }, Some(cookie)))
    }

    /// A `Set-Cookie` that ends the session in this browser.
    pub(super) fn log_out(&self) -> Option<String> {
        self.key.as_ref().map(|key| cookie(key, "", 0))
    }

    async fn check_key(&self, key: &AdminKey, given: &str) -> Result<(), Error> {
        if key.is(given) {
            return Ok(());
        }
        tokio::time::sleep(self.wrong_keys.count()).await;
        Err(Error::WrongKey)
    }

    /// A replay has no key, so another site whose name was pointed at this machine could read it.
    fn check_host(&self, headers: &HeaderMap) -> Result<(), Error> {
        let is_ours = match headers.get(HOST).map(|host| host.to_str().unwrap_or("")) {
            None => true,
            Some(host) => is_local_name(host),
        };
        if self.key.is_none() && !is_ours { Err(Error::ForeignHost) } else { Ok(()) }
    }
}

fn cookie(key: &AdminKey, value: &str, max_age_secs: u64) -> String {
    format!("{}={value}; Max-Age={max_age_secs}; HttpOnly; SameSite=Strict", key.cookie_name())
}

/// `localhost` or an address, with or without a port.
fn is_local_name(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(""),
        None => host.split(':').next().unwrap_or(""),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
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

/// Which page sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Provenance {
    /// One of this site.
    Here,
    /// One of another site.
    Elsewhere,
    /// It does not say: no browser, or an old one.
    Unknown,
}

fn provenance(headers: &HeaderMap) -> Provenance {
    let is_here = match (headers.get("sec-fetch-site"), headers.get(ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => {
            let origin = origin.to_str().unwrap_or("");
            let host = headers.get(HOST).and_then(|host| host.to_str().ok());
            origin.split_once("://").is_some_and(|(_, name)| Some(name) == host)
        }
        (None, None) => return Provenance::Unknown,
    };
    if is_here { Provenance::Here } else { Provenance::Elsewhere }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let name: hyper::header::HeaderName = name.parse().unwrap();
            (name, value.parse().unwrap())
        });
        pairs.collect()
    }

    #[test]
    fn a_session_holds_until_its_expiry_and_for_its_key_alone() {
        let key = AdminKey::new("right");
        let value = key.cookie_value(1000);
        assert!(key.is_session(&value, 999));
        assert!(!key.is_session(&value, 1000));
        assert!(AdminKey::new("right").is_session(&value, 999), "a restart changes nothing");
        assert!(!AdminKey::new("other").is_session(&value, 999));
        let longer = value.replacen("1000", "2000", 1);
        assert!(!key.is_session(&longer, 999), "the expiry is part of what is signed");
        for forged in ["", ".", "1000", "1000.", "x.y", "99999999999999999999.00"] {
            assert!(!key.is_session(forged, 1), "{forged}");
        }
    }

    #[test]
    fn nothing_that_is_kept_shows_the_key() {
        let key = AdminKey::new("s3cret-key");
        let cookie = cookie(&key, "v", 5);
        assert!(cookie.ends_with("=v; Max-Age=5; HttpOnly; SameSite=Strict"));
        assert!(!format!("{cookie} {:?}", Access::new(Some(key))).contains("s3cret"));
    }

    #[test]
    fn a_page_of_this_site_is_told_from_others() {
        let of = |pairs: &[(&str, &str)]| provenance(&headers(pairs));
        assert_eq!(of(&[]), Provenance::Unknown);
        assert_eq!(of(&[("sec-fetch-site", "same-origin")]), Provenance::Here);
        for site in ["cross-site", "same-site", "none"] {
            assert_eq!(of(&[("sec-fetch-site", site)]), Provenance::Elsewhere);
        }
        let host = ("host", "localhost:5130");
        assert_eq!(of(&[host, ("origin", "http://localhost:5130")]), Provenance::Here);
        assert_eq!(of(&[host, ("origin", "http://localhost:5131")]), Provenance::Elsewhere);
        assert_eq!(of(&[host, ("origin", "null")]), Provenance::Elsewhere);
    }

    #[test]
    fn a_replay_answers_to_local_names_alone() {
        for host in ["localhost", "LOCALHOST:5130", "127.0.0.1:1", "[::1]:5130", "10.1.2.3"] {
            assert!(is_local_name(host), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example:80", "", "[evil]"] {
            assert!(!is_local_name(host), "{host}");
        }
    }
}
