//! The log endpoint of the doubled cluster API: the runs of containers, and how it misbehaves.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    time::Duration,
};

use futures_util::{Stream, stream};

/// Nanoseconds since 1970.
pub type StampNs = i64;

/// The log of one container.
#[derive(Debug, Clone, Default)]
pub struct PodLog {
    /// The runs that the node still has: the last one is the present one.
    pub runs: Vec<Run>,
    /// How it misbehaves.
    pub trouble: Trouble,
}

/// A run of a container.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// What it wrote.
    pub lines: Vec<(StampNs, Vec<u8>)>,
    /// It has ended: a log that is followed has an end.
    pub has_ended: bool,
}

/// What goes wrong.
#[derive(Debug, Clone, Default)]
pub enum Trouble {
    /// Nothing.
    #[default]
    None,
    /// It is answered with a status.
    Status(u16, &'static str, String),
    /// It is answered with nothing at all.
    Hang,
    /// It is answered with text that is no log, and ends.
    Says(String),
    /// It breaks off after so many bytes, in the middle of a line or not.
    BreaksOffAfter(usize),
    /// A few bytes come at a time.
    Slow,
}

impl PodLog {
    /// A log whose present run wrote these texts, a nanosecond apart.
    pub fn of(first_ns: StampNs, texts: &[&str]) -> PodLog {
        PodLog { runs: vec![Run::of(first_ns, texts)], trouble: Trouble::None }
    }
}

impl Run {
    /// A run that wrote these texts, a nanosecond apart.
    pub fn of(first_ns: StampNs, texts: &[&str]) -> Run {
        let lines = texts.iter().zip(0..).map(|(text, n)| (first_ns + n, text.as_bytes().to_vec()));
        Run { lines: lines.collect(), has_ended: false }
    }

    /// The bytes of its log from a moment on, each line with its time, from the `skip`th line on.
    fn bytes(&self, since_ns: StampNs, skip: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (stamp_ns, text) in self.lines.iter().skip(skip) {
            if *stamp_ns >= since_ns {
                let stamp = jiff::Timestamp::from_nanosecond((*stamp_ns).into()).expect("a time");
                bytes.extend_from_slice(format!("{stamp} ").as_bytes());
                bytes.extend_from_slice(text);
                bytes.push(b'\n');
            }
        }
        bytes
    }
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    follow: bool,
    previous: bool,
    since_ns: StampNs,
}

impl Asked {
    /// Reads a query, decoded.
    pub fn parse(query: &BTreeMap<String, String>) -> Asked {
        assert_eq!(query["timestamps"], "true", "without times nothing is known again");
        let since = query.get("sinceTime").map(|text| {
            let text = text.replace("%3A", ":");
            text.parse::<jiff::Timestamp>().expect("a time")
        });
        let is = |name| query.get(name).is_some_and(|value| value == "true");
        Asked {
            follow: is("follow"),
            previous: is("previous"),
            since_ns: since.map_or(StampNs::MIN, |at| at.as_nanosecond() as StampNs),
        }
    }

    /// Which run of a log is asked for.
    pub fn run_of(&self, log: &PodLog) -> Option<usize> {
        let count = log.runs.len();
        if self.previous { count.checked_sub(2) } else { count.checked_sub(1) }
    }

    /// The bytes of the answer, as they come about. `look` shows the log as it is now, and `is_cut`
    /// says that this connection has broken off.
    pub fn answer(
        self,
        run: usize,
        look: impl Fn() -> Option<PodLog> + Send + 'static,
        is_cut: impl Fn() -> bool + Send + 'static,
    ) -> impl Stream<Item = io::Result<Vec<u8>>> + Send {
        let answer =
            Answer { asked: self, run, sent_lines: 0, sent_bytes: 0, waiting: VecDeque::new() };
        stream::unfold(Some((answer, look, is_cut)), |state| async move {
            let (mut answer, look, is_cut) = state?;
            loop {
                if is_cut() {
                    return Some((Err(io::Error::other("cut")), None));
                }
                match answer.next(&look()?)? {
                    Next::Bytes(bytes) => return Some((Ok(bytes), Some((answer, look, is_cut)))),
                    Next::BreaksOff => {
                        // What was sent has to be on its way, or it is thrown away.
                        tokio::time::sleep(4 * LOOK).await;
                        return Some((Err(io::Error::other("broken off")), None));
                    }
                    Next::Wait => tokio::time::sleep(LOOK).await,
                }
            }
        })
    }
}

/// How often a log that is followed is looked at.
const LOOK: Duration = Duration::from_millis(5);

struct Answer {
    asked: Asked,
    run: usize,
    sent_lines: usize,
    sent_bytes: usize,
    waiting: VecDeque<Vec<u8>>,
}

enum Next {
    Bytes(Vec<u8>),
    BreaksOff,
    Wait,
}

impl Answer {
    /// What comes next; `None` at the end.
    fn next(&mut self, log: &PodLog) -> Option<Next> {
        let run = log.runs.get(self.run)?;
        if self.waiting.is_empty() {
            let bytes = run.bytes(self.asked.since_ns, self.sent_lines);
            self.sent_lines = run.lines.len();
            let piece = if matches!(log.trouble, Trouble::Slow) { 7 } else { usize::MAX };
            self.waiting.extend(bytes.chunks(piece).map(<[u8]>::to_vec));
        }
        let Some(mut bytes) = self.waiting.pop_front() else {
            return (self.asked.follow && !run.has_ended).then_some(Next::Wait);
        };
        if let Trouble::BreaksOffAfter(bytes_max) = log.trouble {
            let room = bytes_max.saturating_sub(self.sent_bytes);
            if room == 0 {
                return Some(Next::BreaksOff);
            }
            if bytes.len() > room {
                self.waiting.push_front(bytes.split_off(room));
            }
        }
        self.sent_bytes += bytes.len();
        Some(Next::Bytes(bytes))
    }
}
