//! `[cluster]`: which cluster is observed, and which of its kinds.

use std::path::PathBuf;

use serde::Deserialize;

use crate::collect::{Kinds, More};

/// The section.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClusterSection {
    pub enabled: bool,
    pub kubeconfig: Option<PathBuf>,
    /// Kinds that are usually observed and shall not be.
    without: Vec<String>,
    /// Kinds beside the usual ones.
    kinds: Vec<More>,
}

impl Default for ClusterSection {
    fn default() -> ClusterSection {
        ClusterSection { enabled: true, kubeconfig: None, without: Vec::new(), kinds: Vec::new() }
    }
}

impl ClusterSection {
    /// What is wrong with its kinds.
    pub fn fault(&self) -> Option<String> {
        Kinds::new(&self.without, &self.kinds).err()
    }

    /// The kinds that are observed.
    pub fn kinds(&self) -> Kinds {
        Kinds::new(&self.without, &self.kinds).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_left_out_and_added() {
        let section: ClusterSection = toml::from_str(
            "without = [\"ReplicaSet\"]\n[[kinds]]\ngroup = \"cert-manager.io\"\nversion = \"v1\"\n\
             kind = \"Certificate\"\n",
        )
        .expect("it is one");
        assert_eq!(section.fault(), None);
        let kinds = section.kinds();
        let sources: Vec<&str> = kinds.iter().map(|kind| kind.source.as_str()).collect();
        assert!(sources.contains(&"cluster/Certificate.cert-manager.io"), "{sources:?}");
        assert!(!sources.contains(&"cluster/ReplicaSet"), "{sources:?}");
    }

    #[test]
    fn secrets_are_a_fault() {
        let section: ClusterSection =
            toml::from_str("[[kinds]]\nversion = \"v1\"\nkind = \"Secret\"\n").expect("it is one");
        assert_eq!(section.fault().as_deref(), Some("Secrets are never recorded"));
    }
}
