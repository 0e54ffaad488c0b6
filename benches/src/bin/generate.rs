//! Fills a journal with realistic events: `generate DIR [GIB [PODS [DAYS]]]`.

use std::{path::PathBuf, time::Instant};

use anyhow::Context;
use monitor_backend_benches::journals::{Content, fill};

const GIB: f64 = 1024.0 * 1024.0 * 1024.0;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let dir = args.next().context("usage: generate DIR [GIB [PODS [DAYS]]]")?;
    let mut number = |name, default| match args.next() {
        Some(text) => text.parse::<f64>().with_context(|| format!("{name} is no number: {text}")),
        None => Ok(default),
    };
    let content = Content {
        bytes: (number("GIB", 8.0)? * GIB) as u64,
        pods: number("PODS", 10_000.0)? as u64,
        days: number("DAYS", 5.0)?,
    };
    let started = Instant::now();
    let mut next = 0;
    fill(&PathBuf::from(dir), content, &mut |bytes| {
        if bytes >= next {
            eprintln!("{:6.2} GiB after {:.0?}", bytes as f64 / GIB, started.elapsed());
            next = bytes + (GIB / 2.0) as u64;
        }
    })?;
    eprintln!("filled in {:.1?}", started.elapsed());
    Ok(())
}
