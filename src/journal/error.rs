//! Why the journal could not do what was asked.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::record::Seq;

/// Why the journal could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process has the journal open.
    #[error("another process holds the lock of {dir}; stop it, or wait until it ends")]
    Locked {
        /// The data directory.
        dir: PathBuf,
    },
    /// Somebody removed the lock file, and another process has taken a new one.
    #[error(
        "the lock file of {dir} was removed and another process has locked the journal since; \
         this one records nothing more: stop one of the two, then start this one again"
    )]
    Ousted {
        /// The data directory.
        dir: PathBuf,
    },
    /// A file operation failed.
    #[error("{attempted} {path} failed")]
    Io {
        /// What was attempted, for example `writing to`.
        attempted: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A record that the journal cannot hold; nothing of its batch was written.
    #[error("record {index} of the batch was refused: {reason}")]
    Refused {
        /// Its place in the batch.
        index: usize,
        /// Why.
        reason: String,
    },
    /// More bytes at once than one write takes; nothing was written.
    #[error("a batch of {bytes} bytes exceeds the limit of {limit}; append it in parts")]
    BatchTooLarge {
        /// Its encoded size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// A sync failed, and what it was about could not be written again either.
    #[error(
        "syncing {path} failed ({reason}) and its records could not be written again elsewhere; \
         they are readable, but a power cut would take them"
    )]
    NotDurable {
        /// The segment.
        path: PathBuf,
        /// What the system said to the sync.
        reason: String,
        /// Why they could not be written again.
        source: Box<Error>,
    },
    /// A moment that this journal does not reach.
    #[error("event {seq} is outside of the journal, which holds {first} to {last}")]
    OutOfReach {
        /// The moment asked for.
        seq: Seq,
        /// The oldest event.
        first: Seq,
        /// The newest event that can be given.
        last: Seq,
    },
    /// Nothing in there is a journal.
    #[error("{path} holds no segment of a journal: {reason}")]
    NoJournal {
        /// What was opened.
        path: PathBuf,
        /// What was found instead.
        reason: String,
    },
}

impl Error {
    /// Whether the volume, or the quota on it, is full: retiring or wiping makes room, trying again does not.
    pub fn is_storage_full(&self) -> bool {
        match self {
            Error::Io { source, .. } => {
                matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }
            Error::NotDurable { source, .. } => source.is_storage_full(),
            _ => false,
        }
    }

    /// Whether a file or the directory was not there.
    pub(super) fn is_not_found(&self) -> bool {
        match self {
            Error::Io { source, .. } => source.kind() == io::ErrorKind::NotFound,
            Error::NotDurable { source, .. } => source.is_not_found(),
            _ => false,
        }
    }

    /// Whether the volume takes no writes at all: it was mounted or remounted read-only, or the
    /// process has lost its permission. Nothing that the journal can do helps.
    pub fn is_read_only(&self) -> bool {
        match self {
            Error::Io { source, .. } => matches!(
                source.kind(),
                io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied
            ),
            Error::NotDurable { source, .. } => source.is_read_only(),
            _ => false,
        }
    }
}

/// Says what was attempted where, for an error of the system.
pub(super) trait Attempt<T> {
    /// Wraps the error of `attempted` on `path`.
    fn attempting(self, attempted: &'static str, path: &Path) -> Result<T, Error>;
}

impl<T> Attempt<T> for io::Result<T> {
    fn attempting(self, attempted: &'static str, path: &Path) -> Result<T, Error> {
        self.map_err(|source| Error::Io { attempted, path: path.to_owned(), source })
    }
}
