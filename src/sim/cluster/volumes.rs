//! The simulated volumes: how full each claim is, as time goes by.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use crate::{event::Millis, sim::rng::fnv1a};

/// Every claim holds so much.
const CAPACITY_BYTES: u64 = 10 << 30;

const CAPACITY: &str = "10Gi";

/// Inodes of a file system of that size.
const INODES: u64 = 655_360;

/// A file takes about so much, which tells how many inodes are used.
const FILE_BYTES: u64 = 32 << 10;

/// By itself a volume fills as slowly as this, bytes a second.
const GROWTH: f64 = 2048.0;

/// Namespace and claim.
type Name = (String, String);

/// How full the volumes are. What nobody has filled is as full as its name decides.
#[derive(Debug, Default)]
pub(super) struct Volumes {
    fills: BTreeMap<Name, Fill>,
}

/// A volume that is filled, or emptied, evenly.
#[derive(Debug, Clone, Copy)]
struct Fill {
    from: f64,
    to: f64,
    start: Millis,
    end: Millis,
}

/// A volume at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measure {
    pub(super) used: u64,
    pub(super) capacity: u64,
    pub(super) inodes_used: u64,
    pub(super) inodes: u64,
}

impl Volumes {
    /// Lets a claim become so full, a share of 1, from now on over a time.
    pub(super) fn fill(&mut self, name: Name, to: f64, over: Duration, now: Millis) {
        let from = self.measure(&name, now).ratio();
        let end = now + over.as_secs_f64() * 1000.0;
        self.fills.insert(name, Fill { from, to: to.clamp(0.0, 1.0), start: now, end });
    }

    pub(super) fn measure(&self, name: &Name, now: Millis) -> Measure {
        let (ratio, since) = match self.fills.get(name) {
            Some(fill) if now < fill.end => {
                let done = (now - fill.start) / (fill.end - fill.start);
                (fill.from + (fill.to - fill.from) * done.max(0.0), now)
            }
            Some(fill) => (fill.to, fill.end),
            // Between a fifth and three fifths, growing within the day.
            None => {
                let percent = 20 + fnv1a(&[&name.0, &name.1]) % 40;
                (percent as f64 / 100.0, now - now % 86_400_000.0)
            }
        };
        let grown = GROWTH * (now - since).max(0.0) / 1000.0;
        let used = (ratio * CAPACITY_BYTES as f64 + grown) as u64;
        let used = used.min(CAPACITY_BYTES);
        let inodes_used = (used / FILE_BYTES).min(INODES);
        Measure { used, capacity: CAPACITY_BYTES, inodes_used, inodes: INODES }
    }
}

impl Measure {
    fn ratio(self) -> f64 {
        self.used as f64 / self.capacity as f64
    }

    pub(super) fn available(self) -> u64 {
        self.capacity - self.used
    }
}

/// A claim that is bound.
pub(super) fn claim(namespace: &str, name: &str) -> Value {
    json!({
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": "local-path",
            "volumeName": volume_name(namespace, name), "volumeMode": "Filesystem",
            "resources": {"requests": {"storage": CAPACITY}},
        },
        "status": {
            "phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": CAPACITY},
        },
    })
}

/// The volume that a claim is bound to.
pub(super) fn volume(namespace: &str, claim: &str) -> Value {
    json!({
        "metadata": {"name": volume_name(namespace, claim)},
        "spec": {
            "accessModes": ["ReadWriteOnce"], "capacity": {"storage": CAPACITY},
            "claimRef": {
                "apiVersion": "v1", "kind": "PersistentVolumeClaim",
                "namespace": namespace, "name": claim,
            },
            "hostPath": {"path": format!("/opt/local-path/{namespace}_{claim}")},
            "persistentVolumeReclaimPolicy": "Delete", "storageClassName": "local-path",
        },
        "status": {"phase": "Bound"},
    })
}

fn volume_name(namespace: &str, claim: &str) -> String {
    format!("pvc-{:016x}", fnv1a(&[namespace, claim]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_filled_evenly_and_stays_full() {
        let mut volumes = Volumes::default();
        let name = ("a".to_owned(), "data".to_owned());
        let before = volumes.measure(&name, 0.0).ratio();
        assert!((0.2..0.6).contains(&before), "{before}");
        volumes.fill(name.clone(), 0.9, Duration::from_secs(10), 0.0);
        let half = volumes.measure(&name, 5_000.0).ratio();
        assert!((half - (before + 0.9) / 2.0).abs() < 1e-6, "{half}");
        let full = volumes.measure(&name, 11_000.0);
        assert!((full.ratio() - 0.9).abs() < 1e-4, "{full:?}");
        assert_eq!(full.used + full.available(), full.capacity);
    }
}
