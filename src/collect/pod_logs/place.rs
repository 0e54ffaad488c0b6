//! Where the log of a container was left, and how it is found again.
//!
//! A log can be asked for from a second on, so some lines come again. It comes in the order of its
//! file, and the times in it may run back a little (a node notes standard output and standard error
//! apart), so a line is new because it stands behind the last one in the file, not because of its
//! time. The last one is known by its time, by how many lines have that time, and by its checksum.

use super::stamp::{SECOND_NS, StampNs};

/// Times run back less than this; a line further ahead stands behind the place.
const SKEW_NS: StampNs = SECOND_NS;

/// How many lines wait at most until the place is found.
const AHEAD_LINES_MAX: usize = 4096;

/// And how many bytes.
const AHEAD_BYTES_MAX: usize = 4 << 20;

/// The last line that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its time.
    pub stamp_ns: StampNs,
    /// How many lines of that time were read; 0 where the line is not to be found any more, and time
    /// alone tells what is new.
    pub of_stamp: u64,
    /// CRC-32 of the whole line.
    pub check: u32,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The time that the node noted.
    pub stamp_ns: StampNs,
    /// CRC-32 of the whole line, its time included.
    pub check: u32,
    /// What was written, without its end.
    pub text: String,
    /// So many bytes more were written than are kept.
    pub cut_bytes: u64,
}

impl Place {
    /// From when on the log has to be asked for, in whole seconds since 1970.
    pub fn since_second(&self) -> i64 {
        (self.stamp_ns - SKEW_NS).div_euclid(SECOND_NS)
    }

    /// The place behind the next line.
    pub fn after(place: Option<Place>, line: &Line) -> Place {
        let Line { stamp_ns, check, .. } = *line;
        let before = place.filter(|place| place.stamp_ns == stamp_ns).map_or(0, |p| p.of_stamp);
        Place { stamp_ns, of_stamp: before + 1, check }
    }
}

/// What came of a line.
#[derive(Debug, PartialEq, Eq)]
pub enum Came {
    /// It was read before, or it waits.
    Nothing,
    /// These are new.
    New(Vec<Line>),
    /// These are new, but the last line that was read is not in the log any more: between the two
    /// something may be missing.
    NotFound(Vec<Line>),
}

/// The search for the place in a log that comes again.
#[derive(Debug)]
pub struct Search {
    place: Option<Place>,
    of_stamp: u64,
    /// Lines until then are known.
    known_ns: StampNs,
    /// Lines behind the place by their time, which may stand before it.
    ahead: Vec<Line>,
    ahead_bytes: usize,
}

impl Search {
    /// Without a place every line is new.
    pub fn new(place: Option<Place>) -> Search {
        let by_time = place.filter(|place| place.of_stamp == 0);
        let known_ns = by_time.map_or(StampNs::MIN, |place| place.stamp_ns);
        let place = place.filter(|place| place.of_stamp > 0);
        Search { place, of_stamp: 0, known_ns, ahead: Vec::new(), ahead_bytes: 0 }
    }

    /// Whether the place is still to be found.
    pub fn is_on(&self) -> bool {
        self.place.is_some()
    }

    /// Whether lines wait.
    pub fn has_waiting(&self) -> bool {
        !self.ahead.is_empty()
    }

    /// Takes the next line.
    pub fn take(&mut self, line: Line) -> Came {
        let Some(place) = self.place else {
            let is_known = line.stamp_ns <= self.known_ns;
            return if is_known { Came::Nothing } else { Came::New(vec![line]) };
        };
        if line.stamp_ns < place.stamp_ns {
            return Came::Nothing;
        }
        if line.stamp_ns == place.stamp_ns {
            self.of_stamp += 1;
            if self.of_stamp < place.of_stamp {
                return Came::Nothing;
            }
            if line.check == place.check {
                *self = Search::new(None);
                return Came::Nothing;
            }
            self.ahead.push(line);
            return self.give_up();
        }
        let is_behind = line.stamp_ns > place.stamp_ns + SKEW_NS;
        self.ahead_bytes += line.text.len();
        self.ahead.push(line);
        let is_full = self.ahead.len() > AHEAD_LINES_MAX || self.ahead_bytes > AHEAD_BYTES_MAX;
        if is_behind || is_full {
            return self.give_up();
        }
        Came::Nothing
    }

    /// Nothing more comes: what waits is new, and the place was not found.
    pub fn give_up(&mut self) -> Came {
        match self.place.take() {
            Some(_) => Came::NotFound(std::mem::take(&mut self.ahead)),
            None => Came::New(Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(stamp_ns: StampNs, text: &str) -> Line {
        let check = crc32fast::hash(text.as_bytes());
        Line { stamp_ns, check, text: text.into(), cut_bytes: 0 }
    }

    /// The texts that are new when the log comes again after some of its lines were read.
    fn again(log: &[(StampNs, &str)], read: usize, from: usize) -> (Vec<String>, bool) {
        let lines: Vec<Line> = log.iter().map(|(stamp, text)| line(*stamp, text)).collect();
        let place = lines[..read].iter().fold(None, |place, line| Some(Place::after(place, line)));
        let mut search = Search::new(place);
        let (mut new, mut is_lost) = (Vec::new(), false);
        let mut take = |came| match came {
            Came::Nothing => {}
            Came::New(lines) => new.extend(lines),
            Came::NotFound(lines) => {
                is_lost = true;
                new.extend(lines);
            }
        };
        lines[from..].iter().for_each(|line| take(search.take(line.clone())));
        if search.is_on() {
            take(search.give_up());
        }
        (new.into_iter().map(|line| line.text).collect(), is_lost)
    }

    #[test]
    fn no_line_comes_twice_and_none_is_lost_wherever_the_log_was_left() {
        let same_second = [(5, "a"), (7, "b"), (7, "b"), (7, "c"), (6, "back"), (8, "d"), (8, "d")];
        for read in 0..=same_second.len() {
            let expected: Vec<String> =
                same_second[read..].iter().map(|(_, text)| (*text).to_owned()).collect();
            assert_eq!(again(&same_second, read, 0), (expected, false), "after {read}");
        }
    }

    #[test]
    fn lines_that_stand_before_the_place_but_claim_a_later_time_are_known() {
        let log = [(9, "later"), (7, "last read"), (10, "new")];
        assert_eq!(again(&log, 2, 0), (vec!["new".to_owned()], false));
    }

    #[test]
    fn a_log_that_was_cut_at_its_front_says_that_the_place_is_gone() {
        let far = 3 * SECOND_NS;
        let log = [(5, "a"), (7, "b"), (far, "c"), (far + 1, "d")];
        let rest = vec!["c".to_owned(), "d".to_owned()];
        assert_eq!(again(&log, 2, 2), (rest, true));
        assert_eq!(again(&log, 2, 4), (vec![], true), "nothing at all came again");
        let other = [(7, "a"), (7, "other")];
        let place = Place { stamp_ns: 7, of_stamp: 1, check: 0 };
        let mut search = Search::new(Some(place));
        assert_eq!(search.take(line(7, "other")), Came::NotFound(vec![line(7, "other")]));
        assert_eq!(search.take(line(7, other[0].1)), Came::New(vec![line(7, "a")]));
    }

    #[test]
    fn once_the_place_is_gone_time_alone_tells() {
        let mut search = Search::new(Some(Place { stamp_ns: 7, of_stamp: 0, check: 0 }));
        assert!(!search.is_on());
        assert_eq!(search.take(line(7, "known")), Came::Nothing);
        assert_eq!(search.take(line(8, "new")), Came::New(vec![line(8, "new")]));
    }

    #[test]
    fn what_waits_is_bounded() {
        let place = Place { stamp_ns: 1, of_stamp: 1, check: 0 };
        let mut search = Search::new(Some(place));
        let came = (0..=AHEAD_LINES_MAX as i64).map(|n| search.take(line(2 + n, "x")));
        let last = came.last().expect("some came");
        assert!(matches!(last, Came::NotFound(lines) if lines.len() == AHEAD_LINES_MAX + 1));
    }

    #[test]
    fn it_is_asked_for_from_the_second_before() {
        let place = Place { stamp_ns: 5 * SECOND_NS + 1, of_stamp: 1, check: 0 };
        assert_eq!(place.since_second(), 4);
    }
}
