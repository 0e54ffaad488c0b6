//! Lists, whole or in pages. All pages of one list are of one version.

use serde_json::{Value, json};

use super::{query::Query, resources::Target, status::Refusal, store::Store};

/// Answers a list.
pub(super) fn list(store: &Store, target: &Target, query: &Query) -> Result<Value, Refusal> {
    let (version, after) = match &query.page {
        Some(token) => parse_token(token)?,
        None => (store.version(), None),
    };
    let plural = target.resource.plural;
    let objects = store.at(plural, version).map_err(|_| {
        // The client cannot go on with this list: it starts a new one.
        Refusal::expired(version, store.version())
    })?;
    let in_namespace = |namespace: &str| target.namespace.as_deref().is_none_or(|n| n == namespace);
    let mut wanted = objects.iter().filter(|(key, object)| {
        let place = (key.namespace.clone(), key.name.clone());
        in_namespace(&key.namespace)
            && after.as_ref().is_none_or(|after| place > *after)
            && query.selector.matches(object)
    });

    let limit = query.limit.unwrap_or(usize::MAX);
    let page: Vec<_> = wanted.by_ref().take(limit).collect();
    let remaining = wanted.count();
    let mut metadata = json!({"resourceVersion": version.to_string()});
    if let (Some((last, _)), true) = (page.last(), remaining > 0) {
        metadata["continue"] = json!(format!("{version}/{}/{}", last.namespace, last.name));
        metadata["remainingItemCount"] = json!(remaining);
    }
    Ok(json!({
        "kind": format!("{}List", target.resource.kind),
        "apiVersion": target.resource.group_version,
        "metadata": metadata,
        "items": page.iter().map(|(_, object)| as_item(object)).collect::<Vec<_>>(),
    }))
}

/// An object as it stands in a list: the real API leaves out what the list itself says.
fn as_item(object: &Value) -> Value {
    let mut item = object.clone();
    if let Some(fields) = item.as_object_mut() {
        fields.remove("kind");
        fields.remove("apiVersion");
    }
    item
}

type Place = (String, String);

fn parse_token(token: &str) -> Result<(u64, Option<Place>), Refusal> {
    let mut parts = token.splitn(3, '/');
    let version = parts.next().and_then(|version| version.parse().ok());
    match (version, parts.next(), parts.next()) {
        (Some(version), Some(namespace), Some(name)) => {
            Ok((version, Some((namespace.to_owned(), name.to_owned()))))
        }
        _ => Err(Refusal::bad_request("continue key is not valid")),
    }
}
