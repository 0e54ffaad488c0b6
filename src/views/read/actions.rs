//! What admins did: actions and their output, and what was logged meanwhile.

use std::ops::ControlFlow;

use super::{Page, Recorded, Window, about, decode, merge, of_kinds, page};
use crate::{
    event::{ActionOutcome, ActionProgress, Event, Key, Level, kind},
    journal::{Error, Range, Reader, Seq},
    views::State,
};

/// An action: how it ended, or that it still runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// It has no outcome yet.
    Running(crate::event::ActionIntent),
    /// It ended.
    Ended(ActionOutcome),
}

/// Actions: the running ones of `state`, and ended ones.
///
/// # Errors
/// The journal could not be read.
pub fn actions(
    reader: &Reader,
    state: &State,
    window: Window,
) -> Result<Page<Recorded<Action>>, Error> {
    let running = state.running_actions.values().map(|running| Recorded {
        seq: running.seq,
        learned: running.intent.started,
        value: Action::Running(running.intent.clone()),
    });
    let ended = page(reader, window, of_kinds(&[kind::ACTION_OUTCOME]), |record| {
        let Recorded { seq, learned, value: Event::ActionOutcome(value) } = decode(record)? else {
            return None;
        };
        Some(Recorded { seq, learned, value: Action::Ended(value) })
    })?;
    Ok(merge(running.collect(), ended, window))
}

/// What some sources logged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogCounts {
    /// Lines of level `ERROR`.
    pub errors: u64,
    /// Lines of level `WARN`.
    pub warnings: u64,
    /// No gap of these sources lay in between, and the journal was read to its end: there are no
    /// more.
    pub is_whole: bool,
}

/// Counts the errors and warnings that some sources logged after an event.
///
/// # Errors
/// The journal could not be read.
pub fn log_counts(reader: &Reader, after: Seq, sources: &[String]) -> Result<LogCounts, Error> {
    let mut counts = LogCounts { errors: 0, warnings: 0, is_whole: true };
    let kinds = [kind::LOG_LINE, kind::GAP];
    let range = Range { after, ..of_kinds(&kinds) };
    reader.scan(range, &mut |record| {
        match decode(record).map(|row| row.value) {
            Some(Event::LogLine(line)) if sources.contains(&line.source) => {
                counts.errors += u64::from(line.level == Level::Error);
                counts.warnings += u64::from(line.level == Level::Warn);
            }
            Some(Event::Gap(gap)) if sources.contains(&gap.source) => counts.is_whole = false,
            _ => {}
        }
        ControlFlow::Continue(())
    })?;
    Ok(counts)
}

/// One action by its id: a page with its newest record.
///
/// # Errors
/// The journal could not be read.
pub fn action(
    reader: &Reader,
    state: &State,
    id: &str,
    window: Window,
) -> Result<Page<Recorded<Action>>, Error> {
    if let Some(running) = state.running_actions.get(id) {
        let (seq, learned) = (running.seq, running.intent.started);
        let row = Recorded { seq, learned, value: Action::Running(running.intent.clone()) };
        return Ok(Page { rows: vec![row], next: None });
    }
    let wanted = about(Key::action(id), &[kind::ACTION_OUTCOME]);
    page(reader, window, wanted, |record| {
        let Recorded { seq, learned, value: Event::ActionOutcome(value) } = decode(record)? else {
            return None;
        };
        Some(Recorded { seq, learned, value: Action::Ended(value) })
    })
}

/// The output of an action.
///
/// # Errors
/// The journal could not be read.
pub fn action_progress(
    reader: &Reader,
    id: &str,
    window: Window,
) -> Result<Page<Recorded<ActionProgress>>, Error> {
    let wanted = about(Key::action(id), &[kind::ACTION_PROGRESS]);
    page(reader, window, wanted, |record| {
        let Recorded { seq, learned, value: Event::ActionProgress(value) } = decode(record)? else {
            return None;
        };
        Some(Recorded { seq, learned, value })
    })
}
