//! `journal export`: NDJSON of a range, which stands alone: the state before it comes first, as rows
//! that are marked *restated*.

use std::{ops::ControlFlow, path::PathBuf};

use clap::Args;

use super::{
    EXIT_CLEAN, Error, FilterArgs, filter::Filter, living::living_at, open, output::Output, show,
};
use crate::journal::{Reader, Record};

/// Flags of `journal export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// A directory, a .tar, or one .seg file.
    path: PathBuf,
    #[command(flatten)]
    filter: FilterArgs,
    /// Writes to this new file instead of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Writes the state at the start and every event, as far as they are wanted.
pub fn run(args: &ExportArgs) -> Result<u8, Error> {
    let (reader, _) = open::open(&args.path)?;
    let filter = Filter::new(&args.filter, &reader);
    let mut output = Output::to(args.out.as_deref())?;
    restated(&reader, &filter, &mut output)?;
    events(&reader, &filter, &mut output)?;
    open::tell_damage(&reader);
    output.flush()?;
    Ok(EXIT_CLEAN)
}

/// What lived just before the first event.
fn restated(reader: &Reader, filter: &Filter, output: &mut Output) -> Result<(), Error> {
    let held = reader.positions();
    let before = filter.after.clamp(held.first_seq.saturating_sub(1), held.last_seq);
    for living in living_at(reader, before)? {
        row(&living.record(), filter, true, output)?;
    }
    Ok(())
}

fn events(reader: &Reader, filter: &Filter, output: &mut Output) -> Result<(), Error> {
    let mut written = Ok(());
    reader.scan(filter.range(), &mut |record| {
        written = row(&record, filter, false, output);
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    written
}

fn row(
    record: &Record<'_>,
    filter: &Filter,
    restated: bool,
    output: &mut Output,
) -> Result<(), Error> {
    match filter.wanted(record) {
        Some(event) => output.line(&show::row(record, &event, restated)),
        None => Ok(()),
    }
}
