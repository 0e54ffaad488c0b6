//! `exec`: commands in the containers of simulated pods, over the WebSocket protocols
//! `v5.channel.k8s.io` and `v4.channel.k8s.io`, as the real API server speaks them.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::Incoming,
    header::{
        CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
        UPGRADE,
    },
    upgrade::Upgraded,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, handshake::derive_accept_key, protocol::Role},
};

use super::{
    Shared,
    programs::{End, Script, Step, script},
    resources::{ObjectKey, Resource},
    status::Refusal,
};
use crate::event::now;

/// In the order in which they are preferred.
const PROTOCOLS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const STATUS: u8 = 3;

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// The pod that a path asks to exec in; `None` for another path.
pub(super) fn pod_of(path: &str) -> Option<ObjectKey> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let ["api", "v1", "namespaces", namespace, "pods", pod, "exec"] = parts.as_slice() else {
        return None;
    };
    Some(Resource::of_kind("Pod")?.key(namespace, pod))
}

/// Answers a request to exec, and runs the command once the connection is upgraded.
pub(super) fn exec(
    shared: &Arc<Shared>,
    key: &ObjectKey,
    mut request: Request<Incoming>,
) -> Result<Response<()>, Refusal> {
    let pod = shared.store().get(key);
    let pod = pod.ok_or_else(|| Refusal::no_such_object(key.plural, &key.name))?;
    let query = request.uri().query().unwrap_or_default();
    let query: Vec<(String, String)> =
        form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let command: Vec<String> =
        query.iter().filter(|(name, _)| name == "command").map(|(_, word)| word.clone()).collect();
    if command.is_empty() {
        return Err(Refusal::bad_request("you must specify at least 1 command for the container"));
    }
    let container = query.iter().find(|(name, _)| name == "container").map(|(_, name)| name);
    if !runs(&pod, container) {
        let name = container.map_or("", String::as_str);
        let message = format!("container {name} is not valid for pod {}", key.name);
        return Err(Refusal::bad_request(message));
    }
    let response = switch(request.headers())?;
    let script = match shared.program(&command[0]) {
        Some(script) => script,
        None => script(&command, &pod, &shared.volumes(), now()),
    };
    let upgrade = hyper::upgrade::on(&mut request);
    let mut stopping = shared.stopping();
    tokio::spawn(async move {
        // A client that went away needs no output.
        let Ok(upgraded) = upgrade.await else { return };
        let socket =
            WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
        tokio::select! {
            _ = run(socket, &command, &script) => {}
            _ = stopping.changed() => {}
        }
    });
    Ok(response)
}

fn runs(pod: &Value, container: Option<&String>) -> bool {
    let names = pod["spec"]["containers"].as_array().into_iter().flatten();
    let mut names = names.map(|container| &container["name"]);
    let is_there = container.is_none_or(|wanted| names.any(|name| name == wanted));
    is_there && pod["status"]["phase"] == "Running"
}

fn switch(headers: &HeaderMap) -> Result<Response<()>, Refusal> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let offered = text(SEC_WEBSOCKET_PROTOCOL).unwrap_or_default();
    let offered: Vec<&str> = offered.split(',').map(str::trim).collect();
    let protocol = PROTOCOLS.into_iter().find(|known| offered.contains(known));
    let (Some(protocol), Some(key)) = (protocol, text(SEC_WEBSOCKET_KEY)) else {
        return Err(Refusal::bad_request("Upgrade request required"));
    };
    let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes()))
        .map_err(|_| Refusal::bad_request("Upgrade request required"))?;
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let said = response.headers_mut();
    said.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    said.insert(UPGRADE, HeaderValue::from_static("websocket"));
    said.insert(SEC_WEBSOCKET_ACCEPT, accept);
    said.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
    Ok(response)
}

/// Plays the script until it ends or the client goes; `None` where it went.
async fn run(socket: Socket, command: &[String], script: &Script) -> Option<()> {
    let (mut out, mut input) = socket.split();
    let play = async {
        // The real one opens its channels so.
        for channel in [STDOUT, STDERR, STATUS] {
            out.send(message(channel, b"")).await.ok()?;
        }
        for step in &script.steps {
            match step {
                Step::Out(bytes) => out.send(message(STDOUT, bytes)).await.ok()?,
                Step::Err(bytes) => out.send(message(STDERR, bytes)).await.ok()?,
                Step::Wait(time) => tokio::time::sleep(*time).await,
            }
        }
        let status = match script.end {
            End::Exit(0) => json!({"metadata": {}, "status": "Success"}),
            End::Exit(code) => exited(command, code),
            End::NotFound => not_found(&command[0]),
            End::BreaksOff => return None,
            End::Never => return std::future::pending().await,
        };
        out.send(message(STATUS, status.to_string().as_bytes())).await.ok()?;
        out.close().await.ok()
    };
    let gone = async { while let Some(Ok(_)) = input.next().await {} };
    tokio::select! {
        played = play => played,
        () = gone => None,
    }
}

fn message(channel: u8, bytes: &[u8]) -> Message {
    Message::Binary(Bytes::from([&[channel], bytes].concat()))
}

fn exited(command: &[String], code: u8) -> Value {
    let message = format!(
        "command terminated with non-zero exit code: error executing command {command:?}, exit code {code}"
    );
    json!({
        "metadata": {}, "status": "Failure", "message": message, "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
    })
}

fn not_found(program: &str) -> Value {
    let message = format!(
        "Internal error occurred: error executing command in container: failed to exec in \
         container: exec failed: unable to start container process: exec: \"{program}\": \
         executable file not found in $PATH: unknown"
    );
    json!({
        "metadata": {}, "status": "Failure", "message": message, "reason": "InternalError",
        "details": {"causes": [{"message": message}]}, "code": 500,
    })
}
