//! Why a backup could not be brought up to date.

use std::{io, path::PathBuf};

/// Why a backup could not be brought up to date.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not an address of a server.
    #[error("{url} is no address such as http://localhost:5130 or https://example.com/monitor")]
    BadUrl {
        /// What was given.
        url: String,
    },
    /// A key that no header can carry.
    #[error("the admin key holds characters that no key has; is the file the right one?")]
    BadKey,
    /// TLS cannot be had at all.
    #[error("preparing TLS failed; SSL_CERT_FILE can name the certificates to trust")]
    Tls {
        /// What is wrong.
        source: io::Error,
    },
    /// A file operation failed.
    #[error("{attempted} {path} failed")]
    Folder {
        /// What was attempted.
        attempted: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Two at once would write the same files.
    #[error("another pull into {path} is running; wait until it ends")]
    Busy {
        /// The directory.
        path: PathBuf,
    },
    /// The server could not be reached, or did not go on.
    #[error("asking {url} failed; what was fetched stays, run it again to go on")]
    Unreachable {
        /// What was asked.
        url: String,
        /// What failed last.
        source: io::Error,
    },
    /// It wants the key.
    #[error(
        "{url} refuses the key ({status}); set MONITOR_BACKEND_ADMIN_KEY or give --key-file FILE"
    )]
    NoAccess {
        /// What was asked.
        url: String,
        /// The status.
        status: u16,
    },
    /// It sends elsewhere; the key is not sent there.
    #[error("{url} redirects to {to}; if that is the server, give its address")]
    Redirected {
        /// What was asked.
        url: String,
        /// Where to.
        to: String,
    },
    /// An answer that no server of this program gives.
    #[error("{url} answered {what}; is it the address of a monitor-backend, base path included?")]
    Strange {
        /// What was asked.
        url: String,
        /// What came.
        what: String,
    },
    /// Nothing to fetch.
    #[error("the server has recorded nothing yet")]
    NothingRecorded,
    /// It retires or wipes faster than this can fetch.
    #[error(
        "the server's segments went while they were fetched, again and again; run it once more"
    )]
    Unsteady,
    /// Another journal.
    #[error("{path} holds journal {here}, the server records {there}; give another directory")]
    OtherJournal {
        /// The directory.
        path: PathBuf,
        /// The id of the journal in it.
        here: String,
        /// The id of the server's.
        there: String,
    },
    /// The server is behind what was pulled from it.
    #[error(
        "{path} holds epoch {here}, the server is at {there}: it was restored; give another directory"
    )]
    OlderEpoch {
        /// The directory.
        path: PathBuf,
        /// Its epoch.
        here: u64,
        /// The server's.
        there: u64,
    },
}
