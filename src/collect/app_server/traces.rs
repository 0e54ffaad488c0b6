//! Remembers which traces were sent, so that one that is only repeated is not sent again.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use crate::event::{Trace, TraceEnd};

/// How many open traces are remembered. Beyond that all are forgotten, which costs one repeated
/// record each.
const OPEN_MAX: usize = 16_384;

/// A hash of each open trace as it was sent last. Ended ones are not sent again by the app-server,
/// and are forgotten.
#[derive(Debug, Default)]
pub struct Traces {
    sent: HashMap<String, u64>,
}

impl Traces {
    /// Whether this is not what was sent last for this id; remembers it as sent.
    pub fn is_news(&mut self, trace: &Trace) -> bool {
        if trace.end != TraceEnd::Open {
            self.sent.remove(&trace.id);
            return true;
        }
        let hash = hash(trace);
        if self.sent.get(&trace.id) == Some(&hash) {
            return false;
        }
        if self.sent.len() >= OPEN_MAX {
            self.sent.clear();
        }
        self.sent.insert(trace.id.clone(), hash);
        true
    }
}

fn hash(trace: &Trace) -> u64 {
    let mut hash = DefaultHasher::new();
    for section in &trace.sections {
        section.path.hash(&mut hash);
        section.start_time.to_bits().hash(&mut hash);
        section.duration.map(f64::to_bits).hash(&mut hash);
        section.extra_info.hash(&mut hash);
    }
    hash.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Extensions, Section};

    fn trace(id: usize, durations: &[Option<f64>]) -> Trace {
        let sections = durations.iter().map(|duration| Section {
            path: "a".into(),
            start_time: 1.0,
            duration: *duration,
            extra_info: None,
        });
        let is_open = durations.contains(&None);
        Trace {
            source: "app-server".into(),
            id: id.to_string(),
            end: if is_open { TraceEnd::Open } else { TraceEnd::Ended },
            sections: sections.collect(),
            ext: Extensions::default(),
        }
    }

    #[test]
    fn a_repeated_open_trace_is_no_news_and_any_change_is() {
        let mut traces = Traces::default();
        assert!(traces.is_news(&trace(1, &[None])));
        assert!(!traces.is_news(&trace(1, &[None])));
        assert!(traces.is_news(&trace(2, &[None])));
        assert!(traces.is_news(&trace(1, &[Some(1.0), None])));
        assert!(traces.is_news(&trace(1, &[Some(1.0), Some(2.0)])));
        assert!(traces.is_news(&trace(1, &[None])), "it was forgotten when it ended");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut traces = Traces::default();
        for id in 0..=OPEN_MAX {
            assert!(traces.is_news(&trace(id, &[None])));
        }
        assert!(traces.sent.len() <= OPEN_MAX);
        assert!(!traces.is_news(&trace(OPEN_MAX, &[None])));
    }
}
