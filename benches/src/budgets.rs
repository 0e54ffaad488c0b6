//! The budgets of the journal, and what one run says of each.

use crate::figures::Figures;

const MIB: f64 = (1 << 20) as f64;

/// One line of the table.
#[derive(Debug)]
pub struct Line {
    /// What is measured, against what.
    pub what: &'static str,
    /// What the design promises.
    pub budget: String,
    /// What this run says; `None` where it was not measured.
    pub measured: Option<String>,
    /// Measured by budget, so that 1.0 or more is kept, whichever way the budget points. `None`
    /// where there is no budget or no measurement.
    pub kept: Option<f64>,
}

/// Which way a budget points, and its unit.
enum Budget {
    AtLeast(f64, Unit),
    AtMost(f64, Unit),
    /// There is none; the number is for who reads it.
    Told(Unit),
}

#[derive(Clone, Copy)]
enum Unit {
    /// How many times the reference.
    Times,
    /// Millions of records a second.
    RecordsM,
    /// Gigabytes a second.
    GigabytesPerS,
    Milliseconds,
    Mebibytes,
    Count,
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Unit::Times => format!("{value:.2} x"),
            Unit::RecordsM => format!("{:.2} M/s", value / 1e6),
            Unit::GigabytesPerS => format!("{:.2} GB/s", value / 1e9),
            Unit::Milliseconds => format!("{:.1} ms", value * 1e3),
            Unit::Mebibytes => format!("{:.1} MiB", value / MIB),
            Unit::Count => format!("{value:.0}"),
        }
    }
}

fn line(what: &'static str, budget: &Budget, measured: Option<f64>) -> Line {
    let (promise, unit) = match *budget {
        Budget::AtLeast(limit, unit) => (format!(">= {}", unit.show(limit)), unit),
        Budget::AtMost(limit, unit) => (format!("<= {}", unit.show(limit)), unit),
        Budget::Told(unit) => (String::new(), unit),
    };
    let kept = measured.and_then(|value| match *budget {
        Budget::AtLeast(limit, _) => Some(value / limit),
        Budget::AtMost(limit, _) => Some(limit / value),
        Budget::Told(_) => None,
    });
    Line { what, budget: promise, measured: measured.map(|value| unit.show(value)), kept }
}

/// Records in one iteration of an append.
const APPENDED: f64 = 40_000.0;

/// Lines in one iteration of the flood.
const FLOODED: f64 = 20_000.0;

/// The table.
pub fn table(figures: &Figures) -> Vec<Line> {
    use Budget::{AtLeast, AtMost, Told};
    use Unit::{Count, GigabytesPerS, Mebibytes, Milliseconds, RecordsM, Times};
    let seconds = |bench: &str| figures.seconds(bench);
    // How many times faster the second is than the first.
    let over = |slow: &str, fast: &str| Some(seconds(slow)? / seconds(fast)?);
    let rate = |of: f64, bench: &str| Some(of / seconds(bench)?);
    let bytes = figures.named("read_bytes").unwrap_or(0.0);
    let named = |name: &str| figures.named(name);
    let (full, bare) = ("append/journal/1000", "append/mapped-zeroed/1000");
    vec![
        line("append, batches of 1000 lines", &AtLeast(2e6, RecordsM), rate(APPENDED, full)),
        line("... of 64 lines", &Told(RecordsM), rate(APPENDED, "append/journal/64")),
        line("... of one line", &Told(RecordsM), rate(APPENDED, "append/journal/1")),
        line("append / copy and CRC into a mapped file", &AtLeast(0.8, Times), over(bare, full)),
        line(
            "append / the same, its blocks allocated alone",
            &Told(Times),
            over("append/mapped-allocated/1000", full),
        ),
        line("append / commitlog", &AtLeast(1.0, Times), over("append/commitlog/1000", full)),
        line("append / raft-engine", &AtLeast(3.0, Times), over("append/raft-engine/1000", full)),
        line("append / SQLite WAL", &AtLeast(6.0, Times), over("append/sqlite/1000", full)),
        line(
            "durable, one waiter / one fdatasync",
            &AtMost(1.5, Times),
            over("durable/journal-1", "durable/fdatasync"),
        ),
        line(
            "... through the recorder",
            &Told(Times),
            over("durable/recorder-1", "durable/fdatasync"),
        ),
        line(
            "durable, 64 waiters: fdatasyncs that it takes",
            &AtMost(8.0, Count),
            over("durable/recorder-64", "durable/fdatasync"),
        ),
        line(
            "observed lines through the recorder",
            &AtLeast(0.2e6, RecordsM),
            rate(FLOODED, "durable/recorder-flood"),
        ),
        line("verify", &AtLeast(4e9, GigabytesPerS), rate(bytes, "whole/verify")),
        line(
            "replay / bare CRC and decode of every record",
            &AtLeast(0.8, Times),
            over("moment/bare-decode-all", "moment/replay-segment"),
        ),
        line(
            "... of the records that change the state",
            &Told(Times),
            over("moment/bare-decode-state", "moment/replay-segment"),
        ),
        line("keyframe of 1000 pods", &Told(Milliseconds), seconds("moment/keyframe")),
        line("any past moment, 1000 pods", &Told(Milliseconds), seconds("moment/random")),
        line(
            "any past moment over HTTP, segments of 64 MiB, p95",
            &AtMost(0.15, Milliseconds),
            named("small_moment_p95_s"),
        ),
        line("time search", &Told(Milliseconds), seconds("moment/time-search")),
        line("text search", &AtLeast(3e9, GigabytesPerS), rate(bytes, "search/text-absent")),
        line(
            "text search / ripgrep, any case",
            &AtLeast(0.8, Times),
            over("search/ripgrep-absent-any-case", "search/text-absent"),
        ),
        line(
            "text search / ripgrep, exact case",
            &Told(Times),
            over("search/ripgrep-absent", "search/text-absent"),
        ),
        line("page of errors", &Told(Milliseconds), seconds("search/level-page")),
        line("history of an object", &Told(Milliseconds), seconds("search/object-history")),
        line("8 GiB: first byte served", &AtMost(0.3, Milliseconds), named("first_byte_s")),
        line(
            "8 GiB: first byte served, nothing cached",
            &AtMost(0.3, Milliseconds),
            named("first_byte_cold_s"),
        ),
        line("8 GiB: state complete", &AtMost(1.0, Milliseconds), named("state_complete_s")),
        line("... nothing cached", &Told(Milliseconds), named("state_complete_cold_s")),
        line("8 GiB: bytes of a segment", &Told(Mebibytes), named("large_segment_bytes")),
        line("8 GiB: any past moment, p50", &Told(Milliseconds), named("moment_p50_s")),
        line("8 GiB: any past moment, p95", &Told(Milliseconds), named("moment_p95_s")),
        line("8 GiB: page of a rare text", &Told(Milliseconds), named("search_rare_page_s")),
        line(
            "8 GiB: text search of all of it over HTTP",
            &Told(GigabytesPerS),
            named("large_bytes").zip(named("search_absent_s")).map(|(b, s)| b / s),
        ),
        line("8 GiB: page of errors", &Told(Milliseconds), named("search_level_page_s")),
        line("8 GiB: whole history of an object", &Told(Milliseconds), named("object_history_s")),
        line(
            "8 GiB, 10 k pods: private memory",
            &AtMost(96.0 * MIB, Mebibytes),
            named("private_bytes_ready"),
        ),
        line("... after questions", &Told(Mebibytes), named("private_bytes_asked")),
        line("backup download", &Told(GigabytesPerS), named("backup_rate")),
        line(
            "backup download / nginx with sendfile",
            &AtLeast(0.9, Times),
            named("backup_rate").zip(named("nginx_rate")).map(|(ours, nginx)| ours / nginx),
        ),
        line(
            "backup download: memory that it takes",
            &AtMost(8.0 * MIB, Mebibytes),
            named("backup_memory_bytes"),
        ),
        line(
            "a line from the link into a live feed, 10 k lines/s, p50",
            &Told(Milliseconds),
            named("feed_p50_s"),
        ),
        line("... p99", &AtMost(0.05, Milliseconds), named("feed_p99_s")),
        line("... the slowest of all", &Told(Milliseconds), named("feed_max_s")),
        line(
            "lines from the link into the journal",
            &AtLeast(0.2e6, RecordsM),
            named("flood_rate"),
        ),
        line("... share of them that was recorded", &Told(Times), named("flood_recorded_share")),
        line(
            "5000 open requests told every second: processors",
            &Told(Times),
            named("open_cpu_share"),
        ),
        line("... bytes told a second", &Told(Mebibytes), named("open_told_bytes_per_s")),
        line("... bytes recorded a second", &Told(Mebibytes), named("open_bytes_per_s")),
        line("... records in 30 s", &Told(Count), named("open_records")),
        line("binary", &AtMost(20.0 * MIB, Mebibytes), named("binary_bytes")),
    ]
}
