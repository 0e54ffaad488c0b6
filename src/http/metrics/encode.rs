//! The page: every number, gathered when it is asked for.

use std::{
    fmt::Error,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, prometheus_text},
    registry::Registry,
};

use super::{Intake, meters::CLASSES, page::Page, process};
use crate::{
    event::State,
    http::{Surface, routes},
    recorder::Tally,
    views,
};

/// So many sources are told; a configuration names some dozen.
const SOURCES_MAX: usize = 500;

/// The label of what is no route.
const NO_ROUTE: &str = "other";

/// Makes the page. Takes locks and reads `/proc`: call it on a reader thread.
pub(super) fn page(surface: &Arc<Surface>, intake: &Intake) -> Result<String, Error> {
    let mut registry = Registry::default();
    let all = All { surface: surface.clone(), intake: intake.clone() };
    registry.register_collector(Box::new(all));
    let mut text = String::new();
    prometheus_text::encode(&mut text, &registry)?;
    Ok(text)
}

#[derive(Debug)]
struct All {
    surface: Arc<Surface>,
    intake: Intake,
}

impl Collector for All {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut page = Page(encoder);
        let version = [(("version", self.surface.desk.version.as_str()), 1.0)];
        page.gauges("monitor_backend_build_info", "Which version runs", version)?;
        self.journal(&mut page)?;
        self.recording(&mut page)?;
        self.sources(&mut page)?;
        self.live(&mut page)?;
        self.http(&mut page)?;
        process::write(&mut page)
    }
}

fn read(count: &AtomicU64) -> u64 {
    count.load(Relaxed)
}

impl All {
    fn tally(&self) -> &Tally {
        &self.surface.desk.published.tally
    }

    fn journal(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let published = &self.surface.desk.published;
        let positions = *published.positions.borrow();
        if let Some(reader) = published.reader.load_full() {
            let segments = reader.segments().len() as f64;
            page.gauge("monitor_backend_journal_segments", "Segments of the journal", segments)?;
        }
        for (name, help, value) in [
            ("journal_bytes", "Recorded bytes of the journal", positions.bytes),
            ("journal_first_sequence", "The oldest event of the journal", positions.first_seq),
            ("journal_last_sequence", "The newest event of the journal", positions.last_seq),
            (
                "journal_durable_sequence",
                "The newest event that survives a power cut",
                positions.durable_seq,
            ),
            ("journal_epoch", "Counts wipes", positions.epoch),
        ] {
            page.gauge(&format!("monitor_backend_{name}"), help, value as f64)?;
        }
        let health = published.health.load();
        let snapshot = published.snapshot.load();
        let unsaved = snapshot.unsaved.as_deref();
        for (name, help, value) in [
            (
                "ready",
                "1 when answers can be given from the views",
                f64::from(u8::from(health.replayed)),
            ),
            (
                "journal_degraded",
                "1 while the journal takes no records",
                f64::from(u8::from(unsaved.is_some())),
            ),
            (
                "unsaved_records",
                "Records that wait in memory for the journal",
                unsaved.map_or(0.0, |unsaved| unsaved.kept as f64),
            ),
            (
                "faults",
                "Reasons why something does not work as it should",
                health.degraded.len() as f64,
            ),
        ] {
            page.gauge(&format!("monitor_backend_{name}"), help, value)?;
        }
        Ok(())
    }

    fn recording(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let tally = self.tally();
        for (name, help, count) in [
            ("journal_batches", "Writes to the journal", &tally.batches),
            ("journal_events", "Events written to the journal", &tally.events),
            ("journal_payload_bytes", "Payload bytes written to the journal", &tally.payload_bytes),
            ("journal_failed_syncs", "Failed attempts to make it durable", &tally.failed_syncs),
            (
                "journal_retired_segments",
                "Segments that were given up for room",
                &tally.retired_segments,
            ),
            ("journal_retired_bytes", "Bytes that they held", &tally.retired_bytes),
            ("queue_waits", "Messages that had to wait for room in the queue", &self.intake.waits),
        ] {
            page.counter(&format!("monitor_backend_{name}"), help, read(count))?;
        }
        let name = "monitor_backend_journal_sync_duration_seconds";
        page.timings(name, "How long it took to make the journal durable", &tally.syncs)?;
        if let Some((waiting, max)) = self.intake.messages() {
            let help = "Messages of collectors that wait for the recorder";
            page.gauge("monitor_backend_queue_messages", help, waiting as f64)?;
            let help = "How many may wait";
            page.gauge("monitor_backend_queue_capacity_messages", help, max as f64)?;
        }
        Ok(())
    }

    fn sources(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let snapshot = self.surface.desk.published.snapshot.load();
        let states = || snapshot.state.sources.values().take(SOURCES_MAX).map(|one| &one.state);
        let up = states().map(|one| (of(&one.name), f64::from(u8::from(one.state == State::Up))));
        page.gauges("monitor_backend_source_up", "1 while the source is observed", up)?;
        let off = states().map(|one| (of(&one.name), f64::from(u8::from(one.state == State::Off))));
        page.gauges("monitor_backend_source_off", "1 where it is not configured", off)?;
        let since = states().map(|one| (of(&one.name), one.since / 1000.0));
        let name = "monitor_backend_source_since_timestamp_seconds";
        page.gauges(name, "When the source came into its present state", since)?;
        let malformed = states().map(|one| ([of(&one.name)], one.malformed));
        let name = "monitor_backend_source_malformed_messages";
        page.counters(name, "Messages that could not be understood", malformed)?;
        let unknown = states()
            .map(|one| ([of(&one.name)], one.unknown().map(|(_, count)| count).sum::<u64>()));
        let name = "monitor_backend_source_unknown_messages";
        page.counters(name, "Messages of sorts that this version does not know", unknown)?;
        let gaps = self.tally().gaps();
        let counts = gaps.iter().map(|(name, gaps)| ([of(name)], gaps.count));
        page.counters("monitor_backend_source_gaps", "Recorded gaps", counts)?;
        let dropped = gaps.iter().map(|(name, gaps)| ([of(name)], gaps.dropped));
        let name = "monitor_backend_source_dropped_records";
        page.counters(name, "Records that were dropped, as far as that is known", dropped)?;
        self.living(page, &snapshot.state)
    }

    fn living(&self, page: &mut Page<'_>, state: &views::State) -> Result<(), Error> {
        let counts = [
            ("objects", state.objects.len()),
            ("open_requests", state.open_traces.len()),
            ("live_queries", state.live_queries.len()),
            ("running_actions", state.running_actions.len()),
            ("probes", state.probes.len()),
        ];
        let rows = counts.into_iter().map(|(what, count)| (("what", what), count as f64));
        page.gauges("monitor_backend_living", "What is alive, by sort", rows)?;
        let ok = state.probes.values().take(SOURCES_MAX).map(|probe| {
            let result = &probe.result;
            (("probe", result.name.as_str()), f64::from(u8::from(result.ok)))
        });
        page.gauges("monitor_backend_probe_ok", "1 where it was answered as expected", ok)
    }

    fn live(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let (surface, meters) = (&self.surface, &self.surface.meters);
        let feeds = surface.desk.limits.feeds - surface.feeds.available_permits();
        page.gauge("monitor_backend_live_feeds", "Open live feeds", feeds as f64)?;
        for (name, help, count) in [
            ("live_batches", "Batches sent on live feeds", &meters.live_batches),
            ("live_resets", "Clients that had to fetch again", &meters.live_resets),
            ("live_sheds", "Times that a client was too slow", &meters.live_sheds),
            ("live_shed_records", "Records not told to slow clients", &meters.live_shed_records),
        ] {
            page.counter(&format!("monitor_backend_{name}"), help, read(count))?;
        }
        Ok(())
    }

    fn http(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let meters = &self.surface.meters;
        let help = "Requests that are being answered";
        page.gauge("monitor_backend_http_requests_in_flight", help, meters.in_flight() as f64)?;
        let names = routes::labels().map(Some).chain([None]);
        let routes: Vec<_> = names.zip(meters.routes()).collect();
        let name_of =
            |label: &Option<(&'static str, &'static str)>| label.unwrap_or(("", NO_ROUTE));
        let rows = routes.iter().flat_map(|(label, meter)| {
            let (method, route) = name_of(label);
            let classes = CLASSES.into_iter().zip(&meter.classes);
            let seen = classes.filter(|(_, count)| read(count) > 0);
            seen.map(move |(class, count)| {
                ([("method", method), ("route", route), ("status", class)], read(count))
            })
        });
        page.counters("monitor_backend_http_requests", "Answered requests", rows)?;
        let gets = routes.iter().filter(|(label, _)| name_of(label).0 == "GET");
        let rows = gets.map(|(label, meter)| (("route", name_of(label).1), &meter.durations));
        let name = "monitor_backend_http_request_duration_seconds";
        let help = "How long it took up to the head of the answer to a GET";
        page.all_timings(name, help, rows)
    }
}

fn of(source: &str) -> (&'static str, &str) {
    ("source", source)
}
