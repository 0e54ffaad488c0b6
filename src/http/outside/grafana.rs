//! Grafana's admin password: read from its Secret when it is asked for, shown once, and recorded
//! as an action without the value.

use hyper::StatusCode;

use crate::{
    actions::{self, SecretPlace},
    http::{Surface, access::Caller, answer, body::Response, error::Error, wire},
};

/// The name of the action.
const ACTION: &str = "reveal-grafana-password";

/// Shows Grafana's admin password. The intent is durable before the Secret is read.
#[utoipa::path(post, path = "/api/outside/grafana/password",
    responses((status = 200, body = wire::GrafanaPassword)))]
pub(in crate::http) async fn password(
    surface: &Surface,
    caller: Caller,
) -> Result<Response, Error> {
    let actions = surface.desk.actions.as_ref().ok_or(Error::Replay)?;
    let place = surface.desk.outside.as_ref().and_then(|desk| desk.outside.grafana_secret());
    let place = place.ok_or_else(|| {
        let text = "the place of Grafana's password is not configured: set secret in \
                    [outside.grafana]";
        Error::NotConfigured(text.into())
    })?;
    let place = SecretPlace {
        namespace: place.namespace.clone(),
        name: place.name.clone(),
        key: place.key.clone(),
    };
    let revealed = actions.reveal(&caller.actor, ACTION, place).await;
    let (action, read) = revealed.map_err(|error| match error {
        // What cannot be recorded is not shown: there is no other way to ask for it.
        actions::Error::NotRecorded { source } => source.into(),
        error => Error::from(error),
    })?;
    let password = read.map_err(Error::Outside)?;
    Ok(answer::json(StatusCode::OK, &wire::GrafanaPassword { password, action }))
}
