//! Observations that could not be recorded: counted by source, told in gaps afterwards.

use std::collections::BTreeMap;

use crate::event::{Event, Extensions, Gap, Millis, ProbeResult, Role};

/// What was lost and has not been told yet.
#[derive(Debug, Default)]
pub(super) struct Losses {
    by_source: BTreeMap<String, Lost>,
}

#[derive(Debug)]
struct Lost {
    from: Millis,
    /// `None` where nobody can know.
    count: Option<u64>,
    /// States or ends are among them, so what is shown of the source may be out of date.
    is_stale: bool,
}

impl Losses {
    pub fn is_empty(&self) -> bool {
        self.by_source.is_empty()
    }

    /// How many records were lost, as far as that can be known.
    pub fn count(&self) -> u64 {
        self.by_source.values().filter_map(|lost| lost.count).sum()
    }

    /// Counts an event that was not recorded. One that is itself a gap becomes part of the gap that
    /// will tell of it.
    pub fn add(&mut self, event: &Event, now: Millis) {
        match event {
            Event::Gap(gap) => self.lose(&gap.source, gap.from.min(now), gap.dropped),
            other => self.lose(source_of(other), now, Some(1)),
        }
    }

    /// Counts records of the source of an event.
    pub fn add_so_many(&mut self, event: &Event, count: u64, now: Millis) {
        if count > 0 {
            self.lose(source_of(event), now, Some(count));
        }
    }

    /// Counts an event without which, unless it is history, what is shown of its source is out of
    /// date.
    pub fn add_stale(&mut self, event: &Event, now: Millis) {
        self.add(event, now);
        if let Some(lost) = self.by_source.get_mut(source_of(event)) {
            lost.is_stale |= event.role() != Role::History;
        }
    }

    fn lose(&mut self, source: &str, from: Millis, count: Option<u64>) {
        let none = Lost { from, count: Some(0), is_stale: false };
        let lost = self.by_source.entry(source.to_owned()).or_insert(none);
        lost.from = lost.from.min(from);
        lost.count = lost.count.zip(count).map(|(a, b)| a + b);
    }

    /// Since when what is shown of a source may be out of date.
    pub fn stale_since(&self) -> impl Iterator<Item = (&String, Millis)> {
        let stale = self.by_source.iter().filter(|(_, lost)| lost.is_stale);
        stale.map(|(source, lost)| (source, lost.from))
    }

    /// One gap for each source.
    pub fn as_gaps(&self, reason: &str, now: Millis) -> Vec<Event> {
        let gap = |(source, lost): (&String, &Lost)| {
            Event::Gap(Gap {
                source: source.clone(),
                reason: reason.to_owned(),
                from: lost.from,
                to: now,
                dropped: lost.count,
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
pub(super) fn source_of(event: &Event) -> &str {
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
        Event::ProbeResult(_) => ProbeResult::SOURCE,
        Event::VolumeUsage(e) => &e.source,
        Event::ProcessUsage(e) => &e.source,
        Event::PodLogPosition(e) => &e.source,
        Event::ActionIntent(_)
        | Event::ActionProgress(_)
        | Event::ActionOutcome(_)
        | Event::Boot(_)
        | Event::Retention(_)
        | Event::FilesRemoved(_)
        | Event::Degraded(_) => "recorder",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Level, LiveQueryDropped, LogLine};

    fn line() -> Event {
        Event::LogLine(LogLine {
            source: "app-server".into(),
            time: 0.0,
            level: Level::Info,
            target: String::new(),
            span_name: String::new(),
            message: String::new(),
            ext: Extensions::default(),
        })
    }

    fn gap(from: Millis, dropped: Option<u64>) -> Event {
        let (source, reason) = ("app-server".into(), "the link was down".into());
        Event::Gap(Gap { source, reason, from, to: from, dropped, ext: Extensions::default() })
    }

    fn told(losses: &Losses) -> (Millis, Option<u64>) {
        let gaps = losses.as_gaps("because", 9.0);
        let [Event::Gap(gap)] = &gaps[..] else { panic!("{gaps:?}") };
        assert_eq!((gap.reason.as_str(), gap.to), ("because", 9.0));
        (gap.from, gap.dropped)
    }

    #[test]
    fn a_lost_gap_becomes_part_of_the_gap_that_tells_of_it() {
        let mut losses = Losses::default();
        losses.add(&line(), 5.0);
        losses.add(&gap(3.0, Some(4)), 6.0);
        assert_eq!(told(&losses), (3.0, Some(5)));
        losses.add(&gap(7.0, None), 8.0);
        losses.add(&line(), 8.0);
        assert_eq!(told(&losses), (3.0, None), "nobody can know how many");
        assert_eq!(losses.count(), 0);
    }

    #[test]
    fn only_a_lost_state_or_end_makes_a_source_stale() {
        let mut losses = Losses::default();
        losses.add_stale(&line(), 1.0);
        assert_eq!(losses.stale_since().count(), 0);
        let dropped = LiveQueryDropped {
            source: "app-server".into(),
            table_name: String::new(),
            filter: String::new(),
            ext: Extensions::default(),
        };
        losses.add_stale(&Event::LiveQueryDropped(dropped), 2.0);
        let stale: Vec<_> = losses.stale_since().collect();
        assert_eq!(stale, [(&"app-server".to_owned(), 1.0)]);
    }
}
