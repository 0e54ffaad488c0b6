//! What an observation becomes: nothing, when it says what is known; itself; and what follows.

use std::collections::HashSet;

use tokio::time::{Duration, Instant};

use super::{Core, loss};
use crate::{
    event::{
        DeletedBecause, Event, Extensions, Key, Listed, LiveQueryDropped, Millis, ObjectDeleted,
        ObjectObserved, Observation, Observed, Role, SourceState, State as SourceWord,
        WatchPosition, kind, now,
    },
    views::{self, read},
};

/// A source that came up has this long to send its live queries again. Until then they are shown as
/// they were last known, and as not observed: dropping too soon would hide what is there.
const RESEND_GRACE: Duration = Duration::from_secs(300);

impl Core {
    pub(super) fn observe(&mut self, message: Observed) {
        if message.generation != self.generation {
            return self.discard(message);
        }
        match message.what {
            Observation::Events(events) => events.into_iter().for_each(|event| self.take(event)),
            Observation::Listed(listed) => self.end_unlisted(listed),
        }
    }

    /// What was on the way at a wipe is wiped with the rest; what was on the way when records had to
    /// be dropped is lost with them.
    fn discard(&mut self, message: Observed) {
        if let Observation::Events(events) = message.what
            && message.generation >= self.wiped_before
        {
            let now = now();
            events.iter().for_each(|event| self.losses.add_stale(event, now));
        }
    }

    /// Stages one event, unless it says what is known, together with what follows from it.
    fn take(&mut self, event: Event) {
        match event {
            Event::ObjectObserved(observed) if self.is_known(&observed) => {}
            Event::ObjectDeleted(deleted) if self.is_gone(&deleted) => {}
            Event::SourceState(state) => self.take_source_state(state),
            event @ (Event::LogLine(_) | Event::Trace(_)) => self.take_budgeted(event),
            event => _ = self.stage(event),
        }
    }

    /// Stages a log line or a trace if its source's budget allows. The end of a trace that is
    /// recorded as open is always taken: it would stay open for ever.
    fn take_budgeted(&mut self, event: Event) {
        let bucket = self.budgets.bucket(loss::source_of(&event), Instant::now());
        if self.budgets.admits(bucket) || self.ends_what_is_open(&event) {
            let bytes = self.stage(event);
            self.budgets.charge(bucket, bytes);
        } else {
            self.budgets.drop_one(bucket, now());
        }
    }

    fn ends_what_is_open(&self, event: &Event) -> bool {
        let key = event.key();
        event.role() == Role::End
            && (self.fold.state.open_traces.contains_key(&key) || self.staged.concerns(key))
    }

    fn is_known(&self, observed: &ObjectObserved) -> bool {
        let key = observed.object.key();
        if self.staged.concerns(key) {
            return false;
        }
        let known = self.fold.state.objects.get(&key);
        let event = known.and_then(|known| known.body.event(kind::OBJECT_OBSERVED));
        matches!(event, Some(Event::ObjectObserved(known)) if observed.is_same_state(&known))
    }

    fn is_gone(&self, deleted: &ObjectDeleted) -> bool {
        let key = deleted.object.key();
        !self.staged.concerns(key) && !self.fold.state.objects.contains_key(&key)
    }

    fn take_source_state(&mut self, state: SourceState) {
        self.commit();
        let known = self.fold.state.sources.get(&state.name).map(|source| &source.state);
        if known == Some(&state) {
            return;
        }
        let came_up = state.state == SourceWord::Up
            && known.is_none_or(|known| known.state != SourceWord::Up);
        let name = state.name.clone();
        let is_up = state.state == SourceWord::Up;
        self.stage(Event::SourceState(state));
        if came_up {
            self.resends.push((Instant::now() + RESEND_GRACE, name));
        } else if !is_up {
            for trace in read::unended_traces(&self.fold.state, &name) {
                self.stage(Event::Trace(trace));
            }
        }
    }

    /// Ends what a complete list did not name, and stores where the watch goes on.
    fn end_unlisted(&mut self, listed: Listed) {
        self.commit();
        let blind_since = self.blind_since.remove(&listed.source).unwrap_or(Millis::INFINITY);
        let listed = Listed { from: listed.from.min(blind_since), ..listed };
        let named: HashSet<Key> = listed.uids.iter().map(|uid| Key::object(uid)).collect();
        let ended: Vec<Event> = self
            .fold
            .state
            .objects
            .iter()
            .filter(|(key, object)| object.source == listed.source && !named.contains(key))
            .map(|(_, object)| gone_unobserved(object, &listed))
            .collect();
        ended.into_iter().for_each(|event| _ = self.stage(event));
        self.stage(Event::WatchPosition(WatchPosition {
            source: listed.source,
            resource_version: listed.resource_version,
            ext: Extensions::default(),
        }));
    }

    /// Drops the live queries that a source has not sent again in time.
    pub(super) fn drop_unsent_live_queries(&mut self) {
        let now = Instant::now();
        let due: Vec<String> =
            self.resends.extract_if(.., |(at, _)| *at <= now).map(|(_, name)| name).collect();
        for name in due {
            let is_up = |source: &views::Source| source.state.state == SourceWord::Up;
            if !self.fold.state.sources.get(&name).is_some_and(is_up) {
                continue;
            }
            let of_source = self.fold.state.live_queries.values().filter(|q| q.source == name);
            let unsent: Vec<Event> =
                of_source.filter(|q| !self.fold.state.is_observed(q)).map(dropped).collect();
            unsent.into_iter().for_each(|event| _ = self.stage(event));
        }
    }
}

fn gone_unobserved(object: &views::Object, listed: &Listed) -> Event {
    let body = match object.body.event(kind::OBJECT_OBSERVED) {
        Some(Event::ObjectObserved(last)) => last.body,
        _ => String::new(),
    };
    Event::ObjectDeleted(ObjectDeleted {
        object: object.object.clone(),
        source: object.source.clone(),
        because: DeletedBecause::GoneUnobserved,
        from: listed.from,
        to: listed.to,
        body,
        ext: Extensions::default(),
    })
}

fn dropped(query: &views::LiveQuery) -> Event {
    Event::LiveQueryDropped(LiveQueryDropped {
        source: query.source.clone(),
        table_name: query.table_name.clone(),
        filter: query.filter.clone(),
        ext: Extensions::default(),
    })
}
