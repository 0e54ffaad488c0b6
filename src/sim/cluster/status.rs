//! The `Status` object, which is every answer that is not an object or a list.

use hyper::StatusCode;
use serde_json::{Value, json};

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    pub(super) code: StatusCode,
    reason: &'static str,
    message: String,
}

impl Refusal {
    pub(super) fn bad_request(message: impl Into<String>) -> Refusal {
        let message = message.into();
        Refusal { code: StatusCode::BAD_REQUEST, reason: "BadRequest", message }
    }

    pub(super) fn internal(message: impl Into<String>) -> Refusal {
        let (code, message) = (StatusCode::INTERNAL_SERVER_ERROR, message.into());
        Refusal { code, reason: "InternalError", message }
    }

    pub(super) fn unknown_path() -> Refusal {
        let message = "the server could not find the requested resource".to_owned();
        Refusal { code: StatusCode::NOT_FOUND, reason: "NotFound", message }
    }

    pub(super) fn no_such_object(plural: &str, name: &str) -> Refusal {
        let message = format!("{plural} \"{name}\" not found");
        Refusal { code: StatusCode::NOT_FOUND, reason: "NotFound", message }
    }

    pub(super) fn method_not_allowed() -> Refusal {
        let message = "the server does not allow this method on the requested resource".to_owned();
        Refusal { code: StatusCode::METHOD_NOT_ALLOWED, reason: "MethodNotAllowed", message }
    }

    pub(super) fn conflict(plural: &str, name: &str, why: &str) -> Refusal {
        let message = format!("operation cannot be fulfilled on {plural} \"{name}\": {why}");
        Refusal { code: StatusCode::CONFLICT, reason: "Conflict", message }
    }

    pub(super) fn too_large(bytes_max: usize) -> Refusal {
        let message = format!("the request body is larger than {bytes_max} bytes");
        let code = StatusCode::PAYLOAD_TOO_LARGE;
        Refusal { code, reason: "RequestEntityTooLarge", message }
    }

    pub(super) fn unsupported_media_type(found: &str) -> Refusal {
        let message = format!("the body of a patch was in an unknown format: {found:?}");
        let code = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        Refusal { code, reason: "UnsupportedMediaType", message }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Refusal {
        let message = message.into();
        Refusal { code: StatusCode::UNPROCESSABLE_ENTITY, reason: "Invalid", message }
    }

    /// The version asked for is older than the history: list again.
    pub(super) fn expired(version: u64, newest: u64) -> Refusal {
        let message = format!("too old resource version: {version} ({newest})");
        Refusal { code: StatusCode::GONE, reason: "Expired", message }
    }

    /// The version asked for has not been given yet.
    pub(super) fn too_new(version: u64, newest: u64) -> Refusal {
        let message = format!("Too large resource version: {version}, current: {newest}");
        Refusal { code: StatusCode::GATEWAY_TIMEOUT, reason: "Timeout", message }
    }

    /// The refusal as an object.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code.as_u16(),
        })
    }
}

/// The answer to the deletion of an object that leaves no last state to show.
pub(super) fn deleted(plural: &str, name: &str, uid: &Value) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": {"name": name, "kind": plural, "uid": uid},
    })
}
