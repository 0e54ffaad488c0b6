//! Why a request was refused: a stable code and a text for the client; the rest is for the log.

use std::borrow::Cow;

use hyper::{
    StatusCode,
    header::{ALLOW, CONTENT_RANGE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
};

use super::{answer, body::Response, wire};
use crate::{actions, journal, recorder};

/// Every refusal. `Display` is what the client reads; a `source` goes to the log alone.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("there is no {path}; the routes are described in api/openapi.json")]
    NoRoute { path: String },
    #[error("this route takes {allow}")]
    MethodNotAllowed { allow: String },
    #[error("{what} is not known here")]
    NotFound { what: String },
    #[error(
        "{what} was not found in time, and what lies before event {before} was not looked at; ask \
         again, which begins with what is now in memory"
    )]
    Unfinished { what: String, before: u64 },
    #[error("the parameter `{name}` {reason}")]
    BadParameter { name: &'static str, reason: String },
    #[error("the body was not understood: expected {expected}")]
    BadBody { expected: &'static str },
    #[error("{0}")]
    Invalid(String),
    #[error("the body is larger than {max} bytes")]
    BodyTooLarge { max: usize },
    #[error("the body did not arrive in time")]
    BodyTooSlow,
    #[error(
        "this needs the admin key or a Kubernetes token: as a bearer token, or log in for a session"
    )]
    NoAccess,
    #[error("that is neither the admin key nor a token that the cluster knows for this audience")]
    WrongKey,
    #[error("the token could not be checked, since {why}; the admin key works without the cluster")]
    Unreviewed { why: Cow<'static, str> },
    #[error(
        "{actor} may see nothing here: bind a ClusterRole to it that allows the verb get (and post, to \
         act) on the non-resource URL {path}, as manifests/components/access does"
    )]
    NotGranted { actor: String, path: String },
    #[error(
        "{actor} may see, but not act: that needs the verb post on the non-resource URL too (see \
         manifests/components/access), or the admin key"
    )]
    SeeOnly { actor: String },
    #[error(
        "a write with a session cookie must come from this site's own pages; scripts use a bearer token"
    )]
    CrossOrigin,
    #[error("a replay answers only under the name localhost or an address")]
    ForeignHost,
    #[error("the past cannot be changed: a write takes no `at`")]
    Past,
    #[error("this is a replay of a backup: nothing can be changed or done")]
    Replay,
    #[error("that moment is no longer in the journal, which begins with event {first_seq}")]
    Retired { first_seq: u64 },
    #[error("what the client has a part of is no longer available: {reason}")]
    Changed { reason: &'static str },
    #[error("the range lies outside of the {len} bytes, or is none")]
    BadRange { len: u64 },
    #[error("the journal is being opened and replayed; /api/status says how far it is")]
    Starting,
    #[error("too many {what} at once (the bound is {max}); try again when one has ended")]
    TooMany { what: &'static str, max: usize },
    #[error("{0}")]
    NotConfigured(String),
    #[error("{0}")]
    Outside(String),
    #[error("{0}")]
    Busy(String),
    #[error("{0}")]
    NotRunning(String),
    #[error("nothing was done, since it could not be recorded: {0}")]
    NotRecorded(String),
    #[error(
        "the action was not started, since its intent could not be recorded: {0}. Send it again with \
         \"unrecorded\": true to act all the same: the intent then waits in memory, and is lost if \
         the recorder ends before the journal takes records again"
    )]
    ActionNotRecorded(String),
    #[error(
        "nothing was done: the journal wrote this, but could not make it durable, and whether it \
         survives a power cut is not known: {0}"
    )]
    Unsure(String),
    #[error("the recorder has stopped; the process is shutting down")]
    Stopped,
    #[error("the journal could not be read; the log of the recorder says why")]
    Journal(#[from] journal::Error),
    #[error("the answer could not be made; the log of the recorder says why")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    fn status_and_code(&self) -> (StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Error::NoRoute { .. } => (S::NOT_FOUND, "no_route"),
            Error::NotFound { .. } => (S::NOT_FOUND, "not_found"),
            Error::Unfinished { .. } => (S::SERVICE_UNAVAILABLE, "unfinished"),
            Error::MethodNotAllowed { .. } => (S::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Error::BadParameter { .. } => (S::BAD_REQUEST, "bad_parameter"),
            Error::BadBody { .. } => (S::BAD_REQUEST, "bad_body"),
            Error::Invalid(_) => (S::BAD_REQUEST, "invalid"),
            Error::BodyTooLarge { .. } => (S::PAYLOAD_TOO_LARGE, "body_too_large"),
            Error::BodyTooSlow => (S::REQUEST_TIMEOUT, "body_too_slow"),
            Error::NoAccess => (S::UNAUTHORIZED, "no_access"),
            Error::WrongKey => (S::UNAUTHORIZED, "wrong_key"),
            Error::Unreviewed { .. } => (S::SERVICE_UNAVAILABLE, "token_unreviewed"),
            Error::NotGranted { .. } => (S::FORBIDDEN, "not_granted"),
            Error::SeeOnly { .. } => (S::FORBIDDEN, "see_only"),
            Error::CrossOrigin => (S::FORBIDDEN, "cross_origin"),
            Error::ForeignHost => (S::FORBIDDEN, "foreign_host"),
            Error::Past => (S::CONFLICT, "past"),
            Error::Replay => (S::CONFLICT, "replay"),
            Error::Retired { .. } => (S::GONE, "retired"),
            Error::Changed { .. } => (S::PRECONDITION_FAILED, "changed"),
            Error::BadRange { .. } => (S::RANGE_NOT_SATISFIABLE, "bad_range"),
            Error::Starting => (S::SERVICE_UNAVAILABLE, "starting"),
            Error::TooMany { .. } => (S::SERVICE_UNAVAILABLE, "too_many"),
            Error::NotConfigured(_) => (S::NOT_FOUND, "not_configured"),
            Error::Outside(_) => (S::BAD_GATEWAY, "outside"),
            Error::Busy(_) => (S::SERVICE_UNAVAILABLE, "busy"),
            Error::NotRunning(_) => (S::CONFLICT, "not_running"),
            Error::Stopped => (S::SERVICE_UNAVAILABLE, "stopped"),
            Error::NotRecorded(_) => (S::INSUFFICIENT_STORAGE, "not_recorded"),
            Error::ActionNotRecorded(_) => (S::INSUFFICIENT_STORAGE, "action_not_recorded"),
            Error::Unsure(_) => (S::INSUFFICIENT_STORAGE, "unsure"),
            Error::Journal(_) => (S::INTERNAL_SERVER_ERROR, "journal"),
            Error::Internal(_) => (S::INTERNAL_SERVER_ERROR, "internal"),
        }
    }

    /// The answer; what the client is not told goes to the log.
    pub(super) fn into_response(self) -> Response {
        if let Some(source) = std::error::Error::source(&self) {
            tracing::error!(error = source, "{self}");
        }
        let (status, code) = self.status_and_code();
        let body = wire::ErrorBody { code: code.into(), message: self.to_string() };
        let mut response = answer::json(status, &body);
        if let Some((name, value)) = self.header() {
            let value = HeaderValue::try_from(value).expect("methods, words and digits are ASCII");
            response.headers_mut().insert(name, value);
        }
        response
    }

    /// What the protocol wants said beside some refusals.
    fn header(&self) -> Option<(HeaderName, String)> {
        Some(match self {
            Error::MethodNotAllowed { allow } => (ALLOW, allow.clone()),
            Error::BadRange { len } => (CONTENT_RANGE, format!("bytes */{len}")),
            Error::NoAccess | Error::WrongKey => (WWW_AUTHENTICATE, "Bearer".into()),
            Error::Starting
            | Error::Unfinished { .. }
            | Error::TooMany { .. }
            | Error::Busy(_)
            | Error::Unreviewed { .. } => (RETRY_AFTER, "1".into()),
            _ => return None,
        })
    }
}

impl From<recorder::Error> for Error {
    fn from(error: recorder::Error) -> Error {
        match error {
            recorder::Error::Stopped => Error::Stopped,
            recorder::Error::NotRecorded { reason } => Error::NotRecorded(reason),
            recorder::Error::Unsure { reason } => Error::Unsure(reason),
        }
    }
}

impl From<actions::Error> for Error {
    fn from(error: actions::Error) -> Error {
        match error {
            actions::Error::Invalid { .. } => Error::Invalid(error.to_string()),
            actions::Error::Busy => Error::Busy(error.to_string()),
            actions::Error::NotRunning { .. } => Error::NotRunning(error.to_string()),
            actions::Error::NotRecorded { source: recorder::Error::NotRecorded { reason } } => {
                Error::ActionNotRecorded(reason)
            }
            actions::Error::NotRecorded { source } => source.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(error: impl Into<Error>, status: u16, code: &str) {
        let error = error.into();
        assert_eq!(error.status_and_code(), (StatusCode::from_u16(status).unwrap(), code));
        assert!(!error.to_string().contains("secret detail"));
    }

    #[test]
    fn what_could_not_be_recorded_was_not_done() {
        let error = Error::from(recorder::Error::NotRecorded { reason: "disk full".into() });
        assert!(error.to_string().contains("disk full"), "an admin can do something about it");
        check(error, 507, "not_recorded");
        check(recorder::Error::Stopped, 503, "stopped");
    }

    #[test]
    fn what_failed_inside_is_for_the_log_alone() {
        check(Error::Internal("secret detail".into()), 500, "internal");
    }
}
