//! Reads the command line and runs the program.

use std::process::ExitCode;

use monitor_backend::{app, cli};

fn main() -> ExitCode {
    let cli = match cli::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err((message, code)) => {
            // Nothing is left to do when the terminal is gone.
            let _ = message.print();
            return ExitCode::from(code);
        }
    };
    match app::run(cli.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("monitor-backend: {error:#}");
            ExitCode::FAILURE
        }
    }
}
