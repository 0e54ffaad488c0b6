//! How fast things are tried, and how long they are waited for.

use std::time::Duration;

/// The times that the collectors keep. The default is what runs; tests run faster.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The first wait after a failure; it doubles.
    pub retry_first: Duration,
    /// No wait is longer.
    pub retry_max: Duration,
    /// The wait where only an admin can help, for example after a 403.
    pub retry_refused: Duration,
    /// A source that was up for so long is well: the next failure starts at the first wait.
    pub stable: Duration,
    /// A link that takes longer to be greeted is down; so is a log that cannot be read for so long.
    pub greeting_max: Duration,
    /// An app-server may take a moment to think of a client that it has greeted: the link is up
    /// with the first frame, or when nothing came for so long.
    pub first_frame_max: Duration,
    /// The link looks after its pings and its waiting records this often.
    pub link_tick: Duration,
    /// The link sends a ping this often.
    pub ping_interval: Duration,
    /// A link on which nothing came for so long, not even the answer to a ping, is down.
    pub silence_max: Duration,
    /// An open trace is recorded at most this often between its first record and its end.
    pub trace_interval: Duration,
    /// The server is asked to end a watch after so many seconds. A dead connection is noticed then:
    /// a kind without changes and bookmarks is silent until its watch ends.
    pub watch_seconds: u32,
    /// A watch that ended sooner is not asked for again before this time has passed.
    pub watch_min: Duration,
    /// The recorder learns how far a watch has come at most this often.
    pub position_interval: Duration,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            // A restarting peer is back within seconds; a dead one costs four attempts a minute.
            retry_first: Duration::from_millis(500),
            retry_max: Duration::from_secs(15),
            // An admin who has granted the permission waits half a minute at most.
            retry_refused: Duration::from_secs(30),
            stable: Duration::from_secs(60),
            // Far beyond any round trip, and short enough to be told while somebody looks.
            greeting_max: Duration::from_secs(5),
            first_frame_max: Duration::from_secs(1),
            link_tick: Duration::from_secs(1),
            ping_interval: Duration::from_secs(20),
            // Three pings went unanswered.
            silence_max: Duration::from_secs(60),
            // Told again each second, it would fill the journal; a crash costs this much of it.
            trace_interval: Duration::from_secs(10),
            // As long as the silence that the link allows.
            watch_seconds: 60,
            // A server that ends every watch at once is asked once a second.
            watch_min: Duration::from_secs(1),
            // Two small records a minute and kind; a crash costs half a minute of repeated events.
            position_interval: Duration::from_secs(30),
        }
    }
}
