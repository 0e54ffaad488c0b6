//! Where the tools are that watch others: Prometheus with its `promtool`, and Alertmanager.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The folder that `tests/monitoring/build.sh` names; it brings what is missing.
pub fn assets() -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/monitoring/build.sh");
    let output = Command::new(script).stdin(Stdio::null()).output().expect("bash is there");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the tools could not be had:\n{said}");
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}
