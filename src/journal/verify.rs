//! Every checksum and every sequence number of a journal, looked at once; and, where asked, every
//! state that stands in it.

use std::{
    collections::BTreeSet,
    io,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::{
    account::{Account, Holding},
    deep::Deep,
    error::{Attempt, Error},
    header::{self, SEGMENT_HEADER_BYTES},
    reader::Reader,
    recovery::Damaged,
    segment::Segment,
    state::State,
    survey::{Damage, Survey},
};

/// What a journal holds and what it lacks.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Verification {
    /// Segments that were read.
    pub segments: u64,
    /// Records whose checksums hold, of every sort.
    pub records: u64,
    /// Places that are no record, or whose checksum does not hold.
    pub damaged: Vec<Damaged>,
    /// Bytes that the volume would not give; they stand among the damaged places as well.
    pub unreadable_bytes: u64,
    /// Kinds that a reader must know to see the whole picture.
    pub must_understand: BTreeSet<u16>,
    /// Every sequence number, accounted for.
    pub account: Account,
    /// States on record that were compared with what the records make up; 0 unless asked for.
    pub states: u64,
    /// Where such a state is another one, without any damage: an error of the program that wrote
    /// it.
    pub differing: Vec<Damaged>,
}

impl Reader {
    /// Reads everything up to the present end. Takes as long as reading that many bytes.
    ///
    /// # Errors
    /// A segment cannot be read.
    pub fn verify(&self) -> Result<Verification, Error> {
        let state = self.state();
        let mut verification = Verification::default();
        let mut holdings = Vec::with_capacity(state.segments.len());
        let surveys = each(&state, |index| Survey::of(state.segments[index].walk(0)));
        for (segment, survey) in state.segments.iter().zip(surveys) {
            let survey = survey.attempting("verifying", &segment.path)?;
            for damage in &survey.damaged {
                segment.note_damage(damage.offset);
            }
            holdings.push((segment.header, Holding::surveyed(&survey)));
            verification.take_header(segment);
            verification.take(&segment.name, survey);
        }
        verification.account = Account::of(&holdings);
        Ok(verification)
    }

    /// As [`Reader::verify`]; replays every segment as well, and holds the state at every keyframe
    /// and seal against its hash, and the state that each segment begins with against the end of
    /// the one before. Takes memory for what lives, some 16 bytes a key.
    ///
    /// # Errors
    /// A segment cannot be read.
    pub fn verify_deep(&self) -> Result<Verification, Error> {
        let mut verification = self.verify()?;
        let state = self.state();
        let replayed = each(&state, |index| {
            let segment = &state.segments[index];
            Deep::of(segment, state.data_end(index), state.limit(index))
        });
        let mut before: Option<(u64, Deep)> = None;
        for (segment, deep) in state.segments.iter().zip(replayed) {
            let mut deep = deep.attempting("replaying", &segment.path)?;
            let ended = before.take_if(|(salt, _)| *salt == segment.header.prev.salt);
            if let (Some((_, Deep { ends: Some(ended), .. })), Some(begins)) = (ended, deep.begins)
            {
                deep.compare(0, ended, begins);
            }
            verification.states += deep.compared;
            let differing = deep.differing.drain(..);
            verification.differing.extend(differing.map(|damage| damage.of(&segment.name)));
            before = Some((segment.header.salt, deep));
        }
        Ok(verification)
    }
}

impl Verification {
    fn take_header(&mut self, segment: &Segment) {
        let start = segment.slice(0, SEGMENT_HEADER_BYTES.min(segment.end()));
        let damaged = header::damaged_copies(start).map(|offset| {
            let what = "one of the two copies of the segment's header is damaged".to_owned();
            Damage { offset, what }.of(&segment.name)
        });
        self.damaged.extend(damaged);
    }

    fn take(&mut self, segment: &str, survey: Survey) {
        self.segments += 1;
        self.records += survey.records;
        self.must_understand.extend(survey.must_understand);
        self.damaged.extend(survey.damaged.into_iter().map(|damage| damage.of(segment)));
        for lacks in survey.withheld {
            self.unreadable_bytes += lacks.range.end - lacks.range.start;
            self.damaged.push(lacks.damage().of(segment));
        }
    }
}

/// What `f` gives for each segment, in order; as many at a time as there are processors.
fn each<T: Send>(state: &State, f: impl Fn(usize) -> io::Result<T> + Sync) -> Vec<io::Result<T>> {
    let count = state.segments.len();
    let results: Mutex<Vec<(usize, io::Result<T>)>> = Mutex::default();
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return;
            }
            let result = f(index);
            results.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
        }
    };
    let workers = thread::available_parallelism().map_or(1, |workers| workers.get()).min(count);
    thread::scope(|scope| {
        (1..workers).for_each(|_| drop(scope.spawn(work)));
        work();
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_unstable_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}
