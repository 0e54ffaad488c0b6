//! `[volumes]`: how often volumes are measured, whether kubelets are asked, and what is measured by
//! `df` in pods.

use std::{ops::RangeInclusive, path::Path, time::Duration};

use serde::Deserialize;

use crate::collect::volumes::{Config, Df, INTERVAL_DEFAULT, WhichPod};

/// How often volumes may be measured, seconds: not to be a load, and at least once an hour.
const INTERVAL_RANGE: RangeInclusive<u64> = 10..=3600;

/// Each is a command in a pod, every interval.
const DF_MAX: usize = 50;

/// The section.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VolumesSection {
    kubelet: Option<bool>,
    interval_seconds: Option<u64>,
    df: Vec<DfSection>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DfSection {
    namespace: String,
    pod: Option<String>,
    label_selector: Option<String>,
    container: Option<String>,
    path: String,
    claim: String,
}

impl VolumesSection {
    /// What is wrong in it.
    pub fn fault(&self) -> Option<String> {
        if self.interval_seconds.is_some_and(|given| !INTERVAL_RANGE.contains(&given)) {
            let (start, end) = (INTERVAL_RANGE.start(), INTERVAL_RANGE.end());
            return Some(format!("interval_seconds must lie between {start} and {end}"));
        }
        if self.df.len() > DF_MAX {
            return Some(format!("there are more than {DF_MAX} [[volumes.df]]"));
        }
        self.df.iter().find_map(DfSection::fault).or_else(|| self.same_claim())
    }

    fn same_claim(&self) -> Option<String> {
        let name = |df: &DfSection| (df.namespace.clone(), df.claim.clone());
        let mut names: Vec<_> = self.df.iter().map(name).collect();
        names.sort();
        let twice = names.windows(2).find(|pair| pair[0] == pair[1])?;
        let (namespace, claim) = &twice[0];
        Some(format!("two [[volumes.df]] measure the claim {claim:?} of {namespace:?}"))
    }

    /// What is measured; `data_dir` lies on the recorder's own volume.
    pub fn config(self, data_dir: &Path) -> Config {
        Config {
            kubelet: self.kubelet.unwrap_or(true),
            interval: self.interval_seconds.map_or(INTERVAL_DEFAULT, Duration::from_secs),
            df: self.df.into_iter().filter_map(DfSection::df).collect(),
            own: Some(data_dir.to_owned()),
            ..Config::default()
        }
    }
}

impl DfSection {
    fn fault(&self) -> Option<String> {
        let DfSection { namespace, claim, path, .. } = self;
        let named = format!("[[volumes.df]] of the claim {claim:?}");
        if namespace.is_empty() || claim.is_empty() {
            return Some(format!("{named} needs a namespace and a claim"));
        }
        if !path.starts_with('/') {
            return Some(format!("{named} needs an absolute path, not {path:?}"));
        }
        let given = [&self.pod, &self.label_selector];
        let given = given.into_iter().flatten().filter(|text| !text.is_empty()).count();
        (given != 1).then(|| format!("{named} needs either pod or label_selector"))
    }

    fn df(self) -> Option<Df> {
        let pod = match (self.pod, self.label_selector) {
            (Some(name), _) => WhichPod::Named(name),
            (None, Some(selector)) => WhichPod::Labelled(selector),
            (None, None) => return None,
        };
        let DfSection { namespace, container, path, claim, .. } = self;
        Some(Df { namespace, pod, container, path, claim })
    }
}
