//! What a debate-mapping app-server has to say: log lines, requests and live queries.

use serde_json::{Value, json};

use super::frames::LiveQuery;
use crate::{event::Millis, sim::rng::Rng};

/// A kind of log line: level, module, span, and text with `{}` for an id.
pub(super) type LineKind = (&'static str, &'static str, &'static str, &'static str);

/// What is written when all is well.
pub(super) const CALM_LINES: &[LineKind] = &[
    ("INFO", "app_server::db::commands::add_node", "add_node", "added node {}"),
    ("INFO", "app_server::db::commands::add_child_node", "add_child_node", "linked child {}"),
    ("INFO", "app_server::db::commands::update_node", "update_node", "new revision of node {}"),
    ("INFO", "app_server::db::commands::set_node_rating", "set_node_rating", "rated node {}"),
    ("INFO", "app_server::db::general::sign_in", "sign_in", "user {} signed in"),
    ("INFO", "app_server::globals", "", "memory in use: 212 MiB, live queries: 14"),
    ("DEBUG", "app_server::store::live_queries", "notify", "change of {} sent to 3 watchers"),
    ("DEBUG", "app_server::db::pool", "acquire", "connection taken after 0.4 ms"),
    ("DEBUG", "app_server::gql::subscriptions", "subscribe", "new watcher of map {}"),
    ("TRACE", "app_server::utils::access", "can_read", "policy of node {}: public"),
    ("WARN", "app_server::db::commands::update_node", "update_node", "node {} was locked; retried"),
];

/// What is added when the database is slow and memory grows.
pub(super) const STRAINED_LINES: &[LineKind] = &[
    ("WARN", "app_server::db::pool", "acquire", "connection taken after 1840 ms"),
    ("WARN", "app_server::globals", "", "memory in use: 871 MiB, live queries: 14"),
    ("WARN", "app_server::store::live_queries", "notify", "change of {} is 4.1 s late"),
    ("INFO", "app_server::gql::subscriptions", "subscribe", "watcher of map {} came again"),
];

/// What is added when requests fail.
pub(super) const FAILING_LINES: &[LineKind] = &[
    ("ERROR", "app_server::db::pool", "acquire", "no connection within 10000 ms: pool exhausted"),
    (
        "ERROR",
        "app_server::db::commands::add_node",
        "add_node",
        "node {} not added: pool exhausted",
    ),
    ("ERROR", "app_server::gql::subscriptions", "notify", "watcher of map {} dropped: too slow"),
    ("WARN", "app_server::globals", "", "memory in use: 1012 MiB of 1024 MiB"),
    ("ERROR", "app_server::store::live_queries", "apply", "allocation failed while reading {}"),
];

/// A part of a request that is going to be played.
#[derive(Debug, Clone)]
pub(super) struct PlannedSection {
    pub(super) path: String,
    pub(super) extra_info: Option<String>,
    pub(super) start: Millis,
    pub(super) duration: Millis,
}

const OPERATIONS: &[(&str, &[&str])] = &[
    ("getNode", &["nodes", "nodeRevisions", "accessPolicies"]),
    ("getNodesInMap", &["maps", "nodes", "nodeLinks"]),
    ("addChildNode", &["nodes", "nodeLinks"]),
    ("updateNode", &["nodes", "nodeRevisions"]),
    ("searchSubtree", &["nodeLinks", "nodes"]),
    ("getUser", &["users"]),
];

/// A request that starts at `start` and takes about `duration`.
pub(super) fn request(rng: &mut Rng, start: Millis, duration: Millis) -> Vec<PlannedSection> {
    let (operation, tables) = rng.pick(OPERATIONS);
    let root = format!("graphql {operation}");
    let mut sections = Vec::new();
    let mut add = |path: String, extra_info, from: f64, to: f64| {
        let (start, duration) = (start + from * duration, (to - from) * duration);
        sections.push(PlannedSection { path, extra_info, start, duration });
    };
    let node = format!("node: {}", short_id(rng));
    add(root.clone(), Some(node), 0.0, 1.0);
    add(format!("{root}/1:parse and check"), None, 0.0, 0.04);
    let pool = rng.between((0.05, 0.3));
    add(format!("{root}/2:take connection"), None, 0.04, pool);
    let execute = format!("{root}/3:execute");
    add(execute.clone(), None, pool, 0.95);
    let step = (0.95 - pool) / tables.len() as f64;
    for (number, table) in tables.iter().enumerate() {
        let from = pool + step * number as f64;
        let rows = format!("rows: {}", 1 + rng.below(40));
        let path = format!("{execute}/{}:select {table}", number + 1);
        add(path, Some(rows), from, from + step);
    }
    add(format!("{root}/4:serialize"), None, 0.95, 1.0);
    sections
}

/// A line of this kind about something.
pub(super) fn message(kind: &LineKind, rng: &mut Rng) -> String {
    kind.3.replace("{}", &short_id(rng))
}

/// A new live query.
pub(super) fn live_query(rng: &mut Rng) -> LiveQuery {
    let id = short_id(rng);
    let (table_name, filter) = match rng.below(5) {
        0 => ("maps", json!({"id": {"equalTo": id}})),
        1 => ("nodes", json!({"id": {"equalTo": id}})),
        2 => ("nodeLinks", json!({"parent": {"equalTo": id}})),
        3 => ("nodeRevisions", json!({"node": {"equalTo": id}})),
        _ => ("users", json!({"id": {"equalTo": id}})),
    };
    let last_entries = (0..rng.below(3)).map(|_| entry(table_name, rng)).collect();
    LiveQuery {
        table_name: table_name.to_owned(),
        filter,
        last_entries,
        watchers_count: 1 + rng.below(4),
        deleting: false,
    }
}

/// A row of a table.
pub(super) fn entry(table_name: &str, rng: &mut Rng) -> Value {
    let id = short_id(rng);
    match table_name {
        "nodeLinks" => json!({"id": id, "parent": short_id(rng), "child": short_id(rng)}),
        "users" => json!({"id": id, "displayName": format!("user {}", rng.below(900))}),
        "maps" => json!({"id": id, "name": "Climate policy", "edits": rng.below(5000)}),
        _ => json!({"id": id, "type": "claim", "creator": short_id(rng)}),
    }
}

/// An id as the app-server gives them: 22 URL-safe characters.
fn short_id(rng: &mut Rng) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    (0..22).map(|_| char::from(*rng.pick(ALPHABET))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_request_lie_within_it() {
        let mut rng = Rng::new(1, "content");
        for _ in 0..50 {
            let sections = request(&mut rng, 1000.0, 200.0);
            let root = &sections[0].path;
            for section in &sections {
                assert!(section.path.starts_with(root.as_str()));
                assert!(section.start >= 1000.0 && section.duration > 0.0);
                assert!(section.start + section.duration <= 1200.001);
            }
        }
    }
}
