//! The wiring: each command builds the stages and joins them in the order of the flow.

mod demo;

mod key;

mod outside;

mod replay;

mod serve;

mod signals;

mod tools;

use std::{io::IsTerminal, process::ExitCode};

use anyhow::Context;
use tokio::net::TcpListener;

use crate::cli::Command;

/// Runs one command to its end.
///
/// # Errors
/// What kept the program from starting, or ended it.
pub fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(args) => in_runtime(serve::run(&args)),
        Command::Demo(args) => in_runtime(demo::run(&args)),
        Command::Replay(args) => in_runtime(replay::run(&args)),
        Command::Journal(command) => Ok(tools::journal(command)),
        Command::Pull(args) => in_runtime(async { Ok(tools::pull(&args).await) }),
    }
}

/// What talks to others needs a runtime and a log; what works on files needs neither.
fn in_runtime(running: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    let is_terminal = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_ansi(is_terminal).with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the runtime failed")?;
    runtime.block_on(running)
}

/// Binds the address that an admin will open.
async fn listen(address: std::net::SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("listening on {address} failed; is another process there? choose one by --listen")
    })
}

/// Says where the admin can look; everything is in place by then.
fn announce(listener: &TcpListener) -> anyhow::Result<()> {
    let address = listener.local_addr().context("the listener has no address")?;
    println!("listening on http://{address}");
    Ok(())
}
