//! What the processes of a test say on standard error: kept in a file, shown when the test fails.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
};

/// As much as helps to see why.
const LINES_SHOWN: usize = 60;

/// The log of all processes of a test.
pub struct Log {
    path: PathBuf,
}

impl Log {
    /// An empty log in a folder.
    pub fn new(folder: &Path) -> Log {
        let path = folder.join("log");
        File::create(&path).expect("the folder is writable");
        Log { path }
    }

    /// Where a process shall write.
    pub fn stderr(&self) -> Stdio {
        File::options().append(true).open(&self.path).expect("it was created").into()
    }

    /// Everything that was said.
    pub fn text(&self) -> String {
        let bytes = std::fs::read(&self.path).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// No process has met a fault of the program.
    pub fn holds_no_panic(&self) {
        let text = self.text();
        let panic = text.lines().position(|line| line.contains("panicked at"));
        assert!(panic.is_none(), "the program has panicked, see its log");
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let text = self.text();
            let lines: Vec<&str> = text.lines().collect();
            let shown = &lines[lines.len().saturating_sub(LINES_SHOWN)..];
            eprintln!("the last {} lines of the log:\n{}", shown.len(), shown.join("\n"));
        }
    }
}
