//! Volumes and processes: what they use, measured every minute.
//!
//! Three sources: the kubelets of all nodes, `df` in pods through exec, and the recorder's own
//! volume. What hardly changed is not sent again for a while, so that an idle cluster stays cheap.

mod book;

mod df;

mod df_output;

mod known;

mod kubelet;

mod own;

mod round;

mod summary;

use std::{path::PathBuf, time::Duration};

pub(super) use {df::InPods, kubelet::AllNodes, own::Own};

/// How often is measured; the kubelet itself measures volumes once a minute.
pub const INTERVAL_DEFAULT: Duration = Duration::from_secs(60);

/// A kubelet or a pod that has not answered in this time told nothing in this round.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// What is measured.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whether kubelets are asked.
    pub kubelet: bool,
    /// How often.
    pub interval: Duration,
    /// How long a kubelet or a pod is waited for.
    pub answer_time_max: Duration,
    /// What is measured by `df` in pods.
    pub df: Vec<Df>,
    /// A directory on the recorder's own volume.
    pub own: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            kubelet: true,
            interval: INTERVAL_DEFAULT,
            answer_time_max: ANSWER_TIME_MAX,
            df: Vec::new(),
            own: None,
        }
    }
}

/// A volume that is measured in a pod that mounts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Df {
    /// The pod's namespace.
    pub namespace: String,
    /// Which pod.
    pub pod: WhichPod,
    /// Its container; `None` for the default one.
    pub container: Option<String>,
    /// Where the volume is mounted there.
    pub path: String,
    /// What the volume is called.
    pub claim: String,
}

/// Which pod measures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhichPod {
    /// The one of this name.
    Named(String),
    /// The first running one with these labels.
    Labelled(String),
}
