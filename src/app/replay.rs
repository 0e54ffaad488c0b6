//! `replay`: a backup in the same interface, read-only.

use std::{process::ExitCode, sync::Arc};

use anyhow::{Context, bail};

use super::{announce, listen, signals};
use crate::{
    cli::ReplayArgs,
    http::{self, Desk, limits::Limits, wire::Mode},
    journal::Reader,
    recorder::Published,
    views::problems::Thresholds,
};

/// Runs until a signal says to stop.
pub async fn run(args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    if !args.listen.ip().is_loopback() {
        bail!("a replay asks for no key, so it listens on loopback only, not on {}", args.listen);
    }
    let opened = Reader::open(&args.path);
    let (reader, recovery) =
        opened.with_context(|| format!("opening {} failed", args.path.display()))?;
    let listener = listen(args.listen).await?;
    let published = Published::of_backup(reader, recovery).context("replaying failed")?;
    let desk = Desk {
        mode: Mode::Replay,
        version: env!("CARGO_PKG_VERSION").into(),
        published: Arc::new(published),
        recorder: None,
        actions: None,
        admin_key: None,
        outside: None,
        metrics: None,
        reviewer: None,
        base_path: String::new(),
        data_dir: None,
        thresholds: Thresholds::default(),
        limits: Limits::default(),
    };
    announce(&listener)?;
    http::serve(listener, desk, signals::stop()).await;
    Ok(ExitCode::SUCCESS)
}
