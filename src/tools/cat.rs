//! `journal cat`: prints events, and goes on as a live directory grows.

use std::{ops::ControlFlow, path::PathBuf, thread, time::Duration};

use clap::{Args, ValueEnum};

use super::{EXIT_CLEAN, Error, FilterArgs, filter::Filter, open, output::Output, show};
use crate::journal::{Follower, Looked, Reader, Record, Seq};

/// How often a live directory is looked at: soon enough for a person, and cheap.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A directory that cannot be read any more is looked at so often before that is an error: a
/// recorder makes it anew within five seconds.
const FAILURES_MAX: u32 = 50;

/// Where following begins, unless it is told otherwise: enough to see what it follows.
const LAST: u64 = 10;

/// Flags of `journal cat`.
#[derive(Debug, Args)]
pub struct CatArgs {
    /// A directory, a .tar, or one .seg file.
    path: PathBuf,
    #[command(flatten)]
    filter: FilterArgs,
    /// At most so many events, the oldest that fit.
    #[arg(long)]
    limit: Option<u64>,
    /// Begins so many events before the end.
    #[arg(long, value_name = "COUNT")]
    last: Option<u64>,
    /// Goes on printing as the directory grows, until it is interrupted. Begins with the last 10
    /// events, unless --after, --from or --last says otherwise.
    #[arg(long, conflicts_with_all = ["to", "before"])]
    follow: bool,
    /// One line an event for people, or a JSON object a line.
    #[arg(long, value_enum, default_value_t = Form::Text)]
    output: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Text,
    Ndjson,
}

/// Prints what is wanted.
pub fn run(args: &CatArgs) -> Result<u8, Error> {
    if args.follow && !args.path.is_dir() {
        return Err(Error::NotFollowable { path: args.path.clone() });
    }
    let (reader, _) = open::open(&args.path)?;
    let mut filter = Filter::new(&args.filter, &reader);
    let is_start_given = args.filter.after.is_some() || args.filter.from.is_some();
    let by_default = (args.follow && !is_start_given).then_some(LAST);
    if let Some(last) = args.last.or(by_default) {
        filter.after = filter.after.max(before_last(&reader, &filter, last)?);
    }
    let mut printer = Printer {
        form: args.output,
        left: args.limit.unwrap_or(u64::MAX),
        output: Output::standard(),
    };
    if args.follow {
        // The maps would keep retired files on the volume.
        drop(reader);
        printer.follow(Follower::new(&args.path, filter.after), &filter)?;
    } else {
        printer.scan(&reader, &filter)?;
    }
    Ok(EXIT_CLEAN)
}

/// The number before the last so many events.
fn before_last(reader: &Reader, filter: &Filter, last: u64) -> Result<Seq, Error> {
    let (mut left, mut before) = (last, reader.positions().last_seq);
    if left == 0 {
        return Ok(before);
    }
    reader.scan_back(filter.range(), &mut |record| {
        if filter.wanted(&record).is_some() {
            left -= 1;
            before = record.seq.saturating_sub(1);
        }
        if left > 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(before)
}

struct Printer {
    form: Form,
    /// How many events may still be printed.
    left: u64,
    output: Output,
}

impl Printer {
    fn scan(&mut self, reader: &Reader, filter: &Filter) -> Result<(), Error> {
        let mut printed = Ok(());
        if self.left > 0 {
            reader
                .scan(filter.range(), &mut |record| self.record(&record, filter, &mut printed))?;
        }
        printed?;
        open::tell_damage(reader);
        self.output.flush()
    }

    /// Ends when enough is printed, or the reader is gone.
    fn follow(&mut self, mut follower: Follower, filter: &Filter) -> Result<(), Error> {
        let mut failures = 0;
        while self.left > 0 {
            let mut printed = Ok(());
            let looked = follower.look(&mut |record| self.record(&record, filter, &mut printed));
            printed?;
            self.output.flush()?;
            match looked {
                Ok(looked) => {
                    failures = 0;
                    tell(looked);
                }
                Err(error) if failures >= FAILURES_MAX => return Err(error.into()),
                Err(_) => failures += 1,
            }
            if self.left > 0 {
                thread::sleep(LOOK_EVERY);
            }
        }
        Ok(())
    }

    fn record(
        &mut self,
        record: &Record<'_>,
        filter: &Filter,
        printed: &mut Result<(), Error>,
    ) -> ControlFlow<()> {
        let Some(event) = filter.wanted(record) else { return ControlFlow::Continue(()) };
        let line = match self.form {
            Form::Text => show::line(record, &event),
            Form::Ndjson => show::row(record, &event, false),
        };
        self.left -= 1;
        *printed = self.output.line(&line);
        if printed.is_ok() && self.left > 0 {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }
}

fn tell(looked: Looked) {
    if let Some(epoch) = looked.wiped {
        eprintln!("the journal was wiped; it goes on in epoch {epoch}");
    }
    if let Some((first, last)) = looked.missed {
        eprintln!("events {first} to {last} were gone before they could be printed");
    }
    if looked.damaged > 0 {
        eprintln!("{} damaged places were passed over", looked.damaged);
    }
}
