//! `[[pod_logs]]`: whose logs are followed through the cluster API.

use serde::Deserialize;

use crate::collect::PodLogs;

/// A name stands in the name of a source, and on screen.
const NAME_CHARS_MAX: usize = 40;

/// More than this is a slip: one selection can match any number of pods.
const SELECTIONS_MAX: usize = 32;

/// One selection.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PodLogsSection {
    name: String,
    namespace: Option<String>,
    label_selector: Option<String>,
    #[serde(default)]
    containers: Vec<String>,
    #[serde(default = "yes")]
    previous: bool,
}

fn yes() -> bool {
    true
}

/// What is wrong with the selections.
pub fn fault(selections: &[PodLogsSection]) -> Option<String> {
    if selections.len() > SELECTIONS_MAX {
        return Some(format!("there are more than {SELECTIONS_MAX}"));
    }
    for (index, PodLogsSection { name, .. }) in selections.iter().enumerate() {
        let is_good = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.chars().all(is_good) {
            return Some(format!(
                "the name {name:?} must have 1 to {NAME_CHARS_MAX} letters, digits or -._"
            ));
        }
        if selections[..index].iter().any(|earlier| earlier.name == *name) {
            return Some(format!("two selections have the name {name:?}"));
        }
    }
    None
}

impl From<PodLogsSection> for PodLogs {
    fn from(section: PodLogsSection) -> PodLogs {
        let PodLogsSection { name, namespace, label_selector, containers, previous } = section;
        let namespace = namespace.filter(|namespace| !namespace.is_empty());
        let label_selector = label_selector.unwrap_or_default();
        PodLogs { name, namespace, label_selector, containers, previous }
    }
}
