//! `journal cut`: a part of a journal as a journal of its own, to be given away. Numbers and times
//! stay, what lived before comes first, and every text is redacted.
//!
//! What cannot be redacted, because this version cannot decode it, is left out, and so is what was
//! lost already. A gap stands in the place of each, so that nothing is missing in silence.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use clap::Args;
use regex::Regex;

use super::{
    EXIT_CLEAN, EXIT_DAMAGED, Error, Moment, living::living_at, open, redaction::Redaction, verify,
};
use crate::{
    event::{Event, Extensions, Gap, millis},
    journal::{Flags, Lost, PAYLOAD_BYTES_MAX, Range, Record, SEGMENT_BYTES, Seq, Transcript},
};

/// The source of the gaps that a cut leaves.
const SOURCE: &str = "journal cut";

/// Flags of `journal cut`.
#[derive(Debug, Args)]
pub struct CutArgs {
    /// A directory, a .tar, or one .seg file.
    path: PathBuf,
    /// Where the new journal goes: a directory that is empty or does not exist yet.
    out_dir: PathBuf,
    /// The first event, or a time before it [default: the oldest event].
    #[arg(long, value_name = "SEQ|TIME")]
    from: Option<Moment>,
    /// The last event, or a time behind it [default: the newest event].
    #[arg(long, value_name = "SEQ|TIME")]
    to: Option<Moment>,
    /// Takes out what matches this regular expression, beside what looks like a credential. Can be
    /// given again.
    #[arg(long, value_name = "REGEX", value_parser = pattern)]
    redact: Vec<Regex>,
}

fn pattern(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| error.to_string())
}

/// Writes the part, and holds the result to the same checks as any journal.
pub fn run(args: &CutArgs) -> Result<u8, Error> {
    let (reader, _) = open::open(&args.path)?;
    let held = reader.positions();
    let from = args.from.map_or(held.first_seq, |from| from.first(&reader));
    let to = args.to.map_or(held.last_seq, |to| to.last(&reader)).min(held.last_seq);
    if from < held.first_seq || from > to {
        let (first, last) = (held.first_seq, held.last_seq);
        return Err(Error::NothingThere { from, to, first, last });
    }
    let lost = reader.verify()?.account.lost;
    let before = from.saturating_sub(1);
    let living = living_at(&reader, before)?;

    check_empty(&args.out_dir)?;
    let mut cut = Cut {
        transcript: Transcript::create(args.out_dir.clone(), held.epoch, before, SEGMENT_BYTES)?,
        redaction: Redaction::new(args.redact.clone()),
        lost: within(lost, from, to),
        cannot_decode: 0,
    };
    for living in living {
        cut.restate(&living.record());
    }
    let mut written = Ok(());
    let range = Range { after: before, before: to.saturating_add(1), ..Range::ALL };
    reader.scan(range, &mut |record| {
        written = cut.append(&record);
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    written?;
    cut.finish(args, from, to)
}

fn check_empty(dir: &Path) -> Result<(), Error> {
    let is_free = match std::fs::read_dir(dir) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    if is_free { Ok(()) } else { Err(Error::NotEmpty { path: dir.to_owned() }) }
}

/// The last range first, since they are taken from the end.
fn within(lost: Vec<Lost>, from: Seq, to: Seq) -> Vec<Lost> {
    let cut = lost.into_iter().rev().map(|lost| Lost {
        first_seq: lost.first_seq.max(from),
        last_seq: lost.last_seq.min(to),
        ..lost
    });
    cut.filter(|lost| lost.first_seq <= lost.last_seq).collect()
}

struct Cut {
    transcript: Transcript,
    redaction: Redaction,
    /// What is still to be told as lost; the next one last.
    lost: Vec<Lost>,
    /// Records that were left out, those of the state at the start included.
    cannot_decode: u64,
}

impl Cut {
    /// What cannot be decoded has no number of its own here: it is only counted.
    fn restate(&mut self, record: &Record<'_>) {
        match self.redacted(record) {
            Some((key, payload)) => {
                self.transcript.restate(&Record { key, payload: &payload, ..*record });
            }
            None => self.cannot_decode += 1,
        }
    }

    fn append(&mut self, record: &Record<'_>) -> Result<(), Error> {
        while let Some(lost) = self.lost.pop_if(|lost| lost.first_seq < record.seq) {
            self.tell_lost(&lost, record.time_ns)?;
        }
        let Some((key, payload)) = self.redacted(record) else {
            self.cannot_decode += 1;
            let reason = format!("an event of kind {:#06x} could not be redacted", record.kind);
            return self.gap(record.seq, record.time_ns, reason, 1);
        };
        Ok(self.transcript.append(&Record { key, payload: &payload, ..*record })?)
    }

    /// The key and the payload without what is not to be given away.
    fn redacted(&mut self, record: &Record<'_>) -> Option<(u64, Vec<u8>)> {
        let mut event = Event::decode(record.kind, record.payload).ok().flatten()?;
        if !self.redaction.event(&mut event) {
            return Some((record.key, record.payload.to_vec()));
        }
        let mut payload = Vec::new();
        event.encode_to(&mut payload);
        // The old key could be compared with those of guessed names.
        (payload.len() <= PAYLOAD_BYTES_MAX).then(|| (event.key().0, payload))
    }

    fn tell_lost(&mut self, lost: &Lost, time_ns: i64) -> Result<(), Error> {
        let count = (lost.last_seq - lost.first_seq).saturating_add(1);
        let reason = format!("events {} to {} could not be read", lost.first_seq, lost.last_seq);
        self.gap(lost.first_seq, time_ns, reason, count)
    }

    fn gap(&mut self, seq: Seq, time_ns: i64, reason: String, dropped: u64) -> Result<(), Error> {
        let gap = Event::Gap(Gap {
            source: SOURCE.into(),
            reason,
            from: millis(time_ns),
            to: millis(time_ns),
            dropped: Some(dropped),
            ext: Extensions::default(),
        });
        let mut payload = Vec::new();
        gap.encode_to(&mut payload);
        let (kind, class, key) = (gap.kind(), gap.class(), gap.key().0);
        let flags = Flags::default();
        let record = Record { kind, class, flags, seq, time_ns, key, payload: &payload };
        Ok(self.transcript.append(&record)?)
    }

    fn finish(mut self, args: &CutArgs, from: Seq, to: Seq) -> Result<u8, Error> {
        while let Some(lost) = self.lost.pop() {
            self.tell_lost(&lost, 0)?;
        }
        self.transcript.finish()?;
        let report = verify::report(&args.out_dir, false)?;
        let dir = args.out_dir.display();
        eprintln!("{dir}: events {from} to {to}, {} texts redacted", self.redaction.changed);
        if self.cannot_decode > 0 {
            eprintln!(
                "{} records were left out: this version cannot decode, and so not redact them",
                self.cannot_decode
            );
        }
        if !report.clean {
            eprintln!("{dir} is damaged; `journal verify` says where; cut it again");
            return Ok(EXIT_DAMAGED);
        }
        Ok(EXIT_CLEAN)
    }
}
