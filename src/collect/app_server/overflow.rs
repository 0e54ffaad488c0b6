//! What does not fit into the recorder's queue: lines are counted, states wait for room.
//!
//! Nobody can ask the app-server again, and holding it up would make it drop without a count. A lost
//! line is a hole that the gap tells of; a lost end of a trace would be a lie that lasts, so the
//! last state of each entity is kept and sent when there is room.

use std::collections::BTreeMap;

use super::NAME;
use crate::{
    collect::{outlet::Stopped, report::Report},
    event::{Event, Extensions, Gap, Key, Millis, now},
};

/// How many entities may wait. Beyond that, states are dropped and counted like lines.
const WAITING_MAX: usize = 16_384;

const QUEUE_FULL: &str = "the recorder could not keep up: its queue was full";

/// What waits for room in the queue.
#[derive(Debug, Default)]
pub struct Overflow {
    dropped: u64,
    /// Until when the source was heard when the first record was dropped.
    from: Millis,
    waiting: BTreeMap<Key, Event>,
}

impl Overflow {
    /// Sends what waited and then `events`, or keeps and counts them. `from`: until when the source
    /// had been heard before them.
    ///
    /// # Errors
    /// The recorder has stopped.
    pub fn offer(
        &mut self,
        events: Vec<Event>,
        from: Millis,
        report: &Report,
    ) -> Result<(), Stopped> {
        let dropped = self.dropped;
        let mut all = self.waiting(report);
        all.extend(events);
        if all.is_empty() {
            return Ok(());
        }
        if let Some(refused) = report.try_send(all)? {
            self.dropped = dropped;
            refused.into_iter().for_each(|event| self.keep(event, from));
        }
        Ok(())
    }

    /// Takes out what waits, after the gap that tells of what was dropped.
    pub fn waiting(&mut self, report: &Report) -> Vec<Event> {
        let mut events = Vec::new();
        if self.dropped > 0 {
            events.push(report.gap_between(self.from, now(), QUEUE_FULL, Some(self.dropped)));
            self.dropped = 0;
        }
        events.extend(std::mem::take(&mut self.waiting).into_values());
        events
    }

    /// What waits, and stays here. The count of what was dropped ends with the link.
    pub fn last_words(&self) -> Vec<Event> {
        let gap = (self.dropped > 0).then(|| {
            Event::Gap(Gap {
                source: NAME.into(),
                reason: QUEUE_FULL.into(),
                from: self.from,
                to: now(),
                dropped: Some(self.dropped),
                ext: Extensions::default(),
            })
        });
        gap.into_iter().chain(self.waiting.values().cloned()).collect()
    }

    fn keep(&mut self, event: Event, from: Millis) {
        // A gap is made anew with the next attempt.
        if matches!(event, Event::Gap(_)) {
            return;
        }
        let key = event.key();
        let is_kept = key != Key::NONE
            && (self.waiting.len() < WAITING_MAX || self.waiting.contains_key(&key));
        // A state that replaces one that waits costs that one.
        if !is_kept || self.waiting.insert(key, event).is_some() {
            self.count(from);
        }
    }

    fn count(&mut self, from: Millis) {
        if self.dropped == 0 {
            self.from = from;
        }
        self.dropped += 1;
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::{mpsc, watch};

    use super::*;
    use crate::{
        collect::Outlet,
        event::{Level, LogLine, Observation, Trace, TraceEnd},
    };

    fn line() -> Event {
        Event::LogLine(LogLine {
            source: "app-server".into(),
            time: 1.0,
            level: Level::Info,
            target: String::new(),
            span_name: String::new(),
            message: String::new(),
            ext: Extensions::default(),
        })
    }

    fn trace(end: TraceEnd) -> Event {
        Event::Trace(Trace {
            source: "app-server".into(),
            id: "a".into(),
            end,
            sections: vec![],
            ext: Extensions::default(),
        })
    }

    fn taken(queue: &mut mpsc::Receiver<crate::event::Observed>) -> Vec<Event> {
        match queue.try_recv().expect("a message").what {
            Observation::Events(events) => events,
            Observation::Listed(_) => panic!("no list was sent"),
        }
    }

    #[test]
    fn a_full_queue_costs_lines_that_are_counted_once_and_no_last_state() {
        let (sender, mut queue) = mpsc::channel(1);
        let (_generation, generation) = watch::channel(1);
        let report = Report::new("app-server", Outlet::new(sender, generation), None);
        let mut overflow = Overflow::default();
        let mut offer = |events, from| overflow.offer(events, from, &report).expect("it listens");

        offer(vec![line()], 10.0);
        offer(vec![line(), line()], 20.0);
        offer(vec![trace(TraceEnd::Open)], 30.0);
        offer(vec![trace(TraceEnd::Ended), line()], 40.0);
        assert_eq!(taken(&mut queue), [line()]);
        offer(vec![line()], 50.0);

        let events = taken(&mut queue);
        let [Event::Gap(gap), ended, last] = &events[..] else { panic!("{events:?}") };
        // Three lines, and the open trace that its end replaced.
        assert_eq!((gap.dropped, gap.from), (Some(4), 20.0));
        assert_eq!((ended, last), (&trace(TraceEnd::Ended), &line()));

        offer(vec![line()], 60.0);
        assert_eq!(taken(&mut queue), [line()], "the gap is told once");
    }
}
