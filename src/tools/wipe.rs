//! `journal wipe`: an empty journal, where no recorder runs that could be asked to do it.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{EXIT_CLEAN, Error};
use crate::{
    event::{ActionOutcome, Event, Wiped, millis, now_ns},
    journal::{self, Flags, NewRecord, Options, Positions, Retention, SEGMENT_BYTES, WipeNote},
};

/// Who wipes: whoever could run this.
const ACTOR: &str = "command line";

/// Flags of `journal wipe`.
#[derive(Debug, Args)]
pub struct WipeArgs {
    /// The data directory of a recorder that is not running.
    dir: PathBuf,
    /// Why; recorded.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Wipes without asking any further.
    #[arg(long)]
    yes: bool,
}

/// Wipes.
pub fn run(args: &WipeArgs) -> Result<u8, Error> {
    let dir = &args.dir;
    if !holds_segments(dir) {
        return Err(Error::NothingToWipe { dir: dir.clone() });
    }
    if !args.yes {
        return Err(Error::NotConfirmed { dir: dir.clone() });
    }
    let options =
        Options { dir: dir.clone(), segment_bytes: SEGMENT_BYTES, keep: Retention::default() };
    let (mut writer, reader, _) = journal::open(options).map_err(|error| match error {
        journal::Error::Locked { dir } => Error::Held { dir },
        other => other.into(),
    })?;
    let went = reader.positions();
    let note = WipeNote { actor: ACTOR.into(), reason: args.reason.clone(), time_ns: now_ns() };
    let outcome = outcome(&went, &note);
    let mut payload = Vec::new();
    outcome.encode_to(&mut payload);
    writer.wipe(
        &note,
        &[NewRecord {
            kind: outcome.kind(),
            class: outcome.class(),
            flags: Flags::END,
            time_ns: note.time_ns,
            key: outcome.key().0,
            payload: &payload,
        }],
    )?;
    writer.close()?;
    eprintln!(
        "{}: events {} to {} ({} bytes) were wiped; epoch {} is empty",
        dir.display(),
        went.first_seq,
        went.last_seq,
        went.bytes,
        went.epoch + 1
    );
    Ok(EXIT_CLEAN)
}

/// Damaged ones can be wiped too; a folder of something else is not touched.
fn holds_segments(dir: &Path) -> bool {
    let mut entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.any(|e| e.path().extension().is_some_and(|ending| ending == "seg"))
}

/// The same event as that of a wipe through a recorder, so that the audit shows it.
fn outcome(went: &Positions, note: &WipeNote) -> Event {
    let Positions { epoch, first_seq, last_seq, bytes, .. } = *went;
    let went = Wiped { epoch, first_seq, last_seq, bytes };
    let at = millis(note.time_ns);
    Event::ActionOutcome(ActionOutcome::of_wipe(went, &note.actor, &note.reason, at))
}
