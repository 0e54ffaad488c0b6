//! `pull`: a backup that is brought up to date over HTTP. Fetches what is missing, goes on where an
//! earlier run ended, and holds the result to the same checks as any journal.
//!
//! Nothing that a directory has is ever deleted. After a wipe on the server the older epoch goes to
//! a folder of its own within it, `epoch-N`; what no longer joins on to the server's oldest event,
//! because that was retired before it was pulled, to `until-SEQ`. Both stay journals to replay.

mod address;

mod client;

mod error;

mod folder;

mod server;

use std::{collections::BTreeSet, path::PathBuf};

use clap::Args;

use super::{EXIT_CLEAN, EXIT_DAMAGED, verify};
use address::Address;
use client::Client;
pub use error::Error;
use folder::Folder;
use server::{Listing, Segment, Server};

/// How often the server's list is asked for again because a segment went while it was fetched.
const LISTINGS_MAX: u32 = 5;

/// Flags of `pull`. Cannot be printed: it may hold the key.
#[derive(Args)]
pub struct PullArgs {
    /// The server, for example http://localhost:5130 or https://example.com/monitor.
    url: String,
    /// Where the backup goes; made if it does not exist. It can be replayed where it is.
    dir: PathBuf,
    /// File that holds the admin key [default: the key in MONITOR_BACKEND_ADMIN_KEY].
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Gives up after so many attempts in a row that brought nothing.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=100))]
    attempts: u32,
}

impl std::fmt::Debug for PullArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PullArgs").field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// Brings the backup up to date; `key` is the one of the environment.
///
/// # Errors
/// The server or the directory failed. What was fetched stays, and the next run goes on from there.
pub async fn run(args: &PullArgs, key: Option<String>) -> Result<u8, super::Error> {
    let key = match &args.key_file {
        Some(path) => Some(read_key(path)?),
        None => key,
    };
    let client = Client::new(Address::parse(&args.url)?, key.as_deref())?;
    let server = Server::new(client, args.attempts);
    let folder = Folder::open(&args.dir)?;
    let listing = fetch_all(&server, &folder).await?;
    let report = sound(&server, &folder, &listing).await?;
    verify::print(&report)?;
    Ok(if report.clean { EXIT_CLEAN } else { EXIT_DAMAGED })
}

fn read_key(path: &std::path::Path) -> Result<String, Error> {
    let read = std::fs::read_to_string(path);
    let key =
        read.map_err(|source| Error::Folder { attempted: "reading", path: path.into(), source })?;
    Ok(key.trim().to_owned())
}

/// Fetches what is missing. A segment that is retired or wiped meanwhile changes the list.
async fn fetch_all(server: &Server, folder: &Folder) -> Result<Listing, Error> {
    for _ in 0..LISTINGS_MAX {
        let listing = server.settled().await?;
        folder.prepare_for(&listing)?;
        if fetch_listed(server, folder, &listing).await? {
            return Ok(listing);
        }
    }
    Err(Error::Unsteady)
}

/// `false` where the server no longer has what it listed.
async fn fetch_listed(server: &Server, folder: &Folder, listing: &Listing) -> Result<bool, Error> {
    let missing: Vec<&Segment> = listing
        .segments
        .iter()
        .filter(|segment| folder.length(&segment.name) < segment.bytes)
        .collect();
    for (index, segment) in missing.iter().enumerate() {
        eprintln!("{}/{} {} ({} bytes)", index + 1, missing.len(), segment.name, segment.bytes);
        let mut part = folder.part_of(&segment.name)?;
        if !server.fetch(segment, &mut part).await? {
            return Ok(false);
        }
        part.install()?;
    }
    Ok(true)
}

/// Checks everything; fetches once more what is damaged here, and sets aside what does not join on.
async fn sound(
    server: &Server,
    folder: &Folder,
    listing: &Listing,
) -> Result<verify::Report, super::Error> {
    let mut report = verify::report(folder.path(), false)?;
    if let Some(before) = not_joined(&report, listing) {
        folder.set_aside_before(listing, before)?;
        report = verify::report(folder.path(), false)?;
    }
    let damaged: BTreeSet<&str> = report.damaged.iter().map(|d| d.segment.as_str()).collect();
    let mut is_better = false;
    for segment in &listing.segments {
        if damaged.contains(segment.name.as_str()) {
            is_better |= fetch_again(server, folder, segment).await?;
        }
    }
    if is_better {
        report = verify::report(folder.path(), false)?;
    }
    Ok(report)
}

/// The last event before a hole that ends where the server begins.
fn not_joined(report: &verify::Report, listing: &Listing) -> Option<u64> {
    let hole =
        report.lost.iter().find(|lost| lost.last_seq.checked_add(1) == Some(listing.first_seq))?;
    Some(hole.first_seq.saturating_sub(1))
}

/// Replaces a segment that is damaged here, if the server's is not as damaged.
async fn fetch_again(
    server: &Server,
    folder: &Folder,
    segment: &Segment,
) -> Result<bool, super::Error> {
    eprintln!("{} is damaged here; fetching it again", segment.name);
    let mut part = folder.part_from_scratch(&segment.name)?;
    if !server.fetch(segment, &mut part).await? {
        return Ok(false);
    }
    let damage =
        |path: &std::path::Path| verify::report(path, false).map(|report| report.damaged.len());
    let (here, there) = (damage(&folder.file(&segment.name))?, damage(part.path())?);
    if there < here {
        part.install()?;
        return Ok(true);
    }
    eprintln!("{} is damaged on the server, too", segment.name);
    part.discard()?;
    Ok(false)
}
