//! Measures the app-server link through the real binary: `link BINARY`. How long a line takes into a
//! browser's live feed, how many lines a second are recorded, and what open requests cost.

use std::{
    io::BufRead,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use monitor_backend_benches::{
    app_server::{AppServer, Link, line, now_ms, open_request},
    figures::{Figures, quantile},
    journals::folder,
    process::{Body, Server},
};
use serde_json::Value;

/// Lines a second while the way into the feed is measured, and for how long.
const PACED_LINES: u64 = 10_000;
const PACED_SECONDS: u64 = 10;

/// Lines are sent this often: each is on its way alone with nine others.
const PACE: Duration = Duration::from_millis(1);

/// Lines of the flood.
const FLOOD_LINES: u64 = 2_000_000;

/// Open requests, and how often all are told.
const OPEN_REQUESTS: usize = 5_000;
const ROUNDS: usize = 30;
const ROUND: Duration = Duration::from_secs(1);

/// Sections of an open request; one more with each round.
const SECTIONS: usize = 4;

/// Nothing that is waited for takes longer.
const WAIT_MAX: Duration = Duration::from_secs(60);

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let binary = PathBuf::from(args.next().context("usage: link BINARY")?);
    let mut figures = Figures::load()?;
    into_the_feed(&binary, &mut figures)?;
    flood(&binary, &mut figures)?;
    open_requests(&binary, &mut figures)
}

/// A recorder that is linked, on an empty journal whose budget is no bound.
struct Linked {
    server: Server,
    link: Link,
    _dir: tempfile::TempDir,
}

fn linked(binary: &Path) -> anyhow::Result<Linked> {
    let dir = folder()?;
    let app_server = AppServer::start()?;
    let url = app_server.url()?;
    let config = format!(
        "[cluster]\nenabled = false\n[journal]\nsource_bytes_per_day = {}\n[app_server]\n\
         url = \"{url}\"\nbasic_info_url = \"http://127.0.0.1:1/\"\n",
        1_u64 << 50
    );
    let server = Server::start_with(binary, dir.path(), &config)?;
    server.until_ok("/readyz")?;
    let link = app_server.accept()?;
    let is_up = |status: &Value| {
        status["sources"].as_array().is_some_and(|sources| {
            sources.iter().any(|one| one["name"] == "app-server" && one["state"] == "up")
        })
    };
    wait(&server, "/api/status", is_up)?;
    Ok(Linked { server, link, _dir: dir })
}

fn wait(server: &Server, route: &str, is_wanted: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
    let began = Instant::now();
    loop {
        let answer = server.get(route, Body::Keep)?;
        let value: Value = serde_json::from_slice(&answer.body)?;
        if is_wanted(&value) {
            return Ok(value);
        }
        ensure!(began.elapsed() < WAIT_MAX, "{route} stayed at {value}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// From before a line is sent until a client of the live feed has read it.
fn into_the_feed(binary: &Path, figures: &mut Figures) -> anyhow::Result<()> {
    let mut linked = linked(binary)?;
    let feed = linked.server.follow("/api/live?topics=logs")?;
    let (told, heard) = mpsc::channel();
    let reading = thread::spawn(move || read_feed(feed, &told));
    heard.recv_timeout(WAIT_MAX).context("the feed says nothing")?;
    let total = PACED_LINES * PACED_SECONDS;
    let began = Instant::now();
    let at_once = PACED_LINES / 1000;
    for first in (0..total).step_by(at_once as usize) {
        let due = began + PACE * u32::try_from(first / at_once)?;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let mut frames = Vec::new();
        (first..first + at_once).for_each(|number| line(&mut frames, number, now_ms()));
        linked.link.send(&frames)?;
    }
    let rate = total as f64 / began.elapsed().as_secs_f64();
    let mut took = reading.join().map_err(|_| anyhow::anyhow!("reading the feed failed"))??;
    ensure!(took.len() as u64 == total, "{} of {total} lines came", took.len());
    figures.add(&[
        ("feed_lines_per_s", rate),
        ("feed_p50_s", quantile(&mut took, 0.5)),
        ("feed_p99_s", quantile(&mut took, 0.99)),
        ("feed_max_s", quantile(&mut took, 1.0)),
    ])
}

/// How long each line took, seconds, in the order in which they came.
fn read_feed(feed: impl BufRead, told: &mpsc::Sender<()>) -> anyhow::Result<Vec<f64>> {
    let mut took = Vec::new();
    for text in feed.lines() {
        let text = text?;
        ensure!(text != "event: shed", "the feed fell behind after {} lines", took.len());
        let Some(data) = text.strip_prefix("data: ") else { continue };
        let read = now_ms();
        let message: Value = serde_json::from_str(data)?;
        // The first message is the greeting; nobody waits for more than that.
        let _ = told.send(());
        for entry in message["logs"].as_array().into_iter().flatten() {
            let sent = entry["time"].as_f64().context("a line without a time")?;
            took.push((read - sent) / 1e3);
        }
        if took.len() as u64 >= PACED_LINES * PACED_SECONDS {
            break;
        }
    }
    Ok(took)
}

/// As many lines as the link takes.
fn flood(binary: &Path, figures: &mut Figures) -> anyhow::Result<()> {
    let mut linked = linked(binary)?;
    let mut frames = Vec::new();
    (0..10_000).for_each(|number| line(&mut frames, number, now_ms()));
    let before = last_seq(&linked.server)?;
    let began = Instant::now();
    for _ in 0..FLOOD_LINES / 10_000 {
        linked.link.send(&frames)?;
    }
    let mut last = before;
    let mut took = began.elapsed();
    loop {
        thread::sleep(Duration::from_millis(20));
        let now = last_seq(&linked.server)?;
        if now == last && now > before {
            break;
        }
        (last, took) = (now, began.elapsed());
    }
    let recorded = (last - before) as f64;
    figures.add(&[
        ("flood_rate", recorded / took.as_secs_f64()),
        ("flood_recorded_share", recorded / FLOOD_LINES as f64),
    ])
}

fn last_seq(server: &Server) -> anyhow::Result<u64> {
    let journal = wait(server, "/api/journal", |_| true)?;
    journal["journal"]["last_seq"].as_u64().context("no last_seq")
}

/// What it costs that open requests are told every second, each time grown by a section.
fn open_requests(binary: &Path, figures: &mut Figures) -> anyhow::Result<()> {
    let mut linked = linked(binary)?;
    let before = last_seq(&linked.server)?;
    let bytes = |server: &Server| -> anyhow::Result<f64> {
        let journal = wait(server, "/api/journal", |_| true)?;
        journal["journal"]["bytes"].as_f64().context("no bytes")
    };
    let (bytes_before, cpu_before) = (bytes(&linked.server)?, linked.server.cpu_seconds()?);
    let start = now_ms();
    let began = Instant::now();
    let mut told = 0;
    for round in 0..ROUNDS {
        thread::sleep((began + ROUND * round as u32).saturating_duration_since(Instant::now()));
        let mut frames = Vec::new();
        (0..OPEN_REQUESTS).for_each(|id| open_request(&mut frames, id, SECTIONS + round, start));
        told += frames.len();
        linked.link.send(&frames)?;
    }
    thread::sleep((began + ROUND * ROUNDS as u32).saturating_duration_since(Instant::now()));
    let seconds = began.elapsed().as_secs_f64();
    figures.add(&[
        ("open_cpu_share", (linked.server.cpu_seconds()? - cpu_before) / seconds),
        ("open_bytes_per_s", (bytes(&linked.server)? - bytes_before) / seconds),
        ("open_told_bytes_per_s", told as f64 / seconds),
        ("open_records", (last_seq(&linked.server)? - before) as f64),
    ])
}
