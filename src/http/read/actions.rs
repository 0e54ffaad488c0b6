//! What admins did, do, and can do.

use super::{Call, found, ok};
use crate::{
    actions::{
        DECLARED, Declared, DeclaredArg,
        runbook::{Runbook, RunbookArg, Step},
        sequence::NamedSequence,
    },
    event::{ActionOutcome, ActionProgress},
    http::{
        Surface, body::Response, convert, error::Error, moment::Moment, openapi::PageQuery, wire,
    },
    views::read::{self, Action, Page, Recorded},
};

/// What admins did and do, newest record first; before it what waits for the journal.
#[utoipa::path(get, path = "/api/actions", params(PageQuery),
    responses((status = 200, body = wire::Actions)))]
pub(in crate::http) fn actions(moment: &Moment, call: &Call) -> Result<Response, Error> {
    let window = moment.window(&call.params)?;
    let page = read::actions(&moment.reader, &moment.snapshot.state, window)?;
    let is_newest = window.before > moment.seq();
    let waiting = if is_newest { unsaved_outcomes(moment) } else { Vec::new() };
    let recorded = page.rows.into_iter().map(|row| shown(moment, row));
    ok(&wire::Actions {
        seq: moment.seq(),
        next: page.next,
        declared: DECLARED.iter().map(declared).collect(),
        actions: waiting.into_iter().chain(recorded).collect(),
    })
}

/// Outcomes that no history has yet, newest first.
fn unsaved_outcomes(moment: &Moment) -> Vec<wire::Action> {
    let unsaved = moment.snapshot.unsaved.as_ref();
    let outcomes = unsaved.map_or(&[][..], |unsaved| &unsaved.outcomes);
    let row = |outcome: &ActionOutcome| Recorded {
        seq: moment.seq(),
        learned: outcome.ended,
        value: Action::Ended(outcome.clone()),
    };
    let rows = outcomes.iter().rev().map(|outcome| convert::action(row(outcome)));
    rows.map(|row| wire::Action { saved: false, ..row }).collect()
}

/// Output that no history has yet, newest first.
fn unsaved_progress(moment: &Moment, id: &str) -> Vec<wire::ActionProgress> {
    let unsaved = moment.snapshot.unsaved.as_ref();
    let lines = unsaved.map_or(&[][..], |unsaved| &unsaved.progress);
    let row = |value: &ActionProgress| Recorded {
        seq: moment.seq(),
        learned: unsaved.map_or(0.0, |unsaved| unsaved.since),
        value: value.clone(),
    };
    let mine = lines.iter().rev().filter(|line| line.id == id);
    mine.map(|line| convert::action_progress(row(line))).collect()
}

fn shown(moment: &Moment, row: Recorded<Action>) -> wire::Action {
    let running = &moment.snapshot.state.running_actions;
    let saved = match &row.value {
        Action::Running(intent) => running.get(&intent.id).is_none_or(|one| one.is_saved),
        Action::Ended(_) => true,
    };
    wire::Action { saved, ..convert::action(row) }
}

/// One action, with its output: the newest lines first.
#[utoipa::path(get, path = "/api/actions/{id}", params(("id" = String, Path), PageQuery),
    responses((status = 200, body = wire::ActionDetail)))]
pub(in crate::http) fn action(moment: &Moment, call: &Call) -> Result<Response, Error> {
    let id = call.place();
    let action = one(moment, id)?;
    let window = moment.window(&call.params)?;
    let page = read::action_progress(&moment.reader, id, window)?;
    let is_newest = window.before > moment.seq();
    let waiting = if is_newest { unsaved_progress(moment, id) } else { Vec::new() };
    let recorded = page.rows.into_iter().map(convert::action_progress);
    ok(&wire::ActionDetail {
        seq: moment.seq(),
        action,
        progress: waiting.into_iter().chain(recorded).collect(),
        next: page.next,
    })
}

fn one(moment: &Moment, id: &str) -> Result<wire::Action, Error> {
    let waiting = unsaved_outcomes(moment).into_iter().find(|row| row.id == id);
    if let Some(waiting) = waiting {
        return Ok(waiting);
    }
    let lookup = moment.lookup();
    let page = read::action(&moment.reader, &moment.snapshot.state, id, lookup)?;
    let Page { rows, next } = page;
    let rows = rows.into_iter().map(|row| shown(moment, row)).collect();
    found(Page { rows, next }, &format!("the action {id}"))
}

/// The procedures of the configuration, which are of now whatever moment is looked at.
#[utoipa::path(get, path = "/api/runbooks",
    responses((status = 200, body = wire::Runbooks)))]
pub(in crate::http) fn runbooks(surface: &Surface) -> Result<Response, Error> {
    let procedures = surface.desk.actions.as_ref().map(|actions| actions.procedures());
    ok(&wire::Runbooks {
        seq: surface.desk.published.snapshot.load().seq,
        runbooks: procedures
            .map_or_else(Vec::new, |procedures| procedures.runbooks.iter().map(runbook).collect()),
        sequences: procedures.map_or_else(Vec::new, |procedures| {
            procedures.sequences.iter().map(sequence).collect()
        }),
    })
}

fn declared(action: &Declared) -> wire::DeclaredAction {
    let arg = |arg: &DeclaredArg| wire::DeclaredArg {
        name: arg.name.into(),
        what: arg.what.into(),
        choices: arg.choices.iter().map(|choice| (*choice).into()).collect(),
        optional: arg.optional,
        default: None,
    };
    wire::DeclaredAction {
        name: action.name.into(),
        what: action.what.into(),
        args: action.args.iter().map(arg).collect(),
    }
}

fn runbook(runbook: &Runbook) -> wire::Runbook {
    let arg = |arg: &RunbookArg| wire::DeclaredArg {
        name: arg.name.clone(),
        what: arg.what.clone(),
        choices: arg.choices.clone(),
        optional: arg.default.is_some(),
        default: arg.default.clone(),
    };
    let step = |step: &Step| wire::RunbookStep { kind: step.kind().into(), what: step.written() };
    wire::Runbook {
        name: runbook.name.clone(),
        what: runbook.what.clone(),
        timeout: runbook.timeout_ms as f64,
        steps: runbook.steps.iter().map(step).collect(),
        args: runbook.args.iter().map(arg).collect(),
    }
}

fn sequence(sequence: &NamedSequence) -> wire::TestSequence {
    wire::TestSequence {
        name: sequence.name.clone(),
        what: sequence.what.clone(),
        timeout: sequence.timeout_ms as f64,
        steps: serde_json::to_value(&sequence.steps).unwrap_or_default(),
    }
}
