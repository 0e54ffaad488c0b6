//! Sessions, actions and the wipe: everything that changes something.

use super::{
    Surface,
    access::Caller,
    answer,
    body::{Response, read_json},
    error::Error,
    wire,
};
use crate::{journal::WipeNote, recorder::Recorder};
use hyper::{
    HeaderMap, StatusCode,
    body::Incoming,
    header::{HeaderValue, SET_COOKIE},
};

/// Characters of the reason of a wipe; it stands in every list of actions.
const REASON_CHARS_MAX: usize = 500;

/// Who is logged in.
#[utoipa::path(get, path = "/api/session", responses((status = 200, body = wire::Session)))]
pub(super) fn session(caller: Caller) -> Response {
    let (can_act, via) = (caller.can_act(), caller.via.word().into());
    let session = wire::Session { actor: caller.actor, can_act, via };
    answer::json(StatusCode::OK, &session)
}

/// Exchanges the admin key or a Kubernetes token for a session cookie.
#[utoipa::path(post, path = "/api/session", request_body = wire::LogIn,
    responses((status = 200, body = wire::Session)))]
pub(super) async fn log_in(
    surface: &Surface,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Response, Error> {
    let expected = r#"{"key": the admin key or a token}"#;
    let given: wire::LogIn = read_json(body, surface.desk.limits.body_time, expected).await?;
    let (caller, cookie) = surface.access.log_in(headers, &given.key).await?;
    Ok(with_cookie(session(caller), cookie))
}

/// Ends the session in this browser.
#[utoipa::path(delete, path = "/api/session", responses((status = 204)))]
pub(super) fn log_out(surface: &Surface, headers: &HeaderMap) -> Response {
    surface.passes.end(headers);
    with_cookie(answer::empty(StatusCode::NO_CONTENT), surface.access.log_out())
}

fn with_cookie(mut response: Response, cookie: Option<String>) -> Response {
    if let Some(cookie) = cookie {
        let value = HeaderValue::try_from(cookie);
        let value = value.expect("the base path was checked, the rest is hexadecimal");
        response.headers_mut().insert(SET_COOKIE, value);
    }
    response
}

/// Starts an action: the intent is durable before the answer, the outcome follows in the live feed.
///
/// While the journal takes no records that is refused with 507, unless `unrecorded` is true. With
/// `dry_run` the answer only tells what would be done.
#[utoipa::path(post, path = "/api/actions", request_body = wire::StartAction,
    responses((status = 202, body = wire::StartedAction), (status = 200, body = wire::DryRun)))]
pub(super) async fn start_action(
    surface: &Surface,
    caller: Caller,
    body: Incoming,
) -> Result<Response, Error> {
    let actions = surface.desk.actions.as_ref().ok_or(Error::Replay)?;
    let expected =
        r#"{"action": its name, "args": an object, "unrecorded" and "dry_run": true or nothing}"#;
    let wanted: wire::StartAction =
        read_json(body, surface.desk.limits.body_time, expected).await?;
    if wanted.dry_run {
        let would = actions.dry_run(&wanted.action, &wanted.args).await?;
        return Ok(answer::json(StatusCode::OK, &wire::DryRun { would }));
    }
    let started = if wanted.unrecorded {
        actions.start_unrecorded(&caller.actor, &wanted.action, &wanted.args).await?
    } else {
        actions.start(&caller.actor, &wanted.action, &wanted.args).await?
    };
    let started = wire::StartedAction { id: started.id, seq: started.seq };
    Ok(answer::json(StatusCode::ACCEPTED, &started))
}

/// Cancels a running action: its output says who did, and its outcome follows in the live feed.
#[utoipa::path(post, path = "/api/actions/{id}/cancel", params(("id" = String, Path)),
    responses((status = 202, body = wire::CancelledAction)))]
pub(super) fn cancel_action(
    surface: &Surface,
    caller: Caller,
    id: &str,
) -> Result<Response, Error> {
    let actions = surface.desk.actions.as_ref().ok_or(Error::Replay)?;
    actions.cancel(&caller.actor, id)?;
    Ok(answer::json(StatusCode::ACCEPTED, &wire::CancelledAction { id: id.to_owned() }))
}

/// Empties journal and views and starts a new epoch.
#[utoipa::path(post, path = "/api/journal/wipe", request_body = wire::WipeRequest,
    responses((status = 200, body = wire::Wiped)))]
pub(super) async fn wipe(
    surface: &Surface,
    caller: Caller,
    body: Incoming,
) -> Result<Response, Error> {
    let recorder = recorder(surface)?;
    let expected = r#"{"confirm": "wipe", "reason": why}"#;
    let wanted: wire::WipeRequest =
        read_json(body, surface.desk.limits.body_time, expected).await?;
    let reason = wanted.reason.trim();
    if wanted.confirm != "wipe" {
        return Err(Error::Invalid("a wipe needs \"confirm\": \"wipe\"".into()));
    }
    if reason.is_empty() || reason.chars().count() > REASON_CHARS_MAX {
        let text = format!("a wipe needs a reason of 1 to {REASON_CHARS_MAX} characters");
        return Err(Error::Invalid(text));
    }
    let note = WipeNote {
        actor: caller.actor,
        reason: reason.to_owned(),
        time_ns: jiff::Timestamp::now().as_nanosecond() as i64,
    };
    let (epoch, seq) = recorder.wipe(note).await?;
    surface.moments.clear();
    Ok(answer::json(StatusCode::OK, &wire::Wiped { epoch, seq }))
}

fn recorder(surface: &Surface) -> Result<&Recorder, Error> {
    surface.desk.recorder.as_ref().ok_or(Error::Replay)
}
