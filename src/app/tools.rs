//! `journal ...` and `pull`: their results as exit codes, their failures as one line.

use std::process::ExitCode;

use crate::tools::{self, EXIT_CLEAN, EXIT_FAILED, JournalCommand};

/// Runs a command on a journal's files.
pub fn journal(command: JournalCommand) -> ExitCode {
    finish(tools::run(command))
}

/// A reader that hung up has what it wanted.
fn finish(done: Result<u8, tools::Error>) -> ExitCode {
    match done {
        Ok(code) => ExitCode::from(code),
        Err(tools::Error::ReaderGone) => ExitCode::from(EXIT_CLEAN),
        Err(error) => {
            eprintln!("monitor-backend: {:#}", anyhow::Error::from(error));
            ExitCode::from(EXIT_FAILED)
        }
    }
}
