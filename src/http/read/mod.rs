//! Answers that are computed from the views and the journal, as they are or as they were.
//!
//! Each runs on a reader thread and is given the moment that it is of.

pub(super) mod app;

pub(super) mod cluster;

pub(super) mod journal;

pub(super) mod overview;

pub(super) mod recorder;

use hyper::StatusCode;
use serde::Serialize;

use super::{answer, body::Response, convert, error::Error, moment::Moment, params::Params, wire};
use crate::views::read::{self, Window};

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

fn newest_gaps(moment: &Moment, window: Window) -> Result<Vec<wire::Gap>, Error> {
    let page = read::gaps(&moment.reader, window)?;
    Ok(page.rows.into_iter().map(convert::gap).collect())
}

fn all_sources(moment: &Moment) -> Vec<wire::Source> {
    let sources = moment.snapshot.state.sources.values();
    sources.map(|source| convert::source(source.state.clone())).collect()
}
