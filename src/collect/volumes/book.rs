//! What was told of each volume and process, so that what hardly changed is not told again, and what
//! is gone is ended.

use std::collections::BTreeMap;

use crate::event::{Event, Millis, ProcessUsage, VolumeUsage};

/// What does not change is told again after this time.
const REPEAT: Millis = 10.0 * 60_000.0;

/// The same for pods, which are many.
const POD_REPEAT: Millis = 30.0 * 60_000.0;

/// A volume is told again when what it uses changes by this part of what it holds.
const VOLUME_PART: u64 = 1000;

/// Memory is told again when it changes by this part of itself, and by so many bytes.
const MEMORY_PART: u64 = 5;
const MEMORY_BYTES: u64 = 16 << 20;

/// Processors are told again when they change by this part of themselves, and by so many.
const CPU_PART: f64 = 0.5;
const CPU_CORES: f64 = 0.1;

/// Namespace and claim.
pub(super) type Claim = (String, String);

/// What one source has told.
#[derive(Debug)]
pub(super) struct Book {
    source: &'static str,
    volumes: BTreeMap<Claim, Told<VolumeUsage>>,
    processes: BTreeMap<String, Told<ProcessUsage>>,
}

#[derive(Debug)]
struct Told<T> {
    usage: T,
    /// The node that it was last found on; empty for not known.
    node: String,
    /// It was told in this generation, or is known to be recorded.
    is_recorded: bool,
}

impl Book {
    /// A book that goes on from what is recorded.
    pub(super) fn new(source: &'static str, recorded: &[Event]) -> Book {
        let mut book = Book { source, volumes: BTreeMap::new(), processes: BTreeMap::new() };
        for event in recorded {
            match event {
                Event::VolumeUsage(usage) if usage.source == source => {
                    let told =
                        Told { node: usage.node.clone(), usage: usage.clone(), is_recorded: true };
                    book.volumes.insert(claim_of(usage), told);
                }
                Event::ProcessUsage(usage) if usage.source == source => {
                    let told =
                        Told { node: String::new(), usage: usage.clone(), is_recorded: true };
                    book.processes.insert(usage.name.clone(), told);
                }
                _ => {}
            }
        }
        book
    }

    /// Everything is to be told again: records may be lost. What is gone is ended all the same.
    pub(super) fn start_over(&mut self) {
        self.volumes.values_mut().for_each(|told| told.is_recorded = false);
        self.processes.values_mut().for_each(|told| told.is_recorded = false);
    }

    /// The event of a volume, if it is worth one.
    pub(super) fn volume(&mut self, mut usage: VolumeUsage) -> Option<Event> {
        usage.source = self.source.into();
        let claim = claim_of(&usage);
        let told = self.volumes.get(&claim).filter(|told| told.is_recorded);
        if told.is_some_and(|told| !volume_differs(&told.usage, &usage)) {
            return None;
        }
        let (node, event) = (usage.node.clone(), Event::VolumeUsage(usage.clone()));
        self.volumes.insert(claim, Told { usage, node, is_recorded: true });
        Some(event)
    }

    /// The event of a process, if it is worth one.
    pub(super) fn process(&mut self, node: &str, mut usage: ProcessUsage) -> Option<Event> {
        usage.source = self.source.into();
        if let Some(told) = self.processes.get_mut(&usage.name)
            && told.is_recorded
            && !process_differs(&told.usage, &usage)
        {
            node.clone_into(&mut told.node);
            return None;
        }
        let event = Event::ProcessUsage(usage.clone());
        let told = Told { node: node.into(), is_recorded: true, usage };
        self.processes.insert(told.usage.name.clone(), told);
        Some(event)
    }

    /// The volumes that were told and are not ended.
    pub(super) fn claims(&self) -> impl Iterator<Item = &Claim> {
        self.volumes.keys()
    }

    /// Ends volumes.
    pub(super) fn end_volumes(&mut self, is_gone: impl Fn(&Claim) -> bool) -> Vec<Event> {
        let gone = self.volumes.extract_if(.., |claim, _| is_gone(claim));
        gone.map(|(_, told)| Event::VolumeUsage(VolumeUsage { gone: true, ..told.usage })).collect()
    }

    /// Ends processes, by their names and the nodes that they were last found on.
    pub(super) fn end_processes(&mut self, is_gone: impl Fn(&str, &str) -> bool) -> Vec<Event> {
        let gone = self.processes.extract_if(.., |name, told| is_gone(name, &told.node));
        gone.map(|(_, told)| Event::ProcessUsage(ProcessUsage { gone: true, ..told.usage }))
            .collect()
    }
}

fn claim_of(usage: &VolumeUsage) -> Claim {
    (usage.namespace.clone(), usage.claim.clone())
}

fn volume_differs(told: &VolumeUsage, now: &VolumeUsage) -> bool {
    let part = |whole: u64| (whole / VOLUME_PART).max(1);
    let bytes = part(now.capacity_bytes);
    (now.observed - told.observed).abs() >= REPEAT
        || (&told.pod, &told.node, &told.path) != (&now.pod, &now.node, &now.path)
        || (told.capacity_bytes, told.inodes) != (now.capacity_bytes, now.inodes)
        || told.used_bytes.abs_diff(now.used_bytes) >= bytes
        || told.available_bytes.abs_diff(now.available_bytes) >= bytes
        || told.inodes_used.abs_diff(now.inodes_used) >= part(now.inodes)
}

fn process_differs(told: &ProcessUsage, now: &ProcessUsage) -> bool {
    let repeat = if now.name.starts_with("pod/") { POD_REPEAT } else { REPEAT };
    let cores = match (told.cpu_cores, now.cpu_cores) {
        (Some(told), Some(now)) => (told - now).abs() >= (told * CPU_PART).max(CPU_CORES),
        (told, now) => told.is_some() != now.is_some(),
    };
    let memory = match (told.memory_bytes, now.memory_bytes) {
        (Some(told), Some(now)) => told.abs_diff(now) >= (told / MEMORY_PART).max(MEMORY_BYTES),
        (told, now) => told.is_some() != now.is_some(),
    };
    cores || memory || (now.observed - told.observed).abs() >= repeat || told.body != now.body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Extensions;

    const SOURCE: &str = "volumes/kubelet";

    fn volume(used_bytes: u64, observed: Millis) -> VolumeUsage {
        VolumeUsage {
            source: SOURCE.into(),
            namespace: "a".into(),
            claim: "data".into(),
            pod: "db-0".into(),
            node: "node-1".into(),
            path: None,
            used_bytes,
            capacity_bytes: 1_000_000,
            available_bytes: 1_000_000 - used_bytes,
            inodes_used: 10,
            inodes: 100_000,
            observed,
            gone: false,
            ext: Extensions::default(),
        }
    }

    fn process(memory: u64, observed: Millis) -> ProcessUsage {
        ProcessUsage {
            source: SOURCE.into(),
            name: "pod/a/db-0".into(),
            cpu_cores: Some(0.2),
            memory_bytes: Some(memory),
            body: String::new(),
            observed,
            gone: false,
            ext: Extensions::default(),
        }
    }

    #[test]
    fn a_volume_is_told_when_it_changes_by_a_thousandth_or_after_ten_minutes() {
        let mut book = Book::new(SOURCE, &[]);
        assert!(book.volume(volume(500_000, 0.0)).is_some());
        assert!(book.volume(volume(500_999, 60_000.0)).is_none(), "less than a thousandth");
        assert!(book.volume(volume(501_000, 120_000.0)).is_some());
        assert!(book.volume(volume(501_000, 719_999.0)).is_none());
        assert!(book.volume(volume(501_000, 720_000.0)).is_some());
    }

    #[test]
    fn small_steps_add_up() {
        let mut book = Book::new(SOURCE, &[]);
        book.volume(volume(0, 0.0));
        let told = (1..=10).filter(|step| book.volume(volume(step * 500, 1.0)).is_some());
        assert_eq!(told.count(), 5);
    }

    #[test]
    fn what_is_recorded_is_not_told_again_until_records_may_be_lost() {
        let recorded = [Event::VolumeUsage(volume(1, 0.0)), Event::ProcessUsage(process(1, 0.0))];
        let mut book = Book::new(SOURCE, &recorded);
        assert!(book.volume(volume(1, 1.0)).is_none());
        assert!(book.process("node-1", process(1, 1.0)).is_none());
        book.start_over();
        assert!(book.volume(volume(1, 1.0)).is_some());
        assert!(book.process("node-1", process(1, 1.0)).is_some());
        assert_eq!(Book::new("volumes/df", &recorded).claims().count(), 0, "of another source");
    }

    #[test]
    fn an_end_repeats_the_last_numbers_and_comes_once() {
        let mut book = Book::new(SOURCE, &[Event::VolumeUsage(volume(7, 1.0))]);
        let ends = book.end_volumes(|_| true);
        assert_eq!(ends, [Event::VolumeUsage(VolumeUsage { gone: true, ..volume(7, 1.0) })]);
        assert!(book.end_volumes(|_| true).is_empty());
    }

    #[test]
    fn a_pod_is_told_when_its_memory_leaps() {
        let mut book = Book::new(SOURCE, &[]);
        let mib = |count: u64| count << 20;
        book.process("n", process(mib(200), 0.0));
        assert!(book.process("n", process(mib(230), 60_000.0)).is_none(), "less than a fifth");
        assert!(book.process("n", process(mib(240), 60_000.0)).is_some());
        assert!(book.process("n", process(mib(240), 60_000.0 + POD_REPEAT)).is_some());
        assert_eq!(book.end_processes(|_, node| node == "n").len(), 1);
    }

    /// The header of a record.
    const HEADER_BYTES: usize = 40;

    /// What an hour of a cluster takes in the journal, with a round a minute: 1,000 pods of 20 nodes
    /// whose numbers waver, and 100 claims to which little is written.
    fn bytes_an_hour() -> usize {
        let mut book = Book::new(SOURCE, &[]);
        let (mut bytes, mut out) = (0, Vec::new());
        for round in 0..120_u64 {
            let now = round as f64 * 60_000.0;
            let waver = |one: u64| (one * 7919 + round * 104_729) % 100;
            let pods = (0..1000_u64).map(|pod| ProcessUsage {
                name: format!("pod/default/app-server-7c9f8d6b5-{pod:05}"),
                cpu_cores: Some(0.05 + waver(pod) as f64 / 5000.0),
                ..process((200 << 20) + (waver(pod) << 16), now)
            });
            let nodes = (0..20_u64).map(|node| ProcessUsage {
                name: format!("node/node-{node}"),
                cpu_cores: Some(2.5 + waver(node) as f64 / 500.0),
                ..process((10 << 30) + (waver(node) << 20), now)
            });
            let processes: Vec<_> = pods.chain(nodes).collect();
            let told = processes.into_iter().filter_map(|one| book.process("node-1", one));
            let mut told: Vec<Event> = told.collect();
            told.extend((0..100).filter_map(|claim| {
                let claim = format!("data-postgres-{claim}");
                let usage = volume(500_000 + round * 10, now);
                book.volume(VolumeUsage { claim, ..usage })
            }));
            // The first hour tells everything for the first time.
            for event in told.iter().filter(|_| round >= 60) {
                out.clear();
                event.encode_to(&mut out);
                bytes += HEADER_BYTES + out.len();
            }
        }
        bytes
    }

    #[test]
    fn an_hour_of_an_idle_cluster_takes_less_than_a_mebibyte() {
        let bytes = bytes_an_hour();
        println!("{bytes} bytes an hour");
        assert!(bytes < 1 << 20, "{bytes}");
    }
}
