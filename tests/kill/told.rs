//! What the app-server tells during the test, and what is true in the end.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use monitor_backend::sim::{AppServer, Frame, LiveQuery, LogEntry, Mtx, Section};
use serde_json::{Value, json};
use tokio::sync::watch;

/// Frames sent in the whole test.
pub const FRAMES: u64 = 100_000;
/// Log lines in ten frames.
pub const LINES_OF_TEN: u64 = 7;
const TRACES: u64 = 400;
const QUERIES: u64 = 100;
/// Between two frames while nobody listens: they are lost, and must not be spent in a moment.
const UNHEARD_PAUSE: Duration = Duration::from_millis(1);

/// Everything that was told.
#[derive(Default)]
pub struct Told {
    /// When each line was sent; its index is the number in its message.
    pub lines: Vec<f64>,
    /// The last state of each trace.
    pub traces: BTreeMap<String, Mtx>,
    /// The last state of each live query, by table and filter; those that were deleted too.
    pub queries: BTreeMap<(String, String), LiveQuery>,
    counts: [u64; 3],
}

/// Sends frames as far as they are granted, up to [`FRAMES`].
pub async fn tell(
    app_server: &AppServer,
    told: Arc<Mutex<Told>>,
    mut granted: watch::Receiver<u64>,
    sent: watch::Sender<u64>,
) {
    for number in 0..FRAMES {
        granted.wait_for(|granted| *granted > number).await.expect("the test goes on");
        let frame = told.lock().expect("no panic").next(number);
        if app_server.send(&frame).await == 0 {
            tokio::time::sleep(UNHEARD_PAUSE).await;
        }
        sent.send_replace(number + 1);
    }
}

/// Sends the last state of everything once more, as the app-server does with what lives.
pub async fn tell_again(app_server: &AppServer, told: &Mutex<Told>) {
    let frames: Vec<Frame> = {
        let told = told.lock().expect("no panic");
        let traces = told.traces.values().cloned().map(|mtx| Frame::MtxEntryDone { mtx });
        traces.chain(told.queries.values().cloned().map(Frame::LQInstanceUpdated)).collect()
    };
    for frame in frames {
        assert_eq!(app_server.send(&frame).await, 1, "the recorder listens");
    }
}

/// The text of a line; [`number_of`] reads it.
fn message(number: u64) -> String {
    format!("line {number} of the test")
}

/// The number in a line's text.
pub fn number_of(message: &str) -> Option<u64> {
    message.strip_prefix("line ")?.split(' ').next()?.parse().ok()
}

impl Told {
    /// Seven lines, two steps of a trace, one change of a live query.
    fn next(&mut self, number: u64) -> Frame {
        let kind = match number % 10 {
            0..LINES_OF_TEN => 0,
            LINES_OF_TEN..9 => 1,
            _ => 2,
        };
        let count = self.counts[kind];
        self.counts[kind] += 1;
        match kind {
            0 => self.line(count),
            1 => self.trace(count),
            _ => self.query(count),
        }
    }

    fn line(&mut self, count: u64) -> Frame {
        let time = now();
        self.lines.push(time);
        let level = ["ERROR", "WARN", "INFO", "INFO", "DEBUG"][(count % 5) as usize];
        Frame::LogEntryAdded {
            entry: LogEntry {
                time,
                level: level.to_owned(),
                target: "app_server::db::commands::add_node".to_owned(),
                span_name: "add_node".to_owned(),
                message: message(count),
            },
        }
    }

    /// Each trace gets a section after the other; every third one ends.
    fn trace(&mut self, count: u64) -> Frame {
        let (which, step) = (count % TRACES, count / TRACES);
        let id = format!("00000000-0000-4000-8000-{which:012x}");
        let mtx = self.traces.entry(id.clone()).or_insert_with(|| Mtx::new(id));
        let start_time = 1_700_000_000_000.0 + (which * 1000 + step) as f64;
        if let Some(last) = mtx.section_lifetimes.values_mut().find(|s| s.duration.is_none()) {
            last.duration = Some(1.0);
        }
        let last_step = (FRAMES / 5 / TRACES) - 1;
        let is_end = step == last_step && which.is_multiple_of(3);
        mtx.set(Section {
            path: format!("graphql getNode/{step}:step"),
            extra_info: (step % 2 == 0).then(|| format!("step {step}")),
            start_time,
            duration: is_end.then_some(2.5),
        });
        Frame::MtxEntryDone { mtx: mtx.clone() }
    }

    /// Each live query changes its answer; now and then it is deleted and comes again.
    fn query(&mut self, count: u64) -> Frame {
        let (which, step) = (count % QUERIES, count / QUERIES);
        let query = LiveQuery {
            table_name: ["maps", "nodes", "users"][(which % 3) as usize].to_owned(),
            filter: json!({"id": {"equalTo": which.to_string()}}),
            last_entries: vec![json!({"id": which.to_string(), "step": step})],
            watchers_count: 1 + step % 4,
            deleting: (which + step).is_multiple_of(7),
        };
        let key = (query.table_name.clone(), query.filter.to_string());
        self.queries.insert(key, query.clone());
        Frame::LQInstanceUpdated(query)
    }

    /// What `/api/requests` has to show, by id: sections by start, then path.
    pub fn requests(&self) -> BTreeMap<String, Value> {
        let shown = |mtx: &Mtx| {
            let mut sections: Vec<_> = mtx.section_lifetimes.values().collect();
            sections.sort_by(|a, b| {
                a.start_time.total_cmp(&b.start_time).then_with(|| a.path.cmp(&b.path))
            });
            let json = |s: &&Section| {
                json!({
                    "path": s.path, "start_time": s.start_time, "duration": s.duration,
                    "extra_info": s.extra_info,
                })
            };
            let end = if mtx.has_ended() { "ended" } else { "open" };
            json!({"end": end, "sections": sections.iter().map(json).collect::<Vec<_>>()})
        };
        self.traces.iter().map(|(id, mtx)| (id.clone(), shown(mtx))).collect()
    }

    /// What `/api/live-queries` has to show, by table and filter.
    pub fn live_queries(&self) -> BTreeMap<(String, String), Value> {
        let living = self.queries.iter().filter(|(_, query)| !query.deleting);
        let shown = |query: &LiveQuery| {
            json!({
                "last_entries": query.last_entries, "watchers_count": query.watchers_count,
                "observed": true,
            })
        };
        living.map(|(key, query)| (key.clone(), shown(query))).collect()
    }
}

fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is set");
    since.as_secs_f64() * 1000.0
}
