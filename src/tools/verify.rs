//! `journal verify`: what is damaged and what is lost, told apart from what is merely being written.
//!
//! In a live directory the newest segment may be read in the middle of a write, and a segment may be
//! retired or wiped between two steps. Such a state passes: what is wrong counts only if it is
//! wrong at every look.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::{EXIT_CLEAN, EXIT_DAMAGED, Error, open, output::Output, show};
use crate::{
    event::word_of,
    journal::{self, Damaged, LeftAlone, Lost, Mismatch, Positions, Recovery, Verification},
};

/// Flags of `journal verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// A directory, a .tar, or one .seg file.
    path: PathBuf,
    /// Replays every segment as well, and compares each state on record with what is replayed.
    #[arg(long)]
    deep: bool,
    /// Prints the whole report as JSON.
    #[arg(long)]
    json: bool,
}

/// What is known of a journal's soundness.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Nothing is damaged, nothing is lost, and a tar is as it was sent.
    pub clean: bool,
    /// 32 hex digits.
    pub journal_id: String,
    /// Counts wipes.
    pub epoch: u64,
    /// Segments that were read.
    pub segments: u64,
    /// Bytes of recorded data.
    pub bytes: u64,
    /// Records whose checksums hold, of every sort.
    pub records: u64,
    /// The oldest number.
    pub first_seq: u64,
    /// The newest number.
    pub last_seq: u64,
    /// Events that can be read.
    pub events: u64,
    /// Numbers that were left out on purpose.
    pub leapt: u64,
    /// The newest segment was closed in order. Otherwise it was still being written, a crash ended
    /// it, or a part of it is missing: nothing in it tells which.
    pub sealed: bool,
    /// The newest segment ends in a write that did not get through: expected after a crash.
    pub torn_tail: bool,
    /// Damaged places.
    pub damaged: Vec<Damaged>,
    /// Bytes that the volume would not give; they stand among the damaged places as well.
    pub unreadable_bytes: u64,
    /// States on record that were compared with what the records make up; 0 unless asked for.
    pub states: u64,
    /// Where such a state is another one: an error of the program that wrote it.
    pub differing: Vec<Damaged>,
    /// Kinds that this version would have to know to see the whole picture.
    pub must_understand: Vec<String>,
    /// Events that had a number and cannot be read.
    pub lost: Vec<LostEvents>,
    /// Segments of a tar that are not as they were sent.
    pub mismatches: Vec<Mismatch>,
    /// Files whose name is that of another segment; what their headers say counts.
    pub misnamed: Vec<String>,
    /// Files that are no part of the journal, and why.
    pub left_alone: Vec<LeftAlone>,
}

/// Events that had a number and cannot be read.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct LostEvents {
    /// The first of them.
    pub first_seq: u64,
    /// The last of them.
    pub last_seq: u64,
    /// They had been acknowledged as durable. Otherwise they are the tail that a power cut may take.
    pub acknowledged: bool,
}

/// One look at a journal.
struct Look {
    recovery: Recovery,
    verification: Verification,
    positions: Positions,
    sealed: bool,
}

/// Prints what is wrong; the exit code says whether anything is.
pub fn run(args: &VerifyArgs) -> Result<u8, Error> {
    let report = report(&args.path, args.deep)?;
    if args.json {
        let mut output = Output::standard();
        output.line(&serde_json::to_string_pretty(&report).expect("plain data is JSON"))?;
        output.flush()?;
    } else {
        print(&report)?;
    }
    Ok(if report.clean { EXIT_CLEAN } else { EXIT_DAMAGED })
}

/// Looks at everything; deep also at every state on record.
///
/// # Errors
/// It cannot be read, or is no journal.
pub fn report(path: &Path, deep: bool) -> Result<Report, Error> {
    let mut look = Look::at(path, deep)?;
    for _ in 1..open::LOOKS {
        // Only a directory changes.
        if look.is_clean() || !path.is_dir() {
            break;
        }
        open::pause();
        let mut later = Look::at(path, deep)?;
        later.keep_what_stays(&look);
        look = later;
    }
    Ok(look.report(journal::checksum_mismatches(path)?))
}

impl Look {
    fn at(path: &Path, deep: bool) -> Result<Look, Error> {
        let (reader, recovery) = open::open(path)?;
        let mut verification = if deep { reader.verify_deep()? } else { reader.verify()? };
        // A lost header is met when a segment is opened.
        for damaged in &recovery.damaged {
            if !verification.damaged.contains(damaged) {
                verification.damaged.push(damaged.clone());
            }
        }
        let sealed = reader.segments().last().is_some_and(|segment| segment.sealed);
        Ok(Look { recovery, verification, positions: reader.positions(), sealed })
    }

    fn is_clean(&self) -> bool {
        let Verification { damaged, account, differing, .. } = &self.verification;
        damaged.is_empty() && account.lost.is_empty() && differing.is_empty()
    }

    fn keep_what_stays(&mut self, earlier: &Look) {
        let Verification { damaged, differing, account, .. } = &mut self.verification;
        damaged.retain(|place| earlier.verification.damaged.contains(place));
        differing.retain(|place| earlier.verification.differing.contains(place));
        let was_lost = |lost: &Lost| {
            let mut before = earlier.verification.account.lost.iter();
            before.any(|b| b.first_seq <= lost.last_seq && lost.first_seq <= b.last_seq)
        };
        account.lost.retain(was_lost);
    }

    fn report(self, mismatches: Vec<Mismatch>) -> Report {
        let clean = self.is_clean() && mismatches.is_empty();
        let Look { recovery, verification, positions, sealed } = self;
        let account = verification.account;
        let unknown = verification.must_understand.iter().filter(|kind| word_of(**kind).is_none());
        let lost = |lost: &Lost| LostEvents {
            first_seq: lost.first_seq,
            last_seq: lost.last_seq,
            acknowledged: lost.durable,
        };
        Report {
            clean,
            journal_id: show::hex(&positions.journal_id),
            epoch: positions.epoch,
            segments: verification.segments,
            bytes: positions.bytes,
            records: verification.records,
            first_seq: account.first_seq,
            last_seq: account.last_seq,
            events: account.recorded,
            leapt: account.leapt,
            sealed,
            torn_tail: recovery.torn_tail,
            unreadable_bytes: verification.unreadable_bytes,
            states: verification.states,
            differing: verification.differing,
            must_understand: unknown.map(|kind| show::kind(*kind)).collect(),
            damaged: verification.damaged,
            lost: account.lost.iter().map(lost).collect(),
            mismatches,
            misnamed: recovery.misnamed,
            left_alone: recovery.left_alone,
        }
    }
}

/// Prints a report for people.
///
/// # Errors
/// Nobody reads it.
pub fn print(report: &Report) -> Result<(), Error> {
    let mut output = Output::standard();
    lines(report, &mut output)?;
    output.flush()
}

fn lines(report: &Report, output: &mut Output) -> Result<(), Error> {
    let Report { segments, bytes, records, first_seq, last_seq, events, .. } = report;
    let verdict = if report.clean { "clean" } else { "DAMAGED" };
    output.line(&format!(
        "{verdict}: {events} events, {first_seq} to {last_seq}; {records} records in {segments} \
         segments, {bytes} bytes; journal {}, epoch {}",
        report.journal_id, report.epoch
    ))?;
    for Damaged { segment, offset, what } in &report.damaged {
        output.line(&format!("damaged: {segment} at {offset}: {what}"))?;
    }
    for Damaged { segment, offset, what } in &report.differing {
        output.line(&format!("differing state: {segment} at {offset}: {what}"))?;
    }
    for LostEvents { first_seq, last_seq, acknowledged } in &report.lost {
        let what = if *acknowledged { "acknowledged events" } else { "unacknowledged events" };
        output.line(&format!("lost: {what} {first_seq} to {last_seq}"))?;
    }
    for Mismatch { name, what } in &report.mismatches {
        output.line(&format!("not as it was sent: {name} {what}"))?;
    }
    notes(report).iter().try_for_each(|note| output.line(&format!("note: {note}")))
}

/// What is worth knowing and no damage.
fn notes(report: &Report) -> Vec<String> {
    let mut notes = Vec::new();
    if report.states > 0 {
        notes.push(format!("{} states on record were replayed", report.states));
    }
    if report.unreadable_bytes > 0 {
        let bytes = report.unreadable_bytes;
        notes.push(format!("the volume would not give {bytes} bytes; it may be failing"));
    }
    for kind in &report.must_understand {
        notes.push(format!(
            "events of kind {kind} are not known here; a later version shows the whole picture"
        ));
    }
    if report.leapt > 0 {
        notes.push(format!("{} numbers were left out on purpose", report.leapt));
    }
    if report.torn_tail {
        let end = "the newest segment ends in a write that did not get through";
        notes.push(format!("{end}; it was never acknowledged"));
    } else if !report.sealed {
        let end = "the newest segment has no end yet: it is open, or was when it was copied";
        notes.push(end.to_owned());
    }
    for name in &report.misnamed {
        notes.push(format!("{name} has the name of another segment"));
    }
    for LeftAlone { name, reason } in &report.left_alone {
        notes.push(format!("{name} was left alone: {reason}"));
    }
    notes
}
