//! What was measured: criterion's estimates, and named figures of measurements that are no loops.
//! Both lie in one folder, so that a table can be made of one run.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde::Deserialize;

/// The variable that names the folder; criterion reads the same one.
const HOME_VARIABLE: &str = "CRITERION_HOME";

const FIGURES_NAME: &str = "figures.json";

/// The figures of one run.
#[derive(Debug, Default)]
pub struct Figures {
    home: PathBuf,
    named: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

impl Figures {
    /// What has been measured so far in this run.
    ///
    /// # Errors
    /// The folder is not named, or what is in it cannot be read.
    pub fn load() -> anyhow::Result<Figures> {
        let home = std::env::var_os(HOME_VARIABLE);
        let home = PathBuf::from(home.with_context(|| format!("{HOME_VARIABLE} is not set"))?);
        let named = read(&home.join(FIGURES_NAME))?;
        Ok(Figures { home, named })
    }

    /// Keeps figures beside those that are there already.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn add(&mut self, figures: &[(&str, f64)]) -> anyhow::Result<()> {
        let figures = figures.iter().map(|&(name, value)| (name.to_owned(), value));
        self.named.extend(figures);
        fs::create_dir_all(&self.home)?;
        fs::write(self.home.join(FIGURES_NAME), serde_json::to_vec_pretty(&self.named)?)?;
        Ok(())
    }

    /// A named figure.
    pub fn named(&self, name: &str) -> Option<f64> {
        self.named.get(name).copied()
    }

    /// How long one iteration of a benchmark (`group/function`) took, seconds; the median.
    pub fn seconds(&self, bench: &str) -> Option<f64> {
        let path = self.home.join(bench).join("new").join("estimates.json");
        let estimates: Estimates = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        Some(estimates.median.point_estimate / 1e9)
    }
}

fn read(path: &Path) -> anyhow::Result<BTreeMap<String, f64>> {
    match fs::read(path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)
            .with_context(|| format!("reading {} failed", path.display()))?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error.into()),
    }
}

/// The value below which `share` of the values lie; 0 where there are none.
pub fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let index = (values.len() as f64 * share).ceil() as usize;
    values.get(index.saturating_sub(1)).copied().unwrap_or(0.0)
}
