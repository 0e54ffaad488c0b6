//! What can be done with a journal's files where they lie: on a live volume, in a backup, on a
//! laptop. Takes a directory, one segment or a tar; knows no recorder and no HTTP server.
//!
//! Data goes to standard output, everything else to standard error. A reader that hangs up
//! (`| head`) ends a tool quietly.
//!
//! - `open` opens a journal that may be changing, `filter` and `moment` say which events, `show` how
//!   one looks, `living` what lived at a moment, `output` where it goes;
//! - `redaction` takes out what is not to be given away;
//! - `verify`, `stat`, `cat`, `export`, `cut` and `wipe` are the commands of `journal`, `pull` is one
//!   of its own.

mod cat;

mod cut;

mod error;

mod export;

mod filter;

mod living;

mod moment;

mod open;

mod output;

mod pull;

mod redaction;

mod show;

mod stat;

mod verify;

mod wipe;

use clap::Subcommand;

pub use cat::CatArgs;
pub use cut::CutArgs;
pub use error::Error;
pub use export::ExportArgs;
pub use filter::FilterArgs;
pub use moment::Moment;
pub use pull::{PullArgs, run as pull};
pub use stat::StatArgs;
pub use verify::VerifyArgs;
pub use wipe::WipeArgs;

/// It was done, and nothing is wrong.
pub const EXIT_CLEAN: u8 = 0;
/// It was done, and something is damaged or lost.
pub const EXIT_DAMAGED: u8 = 1;
/// It could not be done: not a journal, not readable, not reachable.
pub const EXIT_FAILED: u8 = 2;

/// What can be done with a journal's files. All but `wipe` take a directory, one .seg file or a
/// backup's .tar, and disturb no recorder that is running.
#[derive(Debug, Subcommand)]
pub enum JournalCommand {
    /// Checks every checksum and every sequence number: 0 clean, 1 damaged, 2 not readable.
    Verify(VerifyArgs),
    /// Sums up what a journal holds.
    Stat(StatArgs),
    /// Prints events, and follows a live directory.
    Cat(CatArgs),
    /// Writes everything as NDJSON, the state at the start included.
    Export(ExportArgs),
    /// Writes a part as a journal of its own, without credentials and whatever else is named.
    Cut(CutArgs),
    /// Empties a journal that no recorder holds, and records who did it and why.
    Wipe(WipeArgs),
}

/// Runs one command to its end; gives the exit code.
///
/// # Errors
/// It could not be done.
pub fn run(command: JournalCommand) -> Result<u8, Error> {
    match command {
        JournalCommand::Verify(args) => verify::run(&args),
        JournalCommand::Stat(args) => stat::run(&args),
        JournalCommand::Cat(args) => cat::run(&args),
        JournalCommand::Export(args) => export::run(&args),
        JournalCommand::Cut(args) => cut::run(&args),
        JournalCommand::Wipe(args) => wipe::run(&args),
    }
}
