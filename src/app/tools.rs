//! `journal ...` and `pull`: their results as exit codes, their failures as one line.

use std::process::ExitCode;

use super::key;
use crate::tools::{self, EXIT_CLEAN, EXIT_FAILED, JournalCommand, PullArgs};

/// Runs a command on a journal's files.
pub fn journal(command: JournalCommand) -> ExitCode {
    finish(tools::run(command))
}

/// Brings a backup up to date.
pub async fn pull(args: &PullArgs) -> ExitCode {
    let key = std::env::var(key::VARIABLE).ok().map(|key| key.trim().to_owned());
    finish(tools::pull(args, key).await)
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
