//! The wiring.

mod key;

use std::process::ExitCode;

use crate::cli::Command;

/// Runs one command to its end.
///
/// # Errors
/// What kept the program from starting.
pub fn run(_command: Command) -> anyhow::Result<ExitCode> {
    Ok(ExitCode::SUCCESS)
}
