//! The query parameters of lists and watches.

use super::{selector::Selector, status::Refusal};

/// What a list or a watch asks for.
#[derive(Debug, Default)]
pub(super) struct Query {
    pub(super) watch: bool,
    pub(super) selector: Selector,
    /// `None` where it is absent or empty.
    pub(super) resource_version: Option<u64>,
    pub(super) limit: Option<usize>,
    /// The token of a page, as it was given out.
    pub(super) page: Option<String>,
    pub(super) bookmarks: bool,
    pub(super) timeout_seconds: Option<u64>,
}

impl Query {
    pub(super) fn parse(text: &str) -> Result<Query, Refusal> {
        let mut query = Query::default();
        let (mut labels, mut fields) = (String::new(), String::new());
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            match name.as_ref() {
                "watch" => query.watch = is_true(&value),
                "allowWatchBookmarks" => query.bookmarks = is_true(&value),
                "labelSelector" => labels = value.into_owned(),
                "fieldSelector" => fields = value.into_owned(),
                "continue" if !value.is_empty() => query.page = Some(value.into_owned()),
                "resourceVersion" => query.resource_version = number(&name, &value)?,
                "timeoutSeconds" => query.timeout_seconds = number(&name, &value)?,
                "limit" => {
                    let limit = number(&name, &value)?.filter(|limit| *limit > 0);
                    query.limit = limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
                }
                "sendInitialEvents" if is_true(&value) => {
                    return Err(Refusal::invalid("sendInitialEvents: this feature is off here"));
                }
                // Others, such as `pretty`, change nothing that matters here.
                _ => {}
            }
        }
        query.selector = Selector::parse(&labels, &fields).map_err(Refusal::bad_request)?;
        Ok(query)
    }
}

fn is_true(value: &str) -> bool {
    matches!(value, "true" | "1")
}

fn number(name: &str, value: &str) -> Result<Option<u64>, Refusal> {
    if value.is_empty() {
        return Ok(None);
    }
    let invalid = |_| Refusal::bad_request(format!("invalid {name}: {value:?} is no number"));
    value.parse().map(Some).map_err(invalid)
}
