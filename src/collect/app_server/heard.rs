//! Until when the app-server was heard, for the gap that follows when the link breaks.

use crate::event::Millis;

/// A frame that claims to be older than this says nothing about when it was sent: the clocks
/// differ, or it tells of the past.
const LAG_MAX: Millis = 60_000.0;

/// Everything that the app-server sent before [`Heard::until`] has come.
///
/// Frames come in order, so whatever was lost was sent after the last frame that came, and after the
/// last ping that was answered. Leans to the past by the time that the last frame spent on its way,
/// as far as its own claim tells: what was lost may have spent as long.
#[derive(Debug)]
pub struct Heard {
    until: Millis,
    /// How long the last frame was on its way.
    lag: Millis,
}

impl Heard {
    /// The connection was made at this time.
    pub fn new(at: Millis) -> Heard {
        Heard { until: at, lag: 0.0 }
    }

    /// A frame came at `learned`, and claims a time, or none.
    pub fn frame(&mut self, learned: Millis, claimed: Option<Millis>) {
        let Some(claimed) = claimed else { return };
        let lag = learned - claimed;
        let is_likely = (0.0..=LAG_MAX).contains(&lag);
        (self.until, self.lag) = if is_likely { (claimed, lag) } else { (learned, 0.0) };
    }

    /// A ping that was sent at this time has been answered.
    pub fn answered(&mut self, sent: Millis) {
        self.until = self.until.max(sent - self.lag);
    }

    /// Everything that was sent before has come.
    pub fn until(&self) -> Millis {
        self.until
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
    fn an_answered_ping_moves_it_on_by_as_much_as_the_last_frame_allows() {
        let mut heard = Heard::new(1_000.0);
        heard.frame(2_000.0, Some(1_900.0));
        heard.answered(5_000.0);
        assert_eq!(heard.until(), 4_900.0);
        heard.answered(3_000.0);
        assert_eq!(heard.until(), 4_900.0);
        heard.frame(6_000.0, None);
        assert_eq!(heard.until(), 4_900.0);
    }
}
