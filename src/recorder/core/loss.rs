//! Observations that could not be recorded: counted by source, told in gaps afterwards.

use std::collections::BTreeMap;

use crate::event::{Event, Extensions, Gap, Millis};

/// What was lost since the journal stopped taking records.
#[derive(Debug, Default)]
pub(super) struct Losses {
    by_source: BTreeMap<String, Lost>,
}

#[derive(Debug)]
struct Lost {
    from: Millis,
    count: u64,
}

impl Losses {
    pub fn is_empty(&self) -> bool {
        self.by_source.is_empty()
    }

    /// Counts events that were not recorded.
    pub fn count_all(&mut self, events: &[Event], now: Millis) {
        for event in events {
            let source = source_of(event).to_owned();
            self.by_source.entry(source).or_insert(Lost { from: now, count: 0 }).count += 1;
        }
    }

    /// Since when each source lost something.
    pub fn begun(self) -> impl Iterator<Item = (String, Millis)> {
        self.by_source.into_iter().map(|(source, lost)| (source, lost.from))
    }

    /// One gap for each source.
    pub fn as_gaps(&self, now: Millis) -> Vec<Event> {
        let gap = |(source, lost): (&String, &Lost)| {
            Event::Gap(Gap {
                source: source.clone(),
                reason: "the journal could not be written".into(),
                from: lost.from,
                to: now,
                dropped: Some(lost.count),
                ext: Extensions::default(),
            })
        };
        self.by_source.iter().map(gap).collect()
    }
}

/// The gap that an event leaves which no journal can hold.
pub(super) fn refused(event: &Event, reason: &str, now: Millis) -> Event {
    Event::Gap(Gap {
        source: source_of(event).to_owned(),
        reason: format!("a record of kind {:#06x} was refused: {reason}", event.kind()),
        from: now,
        to: now,
        dropped: Some(1),
        ext: Extensions::default(),
    })
}

/// The source that a lost event counts for; the recorder itself where it names none.
fn source_of(event: &Event) -> &str {
    match event {
        Event::ObjectObserved(e) => &e.source,
        Event::ObjectDeleted(e) => &e.source,
        Event::ClusterEvent(e) => &e.source,
        Event::LogLine(e) => &e.source,
        Event::Trace(e) => &e.source,
        Event::LiveQuery(e) => &e.source,
        Event::LiveQueryDropped(e) => &e.source,
        Event::SourceState(e) => &e.name,
        Event::Gap(e) => &e.source,
        Event::WatchPosition(e) => &e.source,
        Event::ActionIntent(_)
        | Event::ActionProgress(_)
        | Event::ActionOutcome(_)
        | Event::Boot(_) => "recorder",
    }
}
