//! What the containers of the simulation write: each program in its own format.

use serde_json::json;

use crate::{event::Millis, sim::rng::fnv1a};

/// A node keeps so many lines of a run: older ones are in a file that the API does not read.
const LINES_MAX: u64 = 5_000;

/// A run whose id begins so leaks memory until it is killed.
pub(super) const LEAKING: &str = "1eaf";

/// A run whose id begins so fails soon after its start.
pub(super) const CRASHING: &str = "c4a5";

/// When a leak shows, and when it fails requests, after the start of its run.
const LEAK_SHOWS_MS: Millis = 5_000.0;
const LEAK_FAILS_MS: Millis = 10_000.0;

/// A line with its time as the node writes it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) stamp: String,
    pub(super) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Program {
    AppServer,
    WebServer,
    Postgres,
    Counter,
    Other,
}

/// The log of one run.
#[derive(Debug, Clone)]
pub(super) struct RunLog {
    program: Program,
    seed: u64,
    is_leaking: bool,
    is_crashing: bool,
    started: Millis,
}

impl RunLog {
    /// The log of a run of a container, by its id.
    pub(super) fn of(container: &str, id: &str, started: Millis) -> RunLog {
        let program = match container {
            "app-server" => Program::AppServer,
            "web-server" => Program::WebServer,
            "debate-map-db" => Program::Postgres,
            "counter" => Program::Counter,
            _ => Program::Other,
        };
        let bare = id.rsplit('/').next().unwrap_or_default();
        let (is_leaking, is_crashing) = (bare.starts_with(LEAKING), bare.starts_with(CRASHING));
        RunLog { program, seed: fnv1a(&[id]), is_leaking, is_crashing, started }
    }

    /// The lines from a moment on, before another one.
    pub(super) fn between(&self, since: Millis, until: Millis) -> Vec<Line> {
        let number = |at: Millis| ((at - self.started) / self.interval()).floor().max(0.0) as u64;
        let last = number(until);
        // A line comes up to half an interval late.
        let first = number(since).saturating_sub(1).max(last.saturating_sub(LINES_MAX));
        let lines = (first..=last).map(|number| (self.time(number), number));
        let wanted = lines.filter(|(time, _)| *time >= since && *time < until);
        wanted.map(|(time, number)| self.line(time, number)).collect()
    }

    fn interval(&self) -> Millis {
        match self.program {
            Program::AppServer => 700.0,
            Program::WebServer => 400.0,
            Program::Postgres => 2_500.0,
            Program::Counter => 20.0,
            Program::Other => 5_000.0,
        }
    }

    fn bits(&self, number: u64) -> u64 {
        let mut bits = (self.seed ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        bits ^= bits >> 29;
        bits.wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ (bits >> 32)
    }

    /// When a line is written, milliseconds with three decimals.
    fn time(&self, number: u64) -> Millis {
        let late = (self.bits(number) % 1000) as Millis / 2000.0 * self.interval();
        let time = self.started + number as Millis * self.interval() + late;
        (time * 1000.0).floor() / 1000.0
    }

    fn line(&self, time: Millis, number: u64) -> Line {
        let stamp = stamp(time);
        let bits = self.bits(number) >> 8;
        let text = match self.program {
            Program::AppServer => self.app_server(time, bits),
            Program::WebServer => web_server(time, bits),
            Program::Postgres => postgres(time, bits),
            Program::Counter => format!("line {number}"),
            Program::Other => format!("I{} 1 main.go:{}] synced", klog_time(time), 40 + bits % 9),
        };
        Line { stamp, text }
    }

    /// JSON, as `tracing` writes it.
    fn app_server(&self, time: Millis, bits: u64) -> String {
        let age = time - self.started;
        let id = format!("{:011x}", bits % (1 << 44));
        let (level, span, message) = match bits % 8 {
            _ if self.is_leaking && age > LEAK_FAILS_MS => match bits % 3 {
                0 => ("ERROR", "acquire", "no connection within 10000 ms: pool exhausted".into()),
                1 => ("ERROR", "apply", format!("allocation failed while reading {id}")),
                _ => ("WARN", "memory", "memory in use: 1012 MiB of 1024 MiB".to_owned()),
            },
            0..=3 if self.is_crashing => {
                ("ERROR", "migrate", "column nodes.weight does not exist".to_owned())
            }
            0 | 1 if self.is_leaking && age > LEAK_SHOWS_MS => {
                let used = 400 + (age / 20.0) as u64;
                ("WARN", "memory", format!("memory in use: {} MiB of 1024 MiB", used.min(1000)))
            }
            0 => ("DEBUG", "acquire", "connection taken after 0.4 ms".into()),
            1 => ("WARN", "update_node", format!("node {id} was locked; retried")),
            2 => ("INFO", "sign_in", format!("user {id} signed in")),
            _ => ("INFO", "add_node", format!("added node {id}")),
        };
        json!({
            "timestamp": stamp(time), "level": level, "target": "app_server::db",
            "fields": {"message": message}, "span": {"name": span},
        })
        .to_string()
    }
}

/// The access log of nginx, and now and then its error log.
fn web_server(time: Millis, bits: u64) -> String {
    let client = format!("10.42.0.{}", 2 + bits % 200);
    if bits.is_multiple_of(397) {
        let at = at(time).strftime("%Y/%m/%d %H:%M:%S").to_string();
        return format!(
            "{at} [error] 29#29: *{} upstream timed out while reading upstream, client: {client}",
            bits % 9000
        );
    }
    let at = at(time).strftime("%d/%b/%Y:%H:%M:%S +0000").to_string();
    let path = ["/", "/assets/app.js", "/debates/climate-policy", "/favicon.ico"];
    let path = path[(bits >> 8) as usize % path.len()];
    let status = if path == "/favicon.ico" { 404 } else { 200 };
    format!("{client} - - [{at}] \"GET {path} HTTP/1.1\" {status} {}", 100 + bits % 40_000)
}

fn postgres(time: Millis, bits: u64) -> String {
    let at = at(time).strftime("%Y-%m-%d %H:%M:%S%.3f UTC").to_string();
    let message = match bits % 60 {
        0 => "ERROR:  deadlock detected".to_owned(),
        1..=5 => format!("LOG:  duration: {}.3 ms  statement: select nodes", 1000 + bits % 3000),
        6..=10 => "LOG:  checkpoint starting: time".to_owned(),
        _ => {
            format!("LOG:  connection authorized: user=app database=debate-map pid={}", bits % 900)
        }
    };
    format!("{at} [{}] {message}", 60 + bits % 30)
}

fn klog_time(time: Millis) -> String {
    at(time).strftime("%m%d %H:%M:%S%.6f").to_string()
}

fn at(time: Millis) -> jiff::Timestamp {
    jiff::Timestamp::from_microsecond((time * 1000.0) as i64).unwrap_or_default()
}

fn stamp(time: Millis) -> String {
    at(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_the_same_whoever_asks_and_in_whatever_pieces() {
        for container in ["app-server", "web-server", "debate-map-db", "other"] {
            let log = RunLog::of(container, "containerd://1eaf00", 1_000_000.0);
            let whole = log.between(0.0, 1_060_000.0);
            assert!(whole.len() >= 10 && whole.is_sorted_by(|a, b| a.stamp <= b.stamp));
            let mut pieces = Vec::new();
            for second in 0..60 {
                let from = 1_000_000.0 + f64::from(second) * 1000.0;
                pieces.extend(log.between(from, from + 1000.0));
            }
            assert_eq!(pieces, whole, "{container}");
        }
    }

    #[test]
    fn an_old_log_is_bounded_and_a_leak_has_last_words() {
        let old = RunLog::of("web-server", "containerd://00", 0.0);
        assert!(old.between(0.0, 1e12).len() as u64 <= LINES_MAX + 1);
        let errors = |id| {
            let lines = RunLog::of("app-server", id, 0.0).between(0.0, 20_000.0);
            lines.iter().filter(|line| line.text.contains("\"ERROR\"")).count()
        };
        assert!(errors("containerd://1eaf00") > 3 && errors("containerd://00") == 0);
    }
}
