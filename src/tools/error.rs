//! Why a tool could not do what was asked.

use std::{io, path::PathBuf};

use crate::journal;

/// Why a tool could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The journal could not be opened or read.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// Whoever read the output hung up: it has what it wanted.
    #[error("the reader of the output is gone")]
    ReaderGone,
    /// The output could not be written.
    #[error("writing to {to} failed; what stands there is incomplete")]
    Output {
        /// The file, or standard output.
        to: String,
        /// What the system said.
        source: io::Error,
    },
    /// The output would overwrite something.
    #[error("creating {path} failed; give a file that does not exist yet")]
    Create {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Only a directory grows.
    #[error("{path} is no directory: only a live data directory can be followed")]
    NotFollowable {
        /// What was to be followed.
        path: PathBuf,
    },
}
