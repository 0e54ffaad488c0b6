//! Pod logs: follows the logs of chosen pods through the cluster API.

/// A selection of pods whose logs are followed; its source is `pod-logs/NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodLogs {
    /// The name of the selection.
    pub name: String,
    /// In which namespace; `None` for all.
    pub namespace: Option<String>,
    /// Which pods, in the form of `kubectl get --selector`; empty for all.
    pub label_selector: String,
    /// Which of their containers; empty for all.
    pub containers: Vec<String>,
    /// Whether the last lines of a container that crashed are read from its last run.
    pub previous: bool,
}
