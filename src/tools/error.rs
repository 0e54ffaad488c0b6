//! Why a tool could not do what was asked.

use std::{io, path::PathBuf};

use super::pull;
use crate::journal::{self, Seq};

/// Why a tool could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The journal could not be opened or read.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// A backup could not be brought up to date.
    #[error(transparent)]
    Pull(#[from] pull::Error),
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
    /// The range holds no event.
    #[error("there is nothing from {from} to {to}; the journal holds events {first} to {last}")]
    NothingThere {
        /// The first event asked for.
        from: Seq,
        /// The last event asked for.
        to: Seq,
        /// The oldest event.
        first: Seq,
        /// The newest event.
        last: Seq,
    },
    /// A new journal would get in between other files.
    #[error("{path} is not an empty directory; give one that is empty or does not exist yet")]
    NotEmpty {
        /// Where the new journal was to be.
        path: PathBuf,
    },
    /// A recorder is running.
    #[error(
        "a recorder holds {dir}; wipe through it: POST api/journal/wipe with the body \
         {{\"confirm\":\"wipe\",\"reason\":\"...\"}}, or the button on its Journal page, or stop it first"
    )]
    Held {
        /// The data directory.
        dir: PathBuf,
    },
    /// There is nothing to wipe.
    #[error("{dir} holds no segment of a journal; nothing was wiped")]
    NothingToWipe {
        /// The data directory.
        dir: PathBuf,
    },
    /// Nobody said yes.
    #[error("nothing was wiped: add --yes to wipe everything that {dir} holds")]
    NotConfirmed {
        /// The data directory.
        dir: PathBuf,
    },
}
