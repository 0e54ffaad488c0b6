//! `journal stat`: what a journal holds, summed up.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
};

use clap::Args;
use serde::Serialize;

use super::{EXIT_CLEAN, Error, open, output::Output, show, verify};
use crate::journal::{Count, Flags, Reader, Tally};

/// Flags of `journal stat`.
#[derive(Debug, Args)]
pub struct StatArgs {
    /// A directory, a .tar, or one .seg file.
    path: PathBuf,
    /// Prints everything as JSON.
    #[arg(long)]
    json: bool,
}

/// What a journal holds.
#[derive(Debug, Serialize)]
struct Stat {
    journal_id: String,
    epoch: u64,
    first_seq: u64,
    last_seq: u64,
    /// Bytes of recorded data.
    bytes: u64,
    /// The earliest and the latest time of an event, milliseconds since 1970.
    first_time: Option<f64>,
    last_time: Option<f64>,
    /// Recorded bytes for each hour between them.
    bytes_per_hour: Option<f64>,
    /// Events by kind.
    kinds: BTreeMap<String, Sum>,
    /// What lives now, by kind.
    living: BTreeMap<String, Sum>,
    segments: Vec<Segment>,
    clean: bool,
    damaged: u64,
    lost: u64,
}

#[derive(Debug, Default, Serialize)]
struct Sum {
    records: u64,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct Segment {
    name: String,
    first_seq: Option<u64>,
    last_seq: Option<u64>,
    bytes: u64,
    sealed: bool,
    created: f64,
    events: u64,
    keyframe_records: u64,
    keyframe_bytes: u64,
}

/// Prints the sums.
pub fn run(args: &StatArgs) -> Result<u8, Error> {
    let (reader, _) = open::open(&args.path)?;
    let stat = Stat::of(&reader, &verify::report(&args.path, false)?)?;
    let mut output = Output::standard();
    if args.json {
        output.line(&serde_json::to_string_pretty(&stat).expect("plain data is JSON"))?;
    } else {
        stat.print(&mut output)?;
    }
    output.flush()?;
    Ok(EXIT_CLEAN)
}

impl Stat {
    fn of(reader: &Reader, report: &verify::Report) -> Result<Stat, Error> {
        let tallies = reader.tally()?;
        let positions = reader.positions();
        let times = tallies.iter().filter_map(|tally| tally.times_ns);
        let times = times.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        let hours = times.map(|(first, last)| (last.saturating_sub(first)) as f64 / 3.6e12);
        Ok(Stat {
            journal_id: show::hex(&positions.journal_id),
            epoch: positions.epoch,
            first_seq: positions.first_seq,
            last_seq: positions.last_seq,
            bytes: positions.bytes,
            first_time: times.map(|(first, _)| crate::event::millis(first)),
            last_time: times.map(|(_, last)| crate::event::millis(last)),
            bytes_per_hour: hours.filter(|h| *h > 0.0).map(|h| positions.bytes as f64 / h),
            kinds: kinds(&tallies),
            living: living(reader)?,
            segments: tallies.iter().map(Segment::of).collect(),
            clean: report.clean,
            damaged: report.damaged.len() as u64,
            lost: report.lost.iter().fold(0, |sum, lost| {
                (lost.last_seq - lost.first_seq).saturating_add(1).saturating_add(sum)
            }),
        })
    }

    fn print(&self, output: &mut Output) -> Result<(), Error> {
        let mut line = |text: String| output.line(&text);
        line(format!("journal   {}, epoch {}", self.journal_id, self.epoch))?;
        line(format!("events    {} to {}", self.first_seq, self.last_seq))?;
        if let (Some(first), Some(last)) = (self.first_time, self.last_time) {
            line(format!("times     {} to {}", show::time_of(first), show::time_of(last)))?;
        }
        let rate = self.bytes_per_hour.map_or(String::new(), |rate| format!(", {rate:.0} an hour"));
        line(format!("bytes     {} in {} segments{rate}", self.bytes, self.segments.len()))?;
        let soundness = match self.clean {
            true => "clean".to_owned(),
            false => format!(
                "DAMAGED: {} places, {} events lost; `journal verify` lists them",
                self.damaged, self.lost
            ),
        };
        line(format!("soundness {soundness}"))?;
        for (title, sums) in [("kind", &self.kinds), ("living", &self.living)] {
            line(format!("\n{title:<20} {:>12} {:>14}", "records", "bytes"))?;
            for (kind, sum) in sums {
                line(format!("{kind:<20} {:>12} {:>14}", sum.records, sum.bytes))?;
            }
        }
        let (first, keyframe) = ("first", "keyframe");
        line(format!(
            "\n{:<52} {first:>12} {:>10} {:>12} {keyframe:>12}",
            "segment", "events", "bytes"
        ))?;
        for segment in &self.segments {
            let first = segment.first_seq.map_or("-".to_owned(), |seq| seq.to_string());
            let Segment { name, events, bytes, keyframe_bytes, .. } = segment;
            let open = if segment.sealed { "" } else { " not sealed" };
            line(format!(
                "{name:<52} {first:>12} {events:>10} {bytes:>12} {keyframe_bytes:>12}{open}"
            ))?;
        }
        Ok(())
    }
}

impl Segment {
    fn of(tally: &Tally) -> Segment {
        let info = &tally.info;
        Segment {
            name: info.name.clone(),
            first_seq: info.first_seq,
            last_seq: info.last_seq,
            bytes: info.bytes,
            sealed: info.sealed,
            created: crate::event::millis(info.created_ns),
            events: tally.kinds.values().map(|count| count.records).sum(),
            keyframe_records: tally.keyframe.records,
            keyframe_bytes: tally.keyframe.bytes,
        }
    }
}

fn kinds(tallies: &[Tally]) -> BTreeMap<String, Sum> {
    let mut kinds: BTreeMap<String, Sum> = BTreeMap::new();
    for (&kind, &Count { records, bytes }) in tallies.iter().flat_map(|tally| &tally.kinds) {
        let sum = kinds.entry(show::kind(kind)).or_default();
        sum.records += records;
        sum.bytes += bytes;
    }
    kinds
}

/// What lives at the end; payload bytes alone.
fn living(reader: &Reader) -> Result<BTreeMap<String, Sum>, Error> {
    let mut living = HashMap::new();
    reader.replay(None, &mut |record, _| {
        if record.flags.has(Flags::END) {
            living.remove(&record.key);
        } else if record.flags.has(Flags::STATE) {
            living.insert(record.key, (record.kind, record.payload.len() as u64));
        }
    })?;
    let mut kinds: BTreeMap<String, Sum> = BTreeMap::new();
    for (kind, bytes) in living.into_values() {
        let sum = kinds.entry(show::kind(kind)).or_default();
        sum.records += 1;
        sum.bytes += bytes;
    }
    Ok(kinds)
}
