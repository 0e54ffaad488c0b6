//! When the recorder is killed.

use std::time::Duration;

/// Rounds unless `KILL_ROUNDS` says otherwise.
const ROUNDS: usize = 100;
/// A start is over by then, also on a busy machine: so kills fall into each part of it.
const START_TIME: Duration = Duration::from_millis(250);

/// When to kill in one round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kill {
    /// In the flood: the admin has seen so many of the lines that were granted for it.
    Seen(u64),
    /// In the rest of the flood, as soon as the link is up again.
    Linked,
    /// After the flood.
    AllSent,
    /// At once, and then again so long after the next start began.
    Starting(Duration),
}

/// How many kills there are.
pub fn rounds() -> usize {
    match std::env::var("KILL_ROUNDS") {
        Ok(text) => text.parse().expect("KILL_ROUNDS is a number"),
        Err(_) => ROUNDS,
    }
}

/// Chooses the same way each time; what the processes are doing at a kill is another each time.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// A number below `end` (splitmix64).
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % end
    }

    /// A time below `end`.
    pub fn time(&mut self, end: Duration) -> Duration {
        Duration::from_micros(self.below(end.as_micros() as u64))
    }

    /// The next kill, where a round's flood holds so many lines.
    pub fn kill(&mut self, lines: u64) -> Kill {
        match self.below(10) {
            0..4 => Kill::Seen(self.below(lines)),
            4..6 => Kill::Linked,
            6 => Kill::AllSent,
            _ => Kill::Starting(self.time(START_TIME)),
        }
    }
}
