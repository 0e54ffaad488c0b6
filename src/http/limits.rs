//! Every bound of the HTTP surface, with its reason.

use std::time::Duration;

/// Connections served at once. A person uses a handful; the rest of the bound is for scripts and
/// for connections that wait for their time-out. Further ones wait in the kernel's queue.
pub const CONNECTIONS_MAX: usize = 512;

/// Live feeds at once: one a browser, so this many browsers. Each costs a scan of new events.
pub const FEEDS_MAX: usize = 32;

/// Downloads at once. Each holds its segments' maps and two chunks.
pub const DOWNLOADS_MAX: usize = 8;

/// Queries that read the journal at once; further ones wait their turn.
pub const QUERY_THREADS_MAX: usize = 4;

/// Reads for feeds and downloads at once, apart from queries so that a long search holds up
/// neither.
pub const STREAM_THREADS_MAX: usize = 4;

/// The request line and headers; the longest honest query is a search text.
pub const HEADER_BYTES_MAX: usize = 16 << 10;

/// hyper's read and write buffer of one connection: large enough for a chunk of a download.
pub const CONNECTION_BUFFER_BYTES: usize = 256 << 10;

/// A request's JSON body; the largest honest one is an action's arguments.
pub const BODY_BYTES_MAX: usize = 64 << 10;

/// How much of a body that is too large is read and thrown away, so that the client gets to read
/// the answer instead of a reset connection.
pub const BODY_DRAIN_BYTES_MAX: usize = 64 << 20;

/// One step of a download. Lent by a map, so it takes no memory of its own; small enough to be still
/// in the processor's cache when it is sent.
pub const CHUNK_BYTES: usize = 512 << 10;

/// Chunks that are ready before the client takes them.
pub const CHUNKS_AHEAD: usize = 2;

/// Rows of a list where the query names no limit.
pub const ROWS_DEFAULT: usize = 100;

/// Requests in a list where the query names no limit: those of some minutes.
pub const REQUESTS_DEFAULT: usize = 1000;

/// Rows of a list at most: some megabytes of log lines.
pub const ROWS_MAX: usize = 10_000;

/// A page of a history is looked for so long; `next` says where the next one goes on.
pub const PAGE_TIME: Duration = Duration::from_secs(1);

/// Each list of a page that shows several is looked for so long.
pub const LIST_TIME: Duration = Duration::from_millis(250);

/// One thing by its name is looked for so long, as a page of it can only be there or not.
pub const LOOKUP_TIME: Duration = Duration::from_secs(5);

/// Past moments that are kept: the one on screen and those just scrubbed over.
pub const MOMENTS_MAX: usize = 4;

/// How long a session cookie holds.
pub const SESSION_TIME: Duration = Duration::from_secs(12 * 60 * 60);

/// How long a ticket to the second port holds: it is used at once, by the page that asked for it.
pub const TICKET_TIME: Duration = Duration::from_secs(30);

/// Tickets at once; more than a person opens in that time.
pub const TICKETS_MAX: usize = 64;

/// How long a pass of the second port holds. What a caller may do is decided when it is given.
pub const TOOLS_SESSION_TIME: Duration = Duration::from_secs(60 * 60);

/// Passes at once: one for each tool that a browser opens.
pub const TOOLS_SESSIONS_MAX: usize = 256;

/// A request's body for a tool; the largest honest one is a long query.
pub const TOOL_BODY_BYTES_MAX: usize = 256 << 10;

/// How long the session of a Kubernetes token holds: the rights behind it are not asked about again
/// before it ends.
pub const TOKEN_SESSION_TIME: Duration = Duration::from_secs(60 * 60);

/// How long it is remembered what the cluster said of a token: a page's requests ask once, and a
/// right that was taken back is gone before an admin has looked twice.
pub const REVIEW_MEMORY: Duration = Duration::from_secs(30);

/// Tokens that are remembered: each some hundred bytes, and more admins than any cluster has.
pub const REVIEWED_MAX: usize = 1024;

/// Reviews that are under way at once; anybody can cause one, and the cluster has to bear it.
pub const REVIEWS_MAX: usize = 8;

/// A review that takes longer, its wait for others included, is given up.
pub const REVIEW_TIME_MAX: Duration = Duration::from_secs(5);

/// A longer token is none. Those of service accounts have about 1 KiB; with many groups a token of
/// an identity provider has some.
pub const TOKEN_BYTES_MAX: usize = 12 << 10;

/// A user's name as it stands in the audit and in the cookie; that of a service account has at most
/// 339 bytes.
pub const ACTOR_BYTES_MAX: usize = 512;

/// The delay of the first wrong key; it doubles with every further one.
pub const WRONG_KEY_DELAY_MIN: Duration = Duration::from_millis(100);

/// The delay of a wrong key at most. A right key is never delayed.
pub const WRONG_KEY_DELAY_MAX: Duration = Duration::from_secs(2);

/// After so long without a wrong key the delays begin anew.
pub const WRONG_KEY_MEMORY: Duration = Duration::from_secs(60);

/// The bounds that a test has to reach; everyone else takes the default.
#[derive(Debug, Clone)]
pub struct Limits {
    /// See [`CONNECTIONS_MAX`].
    pub connections: usize,
    /// See [`FEEDS_MAX`].
    pub feeds: usize,
    /// From the opening of a connection, or from the end of an answer, to the end of the next
    /// request's headers: bounds both slow senders and idle connections.
    pub header_time: Duration,
    /// From the end of the headers to the end of the body.
    pub body_time: Duration,
    /// A client that takes nothing, or acknowledges nothing, for so long is cut off.
    pub stall_time: Duration,
    /// What is being answered at shutdown may take so long to end.
    pub grace: Duration,
    /// Wrong keys are recorded so often, with their count.
    pub wrong_key_report: Duration,
    /// Between two heartbeats of the live feed.
    pub heartbeat: Duration,
    /// A feed that has caught up once and is then so many events behind is moved to the present.
    pub feed_behind: u64,
    /// A feed that begins so many events behind fetches again instead.
    pub feed_resume: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: CONNECTIONS_MAX,
            feeds: FEEDS_MAX,
            header_time: Duration::from_secs(30),
            body_time: Duration::from_secs(10),
            stall_time: Duration::from_secs(60),
            grace: Duration::from_secs(5),
            wrong_key_report: Duration::from_secs(60),
            heartbeat: Duration::from_secs(15),
            feed_behind: 100_000,
            feed_resume: 500_000,
        }
    }
}
