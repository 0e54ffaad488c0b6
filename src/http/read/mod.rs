//! Answers that are computed from the views and the journal, as they are or as they were.
//!
//! Each runs on a reader thread and is given the moment that it is of.

pub(super) mod actions;

pub(super) mod app;

pub(super) mod cluster;

pub(super) mod journal;

pub(super) mod overview;

pub(super) mod problems;

pub(super) mod recorder;

pub(super) mod usage;

use hyper::StatusCode;
use serde::Serialize;

use super::{answer, body::Response, convert, error::Error, moment::Moment, params::Params, wire};
use crate::views::read::{self, Page, Window};

/// What a request asks of a moment.
#[derive(Debug)]
pub(super) struct Call {
    /// What stood in the path's places, decoded.
    pub(super) path: Vec<String>,
    /// The query.
    pub(super) params: Params,
}

impl Call {
    /// What stood in the path's only place.
    pub(super) fn place(&self) -> &str {
        self.path.first().map_or("", String::as_str)
    }
}

fn ok(value: &impl Serialize) -> Result<Response, Error> {
    Ok(answer::json(StatusCode::OK, value))
}

fn gaps(moment: &Moment, window: Window) -> Result<Page<wire::Gap>, Error> {
    let page = read::gaps(&moment.reader, window)?;
    let rows = page.rows.into_iter().map(convert::gap).collect();
    Ok(Page { rows, next: page.next })
}

/// The one row of a lookup.
fn found<T>(page: Page<T>, what: &str) -> Result<T, Error> {
    let what = what.to_owned();
    match (page.rows.into_iter().next(), page.next) {
        (Some(row), _) => Ok(row),
        (None, Some(before)) => Err(Error::Unfinished { what, before }),
        (None, None) => Err(Error::NotFound { what }),
    }
}

fn all_sources(moment: &Moment) -> Vec<wire::Source> {
    let sources = moment.snapshot.state.sources.values();
    sources.map(|source| convert::source(source.state.clone())).collect()
}
