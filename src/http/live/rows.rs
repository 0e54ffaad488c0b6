//! New records to the rows of one batch.

use std::ops::ControlFlow;

use crate::{
    event::{Event, kind, millis},
    http::{convert, error::Error, params::bad, wire::LiveBatch},
    journal::{self, Range, Reader, Record, Seq},
    views::read::{Action, Recorded},
};

/// Rows of one batch; more follow at once.
const ROWS_MAX: usize = 2000;

/// Payload bytes of one batch, so that large bodies do not add up; one body is sent whole.
const BYTES_MAX: usize = 1 << 20;

/// Each topic and the kinds of records that it shows.
const TOPICS: &[(&str, &[u16])] = &[
    ("logs", &[kind::LOG_LINE]),
    ("requests", &[kind::TRACE]),
    ("live-queries", &[kind::LIVE_QUERY, kind::LIVE_QUERY_DROPPED]),
    ("objects", &[kind::OBJECT_OBSERVED, kind::OBJECT_DELETED]),
    ("events", &[kind::CLUSTER_EVENT]),
    ("sources", &[kind::SOURCE_STATE]),
    ("actions", &[kind::ACTION_INTENT, kind::ACTION_PROGRESS, kind::ACTION_OUTCOME]),
    ("probes", &[kind::PROBE_RESULT]),
    ("volumes", &[kind::VOLUME_USAGE, kind::PROCESS_USAGE]),
];

/// What a feed is about.
#[derive(Debug, Clone)]
pub(super) struct Topics {
    /// Gaps are told whatever the topics are.
    kinds: Vec<u16>,
}

impl Topics {
    /// Reads a list; all topics where there is none.
    pub(super) fn parse(list: Option<&str>) -> Result<Topics, Error> {
        let mut kinds = vec![kind::GAP];
        match list {
            None => kinds.extend(TOPICS.iter().flat_map(|(_, kinds)| *kinds)),
            Some(list) => {
                for word in list.split(',') {
                    kinds.extend(Topics::kinds_of(word.trim())?);
                }
            }
        }
        Ok(Topics { kinds })
    }

    fn kinds_of(word: &str) -> Result<&'static [u16], Error> {
        let known = TOPICS.iter().find(|(name, _)| *name == word);
        known.map(|(_, kinds)| *kinds).ok_or_else(|| {
            let names: Vec<&str> = TOPICS.iter().map(|(name, _)| *name).collect();
            bad("topics", &format!("must be some of {}", names.join(",")))
        })
    }
}

/// Gathers the rows after `after`, up to and including `last` or until the batch is full.
pub(super) fn batch(
    reader: &Reader,
    topics: &Topics,
    after: Seq,
    last: Seq,
) -> Result<LiveBatch, journal::Error> {
    let mut batch = LiveBatch { from: after, to: last, ..LiveBatch::default() };
    let (mut rows, mut bytes) = (0, 0);
    let range = Range { after, before: last + 1, kinds: &topics.kinds, ..Range::ALL };
    reader.scan(range, &mut |record| {
        rows += 1;
        bytes += record.payload.len();
        add(&mut batch, record);
        if rows < ROWS_MAX && bytes < BYTES_MAX {
            return ControlFlow::Continue(());
        }
        batch.to = record.seq;
        ControlFlow::Break(())
    })?;
    Ok(batch)
}

/// A payload that cannot be decoded shows no row.
fn add(batch: &mut LiveBatch, record: Record<'_>) {
    let Ok(Some(event)) = Event::decode(record.kind, record.payload) else { return };
    let (seq, learned) = (record.seq, millis(record.time_ns));
    match event {
        Event::LogLine(value) => batch.logs.push(convert::log(Recorded { seq, learned, value })),
        Event::Trace(value) => {
            batch.requests.push(convert::request(Recorded { seq, learned, value }));
        }
        Event::LiveQuery(value) => {
            batch.live_queries.push(convert::live_query(Recorded { seq, learned, value }, true));
        }
        Event::LiveQueryDropped(value) => {
            let row = Recorded { seq, learned, value };
            batch.live_queries.push(convert::dropped_live_query(row));
        }
        Event::ObjectObserved(value) => {
            batch.objects.push(convert::observed_object(&Recorded { seq, learned, value }));
        }
        Event::ObjectDeleted(value) => {
            batch.objects.push(convert::deleted_object(&Recorded { seq, learned, value }));
        }
        Event::ClusterEvent(value) => {
            batch.events.push(convert::cluster_event(Recorded { seq, learned, value }));
        }
        Event::SourceState(value) => batch.sources.push(convert::source(value)),
        Event::VolumeUsage(value) => {
            batch.volumes.push(convert::volume(Recorded { seq, learned, value }));
        }
        Event::ProcessUsage(value) => {
            batch.processes.push(convert::process(Recorded { seq, learned, value }));
        }
        Event::Gap(value) => batch.gaps.push(convert::gap(Recorded { seq, learned, value })),
        Event::ProbeResult(value) => {
            batch.probes.push(convert::probe(Recorded { seq, learned, value }));
        }
        Event::ActionIntent(intent) => {
            let value = Action::Running(intent);
            batch.actions.push(convert::action(Recorded { seq, learned, value }));
        }
        Event::ActionOutcome(outcome) => {
            let value = Action::Ended(outcome);
            batch.actions.push(convert::action(Recorded { seq, learned, value }));
        }
        Event::ActionProgress(value) => {
            batch.action_progress.push(convert::action_progress(Recorded { seq, learned, value }));
        }
        Event::WatchPosition(_)
        | Event::PodLogPosition(_)
        | Event::Boot(_)
        | Event::Retention(_)
        | Event::FilesRemoved(_)
        | Event::Degraded(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_told_whatever_the_topics_are() {
        assert_eq!(Topics::parse(Some("logs")).unwrap().kinds, [kind::GAP, kind::LOG_LINE]);
        let all = Topics::parse(None).unwrap().kinds;
        assert!(TOPICS.iter().all(|(_, kinds)| kinds.iter().all(|kind| all.contains(kind))));
    }

    #[test]
    fn an_unknown_topic_is_refused_with_the_known_ones() {
        let refused = Topics::parse(Some("logs,pods")).unwrap_err().to_string();
        assert!(refused.contains("live-queries"), "{refused}");
    }
}
