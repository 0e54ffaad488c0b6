//! Measures the real binary on a large journal: `served BINARY [DIR]`. Without a folder it fills
//! one of [`GIB`] gibibytes, which takes a minute and is gone at the end.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use monitor_backend::journal::Reader;
use monitor_backend_benches::{
    events::{RARE_WORD, pod_uid},
    figures::{Figures, quantile},
    journals::{self, Content, folder},
    nginx::Nginx,
    process::{self, Body, Server},
    rng::Rng,
};
use serde_json::Value;

const GIB: u64 = 1 << 30;

/// The journal whose start is measured.
const LARGE: Content = Content { bytes: 8 * GIB, pods: 10_000, days: 5.0 };

/// The journal that is downloaded: the tar that nginx serves needs as much room again.
const DOWNLOADED: Content = Content { bytes: GIB, pods: 1_000, days: 1.0 };

/// Moments that are asked for, each another.
const MOMENTS: usize = 60;

/// Starts of the process, of which the median counts.
const STARTS: usize = 5;

/// Downloads from each server, in turn.
const DOWNLOADS: usize = 5;

/// Between two looks at the memory of a process.
const MEMORY_EVERY: Duration = Duration::from_millis(5);

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let binary = PathBuf::from(args.next().context("usage: served BINARY [DIR]")?);
    let mut figures = Figures::load()?;
    figures.add(&[("binary_bytes", fs::metadata(&binary)?.len() as f64)])?;
    match args.next() {
        Some(dir) => large(&binary, Path::new(&dir), &mut figures)?,
        None => {
            let dir = folder()?;
            journals::fill(dir.path(), LARGE, &mut |_| {})?;
            large(&binary, dir.path(), &mut figures)?;
        }
    }
    download(&binary, &mut figures)
}

/// Starts, moments and searches on one large journal.
fn large(binary: &Path, dir: &Path, figures: &mut Figures) -> anyhow::Result<()> {
    starts(binary, dir, figures)?;
    let server = Server::start(binary, dir)?;
    server.until_ok("/readyz")?;
    figures.add(&[("private_bytes_ready", server.private_bytes()? as f64)])?;
    let journal = ask(&server, "/api/journal")?.0;
    moments(&server, &journal["journal"], figures)?;
    searches(&server, figures)?;
    figures.add(&[("private_bytes_asked", server.private_bytes()? as f64)])
}

fn starts(binary: &Path, dir: &Path, figures: &mut Figures) -> anyhow::Result<()> {
    let (reader, _) = Reader::open(dir)?;
    let bytes = reader.positions().bytes;
    let segments = reader.segments();
    let average = bytes as f64 / segments.len().max(1) as f64;
    drop(reader);
    figures.add(&[("large_bytes", bytes as f64), ("large_segment_bytes", average)])?;
    for (cold, first_name, ready_name) in [
        (false, "first_byte_s", "state_complete_s"),
        (true, "first_byte_cold_s", "state_complete_cold_s"),
    ] {
        let (mut first, mut ready) = (Vec::new(), Vec::new());
        for _ in 0..STARTS {
            if cold {
                forget(dir)?;
            }
            let server = Server::start(binary, dir)?;
            first.push(server.until_ok("/healthz")?.as_secs_f64());
            ready.push(server.until_ok("/readyz")?.as_secs_f64());
        }
        let median = |values: &mut [f64]| quantile(values, 0.5);
        figures.add(&[(first_name, median(&mut first)), (ready_name, median(&mut ready))])?;
    }
    Ok(())
}

/// Makes the system forget the pages of a journal, as after a start of the machine.
fn forget(dir: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(dir)? {
        let file = fs::File::open(entry?.path())?;
        file.sync_all()?;
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
    }
    Ok(())
}

fn moments(server: &Server, journal: &Value, figures: &mut Figures) -> anyhow::Result<()> {
    let seq = |name: &str| journal[name].as_u64().with_context(|| format!("no {name}"));
    let (first, last) = (seq("first_seq")?, seq("last_seq")?);
    let mut rng = Rng::new(5);
    let mut took = Vec::new();
    for _ in 0..MOMENTS {
        let at = first + rng.below(last - first);
        took.push(ask(server, &format!("/api/overview?at={at}"))?.1.as_secs_f64());
    }
    let (p50, p95) = (quantile(&mut took, 0.5), quantile(&mut took, 0.95));
    figures.add(&[("moment_p50_s", p50), ("moment_p95_s", p95)])
}

fn searches(server: &Server, figures: &mut Figures) -> anyhow::Result<()> {
    let (_, page) = ask(server, &format!("/api/logs?q={RARE_WORD}&limit=10"))?;
    let whole = all_pages(server, "/api/logs?q=no-such-word&limit=100")?;
    let (_, level) = ask(server, "/api/logs?level=ERROR&limit=100")?;
    let history = all_pages(server, &format!("/api/objects/{}/history?limit=100", pod_uid(7)))?;
    figures.add(&[
        ("search_rare_page_s", page.as_secs_f64()),
        ("search_absent_s", whole.as_secs_f64()),
        ("search_level_page_s", level.as_secs_f64()),
        ("object_history_s", history.as_secs_f64()),
    ])
}

/// From the first page to the last.
fn all_pages(server: &Server, route: &str) -> anyhow::Result<Duration> {
    let started = Instant::now();
    let mut before = String::new();
    loop {
        let (page, _) = ask(server, &format!("{route}{before}"))?;
        match page["next"].as_u64() {
            Some(next) => before = format!("&before={next}"),
            None => return Ok(started.elapsed()),
        }
    }
}

fn ask(server: &Server, route: &str) -> anyhow::Result<(Value, Duration)> {
    let answer = server.get(route, Body::Keep)?;
    let text = String::from_utf8_lossy(&answer.body);
    ensure!(answer.status == 200, "{route} answered {}: {text}", answer.status);
    Ok((serde_json::from_slice(&answer.body)?, answer.took))
}

/// The same tar from the binary and from nginx, in turn.
fn download(binary: &Path, figures: &mut Figures) -> anyhow::Result<()> {
    let dir = folder()?;
    journals::fill(dir.path(), DOWNLOADED, &mut |_| {})?;
    let server = Server::start(binary, dir.path())?;
    server.until_ok("/readyz")?;
    let journal = ask(&server, "/api/journal")?.0;
    let to = journal["journal"]["durable_seq"].as_u64().context("no durable_seq")?;
    let route = format!("/api/journal/backup?to={to}");

    let files = folder()?;
    let backup = server.get(&route, Body::Keep)?;
    ensure!(backup.status == 200, "the backup answered {}", backup.status);
    fs::write(files.path().join("backup.tar"), &backup.body)?;
    drop(backup);

    let (ours, grown) = watched(&server, &route)?;
    let rates = |took: Vec<f64>| ours.bytes as f64 / quantile(&mut { took }, 0.5);
    let scratch = folder()?;
    let Some(nginx) = Nginx::serve(files.path(), scratch.path())? else {
        eprintln!("nginx is not installed; the comparison of downloads is skipped");
        let rate = rates(vec![ours.took.as_secs_f64()]);
        return figures.add(&[("backup_rate", rate), ("backup_memory_bytes", grown)]);
    };
    let (mut ours_took, mut nginx_took) = (Vec::new(), Vec::new());
    for _ in 0..DOWNLOADS {
        let answer = server.get(&route, Body::Count)?;
        ours_took.push(answer.took.as_secs_f64());
        let answer = process::get(nginx.address, "/backup.tar", Body::Count)?;
        ensure!(answer.bytes == ours.bytes, "nginx gave {} bytes", answer.bytes);
        nginx_took.push(answer.took.as_secs_f64());
    }
    figures.add(&[
        ("backup_rate", rates(ours_took)),
        ("nginx_rate", rates(nginx_took)),
        ("backup_memory_bytes", grown),
    ])
}

/// One download, and by how much the process grew meanwhile.
fn watched(server: &Server, route: &str) -> anyhow::Result<(process::Answer, f64)> {
    let before = server.private_bytes()?;
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let most = scope.spawn(|| {
            let mut most = before;
            while !done.load(Ordering::Relaxed) {
                most = most.max(server.private_bytes().unwrap_or(0));
                std::thread::sleep(MEMORY_EVERY);
            }
            most
        });
        let answer = server.get(route, Body::Count);
        done.store(true, Ordering::Relaxed);
        let most = most.join().map_err(|_| anyhow::anyhow!("looking at the memory failed"))?;
        Ok((answer?, (most - before) as f64))
    })
}
