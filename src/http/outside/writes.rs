//! Requests that change something in a tool, such as a silence: recorded as actions, the intent
//! before the request and the outcome after it. Neither query nor body is recorded.

use std::sync::Arc;

use hyper::{Method, StatusCode};
use serde_json::json;

use super::{ToolsDesk, page, pass::Pass};
use crate::{
    http::{Surface, body::Response},
    outside::{Answer, Ask, Failure, Tool},
};

/// The name of the action.
const ACTION: &str = "tool-request";

/// Questions that Prometheus also takes as a form, since an address has a bound.
/// https://prometheus.io/docs/prometheus/latest/querying/api/
const QUESTIONS: [&str; 7] =
    ["query", "query_range", "query_exemplars", "series", "labels", "format_query", "parse_query"];

/// Whether a request only asks.
pub(super) fn only_reads(tool: Tool, method: &Method, path: &str) -> bool {
    match *method {
        Method::GET | Method::HEAD | Method::OPTIONS => true,
        Method::POST => {
            let question = path.strip_prefix("/api/v1/");
            tool == Tool::Prometheus && question.is_some_and(|name| QUESTIONS.contains(&name))
        }
        _ => false,
    }
}

/// Asks a tool to change something, on record.
///
/// # Errors
/// It was not asked, since that could not be recorded.
pub(super) async fn recorded(
    surface: &Arc<Surface>,
    desk: &ToolsDesk,
    pass: &Pass,
    tool: Tool,
    ask: Ask,
) -> Result<Option<Result<Answer, Failure>>, Response> {
    let Some(actions) = &surface.desk.actions else {
        return Err(refusal("nothing can be recorded here"));
    };
    let args = json!({"tool": tool.name(), "method": ask.method.as_str(), "path": ask.path});
    let outside = desk.outside.clone();
    let effect = async move {
        let answered = outside.relay(tool, ask).await;
        let told = match &answered {
            Some(Ok(answer)) if is_done(answer.status) => {
                Ok(format!("{} answered {}", tool.title(), answer.status))
            }
            Some(Ok(answer)) => Err(format!("{} answered {}", tool.title(), answer.status)),
            Some(Err(failure)) => Err(format!("{}: {failure}", tool.title())),
            None => Err("the tool is not configured".into()),
        };
        (told, answered)
    };
    let done = actions.witness(&pass.actor, ACTION, &args, effect).await;
    let (_, answered) = done.map_err(|error| refusal(&error.to_string()))?;
    let gave_up = || Some(Err(Failure::Down("it did not answer in time".into())));
    Ok(answered.unwrap_or_else(gave_up))
}

fn is_done(status: StatusCode) -> bool {
    status.is_success() || status.is_redirection()
}

fn refusal(why: &str) -> Response {
    page::page(StatusCode::INSUFFICIENT_STORAGE, "Nothing was done", &[why])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_sent_as_a_form_changes_nothing() {
        let reads = |tool, method, path| only_reads(tool, &method, path);
        assert!(reads(Tool::Alertmanager, Method::GET, "/api/v2/silences"));
        assert!(reads(Tool::Prometheus, Method::POST, "/api/v1/query_range"));
        for path in ["/api/v1/admin/tsdb/snapshot", "/-/reload", "/api/v1/query/../x", "/query"] {
            assert!(!reads(Tool::Prometheus, Method::POST, path), "{path}");
        }
        assert!(!reads(Tool::Alertmanager, Method::POST, "/api/v1/query"));
        assert!(!reads(Tool::Alertmanager, Method::DELETE, "/api/v2/silence/x"));
    }
}
