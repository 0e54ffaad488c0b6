//! Label and field selectors, in the forms `a=b`, `a==b`, `a!=b` and, for labels, `a` and `!a`.

use serde_json::Value;

/// What an object must have to be listed or watched.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<Requirement>,
}

#[derive(Debug, Clone)]
struct Requirement {
    name: String,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    Equals(String),
    Differs(String),
    Exists,
    Missing,
}

impl Selector {
    /// Reads both query parameters; the message of an error names what is not supported.
    pub(crate) fn parse(labels: &str, fields: &str) -> Result<Selector, String> {
        let fields = requirements(fields)?;
        match fields.iter().find(|r| matches!(r.test, Test::Exists | Test::Missing)) {
            Some(bad) => Err(format!("invalid field selector: {:?} has no value", bad.name)),
            None => Ok(Selector { labels: requirements(labels)?, fields }),
        }
    }

    pub(crate) fn matches(&self, object: &Value) -> bool {
        let label = |name: &str| object["metadata"]["labels"][name].as_str();
        let field = |path: &str| path.split('.').fold(object, |at, part| &at[part]).as_str();
        self.labels.iter().all(|r| r.test.holds(label(&r.name)))
            // A field that is not set counts as empty, as in the real API.
            && self.fields.iter().all(|r| r.test.holds(Some(field(&r.name).unwrap_or_default())))
    }
}

impl Test {
    fn holds(&self, found: Option<&str>) -> bool {
        match self {
            Test::Equals(value) => found == Some(value),
            Test::Differs(value) => found != Some(value),
            Test::Exists => found.is_some(),
            Test::Missing => found.is_none(),
        }
    }
}

fn requirements(text: &str) -> Result<Vec<Requirement>, String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(requirement).collect()
}

fn requirement(part: &str) -> Result<Requirement, String> {
    if part.contains([' ', '(', ')']) {
        return Err(format!("set-based selectors are not simulated: {part:?}"));
    }
    let (name, test) = if let Some((name, value)) = part.split_once("!=") {
        (name, Test::Differs(value.to_owned()))
    } else if let Some((name, value)) = part.split_once('=') {
        (name, Test::Equals(value.trim_start_matches('=').to_owned()))
    } else if let Some(name) = part.strip_prefix('!') {
        (name, Test::Missing)
    } else {
        (part, Test::Exists)
    };
    Ok(Requirement { name: name.to_owned(), test })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors_choose_by_label_and_field() {
        let pod = json!({
            "metadata": {"name": "x", "labels": {"app": "web"}},
            "spec": {"nodeName": "n1"},
        });
        let check = |labels: &str, fields: &str, expected: bool| {
            let selector = Selector::parse(labels, fields).expect("a valid selector");
            assert_eq!(selector.matches(&pod), expected, "labels {labels:?}, fields {fields:?}");
        };
        check("", "", true);
        check("app=web", "", true);
        check("app==web,tier!=db", "spec.nodeName=n1", true);
        check("app", "metadata.name!=y", true);
        check("!tier", "", true);
        check("app=db", "", false);
        check("!app", "", false);
        check("", "spec.nodeName=n2", false);
        check("", "status.phase=Running", false);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        assert!(Selector::parse("app in (a)", "").is_err());
        assert!(Selector::parse("", "metadata.name").is_err());
    }
}
