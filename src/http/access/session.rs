//! The session cookie: who, in which role and until when, under a MAC that only the admin key makes.
//!
//! The key itself is never kept, logged or answered: only its digest and the MAC key that is
//! derived from it. The cookie survives a restart. It is not marked `Secure`: a port-forward is
//! plain HTTP on localhost. It names no path: a browser then sends it below the folder of the
//! log-in, `api/`, wherever a gateway has put that.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Caller, Role, Via};

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

    pub(super) fn is(&self, given: &str) -> bool {
        let given: [u8; 32] = Sha256::digest(given).into();
        given.ct_eq(&self.digest).into()
    }

    /// Cookies are shared by all ports of a host: each key has its own, so that two recorders
    /// behind two port-forwards do not log each other out.
    pub(super) fn cookie_name(&self) -> String {
        let mac = mac(&self.session_key, b"name").finalize().into_bytes();
        format!("monitor-session-{}", hex(&mac[..4]))
    }

    /// A `Set-Cookie` that gives a session.
    pub(super) fn session_cookie(&self, caller: &Caller, holds: Duration) -> String {
        let value = self.cookie_value(caller, now_secs() + holds.as_secs());
        self.cookie(&value, holds.as_secs())
    }

    /// A `Set-Cookie` that ends the session in this browser.
    pub(super) fn no_cookie(&self) -> String {
        self.cookie("", 0)
    }

    fn cookie(&self, value: &str, max_age_secs: u64) -> String {
        let name = self.cookie_name();
        format!("{name}={value}; Max-Age={max_age_secs}; HttpOnly; SameSite=Strict")
    }

    /// `expiry.role.via.name.mac`; the name has no dot where it is encoded.
    fn cookie_value(&self, caller: &Caller, expiry: u64) -> String {
        let actor = utf8_percent_encode(&caller.actor, NON_ALPHANUMERIC);
        let said = format!("{expiry}.{}.{}.{actor}", caller.role.word(), caller.via.word());
        let mac = mac(&self.session_key, said.as_bytes()).finalize().into_bytes();
        format!("{said}.{}", hex(&mac))
    }

    /// Who a cookie was given to, while it holds.
    pub(super) fn caller(&self, value: &str) -> Option<Caller> {
        self.caller_at(value, now_secs())
    }

    fn caller_at(&self, value: &str, now: u64) -> Option<Caller> {
        let (said, _) = value.rsplit_once('.')?;
        let mut parts = said.split('.');
        let expiry = parts.next()?.parse().ok().filter(|expiry| now < *expiry)?;
        let role = Role::of_word(parts.next()?)?;
        let via = Via::of_word(parts.next()?)?;
        let actor = percent_decode_str(parts.next()?).decode_utf8().ok()?.into_owned();
        let caller = Caller { actor, role, via, by_cookie: true };
        // Made again and compared whole, so that each session has one form.
        let genuine = self.cookie_value(&caller, expiry);
        bool::from(genuine.as_bytes().ct_eq(value.as_bytes())).then_some(caller)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn someone(actor: &str, role: Role) -> Caller {
        Caller { actor: actor.into(), role, via: Via::Token, by_cookie: true }
    }

    #[test]
    fn a_session_holds_until_its_expiry_and_for_its_key_alone() {
        let key = AdminKey::new("right");
        let caller = someone("system:serviceaccount:a.b:c", Role::See);
        let value = key.cookie_value(&caller, 1000);
        assert_eq!(key.caller_at(&value, 999), Some(caller.clone()));
        assert_eq!(key.caller_at(&value, 1000), None);
        assert_eq!(AdminKey::new("right").caller_at(&value, 999), Some(caller), "a restart");
        assert_eq!(AdminKey::new("other").caller_at(&value, 999), None);
        for forged in ["", ".", "1000", "1000.", "x.y", "99999999999999999999.see.token.a.00"] {
            assert_eq!(key.caller_at(forged, 1), None, "{forged}");
        }
    }

    #[test]
    fn everything_that_a_session_says_is_signed() {
        let key = AdminKey::new("right");
        let value = key.cookie_value(&someone("ann", Role::See), 1000);
        for (said, instead) in
            [("1000", "2000"), ("see", "act"), ("token", "key"), ("ann", "bob"), ("ann", "%61nn")]
        {
            let forged = value.replacen(said, instead, 1);
            assert_ne!(forged, value);
            assert_eq!(key.caller_at(&forged, 999), None, "{said} -> {instead}");
        }
    }

    #[test]
    fn no_name_can_leave_its_place_in_the_cookie() {
        let key = AdminKey::new("right");
        for name in ["", "a.b;c=d\r\n", "\u{e4}\u{1f600} \"", "1000.act.key.x"] {
            let caller = someone(name, Role::Act);
            let value = key.cookie_value(&caller, 1000);
            assert!(value.bytes().all(|b| b.is_ascii_alphanumeric() || b".%".contains(&b)));
            assert_eq!(key.caller_at(&value, 1), Some(caller));
        }
    }

    #[test]
    fn nothing_that_is_kept_shows_the_key() {
        let key = AdminKey::new("s3cret-key");
        let cookie = key.session_cookie(&someone("ann", Role::Act), Duration::from_secs(5));
        assert!(cookie.ends_with("; Max-Age=5; HttpOnly; SameSite=Strict"));
        assert!(!format!("{cookie} {key:?}").contains("s3cret"));
    }
}
