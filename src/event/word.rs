//! The word of each kind: what tools print and take, and what a person remembers.

use super::kind;

/// Every kind and its word.
pub const WORDS: &[(u16, &str)] = &[
    (kind::OBJECT_OBSERVED, "object_observed"),
    (kind::OBJECT_DELETED, "object_deleted"),
    (kind::CLUSTER_EVENT, "cluster_event"),
    (kind::LOG_LINE, "log_line"),
    (kind::TRACE, "trace"),
    (kind::LIVE_QUERY, "live_query"),
    (kind::LIVE_QUERY_DROPPED, "live_query_dropped"),
    (kind::SOURCE_STATE, "source_state"),
    (kind::GAP, "gap"),
    (kind::WATCH_POSITION, "watch_position"),
    (kind::PROBE_RESULT, "probe_result"),
    (kind::VOLUME_USAGE, "volume_usage"),
    (kind::PROCESS_USAGE, "process_usage"),
    (kind::POD_LOG_POSITION, "pod_log_position"),
    (kind::ACTION_INTENT, "action_intent"),
    (kind::ACTION_PROGRESS, "action_progress"),
    (kind::ACTION_OUTCOME, "action_outcome"),
    (kind::BOOT, "boot"),
    (kind::RETENTION, "retention"),
    (kind::FILES_REMOVED, "files_removed"),
    (kind::DEGRADED, "degraded"),
];

/// The word of a kind; `None` for a kind that this version does not know.
pub fn word_of(kind: u16) -> Option<&'static str> {
    WORDS.iter().find(|(number, _)| *number == kind).map(|(_, word)| *word)
}

/// The kind that a word names.
pub fn kind_of(word: &str) -> Option<u16> {
    WORDS.iter().find(|(_, known)| *known == word).map(|(number, _)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;

    #[test]
    fn every_kind_that_can_be_decoded_has_a_word() {
        for kind in 0..=u16::MAX {
            // No payload at all is refused by each kind that is known.
            let is_known = Event::decode(kind, &[]).is_err();
            assert_eq!(word_of(kind).is_some(), is_known, "{kind:#06x}");
            assert_eq!(word_of(kind).and_then(kind_of), is_known.then_some(kind));
        }
    }
}
