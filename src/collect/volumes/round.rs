//! What a round of measuring found wrong: many nodes or pods, few reasons.

use std::collections::BTreeMap;

use crate::collect::supervisor::{Failure, Retry};

/// Reasons that are told; there are as many as there are kinds of trouble.
const REASONS_MAX: usize = 3;

/// Names that are told of each reason.
const NAMES_MAX: usize = 3;

/// What told nothing in a round, by the reason.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    by_reason: BTreeMap<String, Vec<String>>,
    /// One of them may heal by itself.
    may_heal: bool,
    told: usize,
}

impl Troubles {
    /// Notes one that told something.
    pub(super) fn well(&mut self) {
        self.told += 1;
    }

    /// Notes one that told nothing. `retry`: what its trouble needs.
    pub(super) fn add(&mut self, name: &str, reason: String, retry: Retry) {
        self.may_heal |= retry == Retry::BackOff;
        self.by_reason.entry(reason).or_default().push(name.into());
    }

    /// Whether all told something.
    pub(super) fn is_empty(&self) -> bool {
        self.by_reason.is_empty()
    }

    /// In one line: `what` of so many failed, and why; empty where nothing did.
    pub(super) fn note(&self, what: &str) -> String {
        let failed: usize = self.by_reason.values().map(Vec::len).sum();
        if failed == 0 {
            return String::new();
        }
        let mut reasons: Vec<_> = self.by_reason.iter().collect();
        reasons.sort_by_key(|(_, names)| std::cmp::Reverse(names.len()));
        let told = reasons.iter().take(REASONS_MAX);
        let told: Vec<String> =
            told.map(|(reason, names)| format!("{}: {reason}", list(names))).collect();
        let more = match reasons.len().saturating_sub(REASONS_MAX) {
            0 => String::new(),
            more => format!("; and {more} more reasons"),
        };
        format!("{what} failed for {failed} of {}: {}{more}", failed + self.told, told.join("; "))
    }

    /// That nothing at all was told, if so.
    pub(super) fn failure(&self, what: &str) -> Option<Failure> {
        if self.is_empty() || self.told > 0 {
            return None;
        }
        let retry = if self.may_heal { Retry::BackOff } else { Retry::Rarely };
        Some(Failure::Down { reason: self.note(what), retry })
    }
}

fn list(names: &[String]) -> String {
    let first = names.iter().take(NAMES_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMES_MAX) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_with_one_reason_are_one_line() {
        let mut troubles = Troubles::default();
        assert_eq!(troubles.note("asking"), "");
        for number in 1..=30 {
            troubles.add(&format!("n{number}"), "no".into(), Retry::Rarely);
        }
        let failure = troubles.failure("asking");
        let Some(Failure::Down { reason, retry: Retry::Rarely }) = failure else { panic!("down") };
        assert_eq!(reason, "asking failed for 30 of 30: n1, n2, n3 and 27 more: no");
        troubles.well();
        troubles.add("x", "other".into(), Retry::BackOff);
        assert!(troubles.failure("asking").is_none());
        let note = troubles.note("asking");
        assert_eq!(note, "asking failed for 31 of 32: n1, n2, n3 and 27 more: no; x: other");
    }

    #[test]
    fn a_line_names_few_reasons() {
        let mut troubles = Troubles::default();
        for number in 0..5 {
            troubles.add("n", format!("reason {number}"), Retry::BackOff);
        }
        assert!(troubles.note("asking").ends_with("; and 2 more reasons"));
    }
}
