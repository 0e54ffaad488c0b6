//! What the fuzz targets have found worth keeping, run as an ordinary test: `make fuzz` for the
//! rest. Every file is read in each of the ways in which arbitrary bytes reach the program.

#[path = "fuzz/src/files.rs"]
mod files;

#[path = "fuzz/src/targets.rs"]
mod targets;

use std::{fs, path::Path};

/// Runs a target on every file of its corpus.
fn replay(name: &str, target: fn(&[u8])) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
    let mut count = 0;
    for entry in fs::read_dir(&dir).expect("the corpus is there") {
        let path = entry.expect("the corpus can be listed").path();
        println!("{}", path.display());
        target(&fs::read(&path).expect("the corpus can be read"));
        count += 1;
    }
    assert!(count > 0, "{} is empty", dir.display());
}

#[test]
fn any_directory_of_segments_is_read() {
    replay("journal", targets::journal);
}

#[test]
fn any_directory_of_segments_is_recovered() {
    replay("recovery", targets::recovery);
}

#[test]
fn any_archive_is_read() {
    replay("backup", targets::backup);
}

#[test]
fn any_payload_is_decoded() {
    replay("event", targets::event);
}
