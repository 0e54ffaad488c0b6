//! Until when the app-server was heard, for the gap that follows when the link breaks.

use crate::event::Millis;

/// A frame that claims to be older than this says nothing about when it was sent: the clocks
/// differ, or it tells of the past.
const DELAY_MAX: Millis = 60_000.0;

/// Everything that the app-server sent before [`Heard::until`] has come.
///
/// Leans to the past: frames come in order, so whatever was lost was sent after the last frame that
/// came, and after the last ping that was answered; but when a frame was sent, only its own claim
/// tells, and it may have spent a while on the way.
#[derive(Debug)]
pub struct Heard {
    answered: Millis,
    claimed: Millis,
}

impl Heard {
    /// The connection was made at this time.
    pub fn new(at: Millis) -> Heard {
        Heard { answered: at, claimed: at }
    }

    /// A frame came at `learned`, and claims a time, or none.
    pub fn frame(&mut self, learned: Millis, claimed: Option<Millis>) {
        let Some(claimed) = claimed else { return };
        let is_likely = (learned - DELAY_MAX..=learned).contains(&claimed);
        self.claimed = if is_likely { claimed } else { learned };
    }

    /// A ping that was sent at this time has been answered.
    pub fn answered(&mut self, sent: Millis) {
        self.answered = sent;
    }

    /// Everything that was sent before has come.
    pub fn until(&self) -> Millis {
        self.answered.max(self.claimed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_trusted_about_its_time_only_where_that_is_likely() {
        let check = |claimed, expected: Millis| {
            let mut heard = Heard::new(0.0);
            heard.frame(100_000.0, claimed);
            assert_eq!(heard.until(), expected, "{claimed:?}");
        };
        check(Some(99_000.0), 99_000.0);
        check(Some(40_000.0), 40_000.0);
        check(Some(39_999.0), 100_000.0);
        check(Some(100_001.0), 100_000.0);
        check(None, 0.0);
    }

    #[test]
    fn an_answered_ping_moves_it_on_and_an_old_claim_does_not_move_it_back() {
        let mut heard = Heard::new(1_000.0);
        heard.frame(2_000.0, Some(1_900.0));
        heard.answered(5_000.0);
        assert_eq!(heard.until(), 5_000.0);
        heard.frame(6_000.0, Some(4_000.0));
        assert_eq!(heard.until(), 5_000.0);
    }
}
