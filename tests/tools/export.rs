//! `journal export`: NDJSON that stands alone.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{Recorded, run, segments, text};

/// What lives after some rows.
fn living(rows: &[Value]) -> BTreeMap<String, Value> {
    let mut living = BTreeMap::new();
    for row in rows {
        let Some(key) = row["key"].as_str() else { continue };
        match row["role"].as_str() {
            Some("state") => drop(living.insert(key.to_owned(), row["event"].clone())),
            Some("end") => drop(living.remove(key)),
            _ => {}
        }
    }
    living
}

#[test]
fn a_part_begins_with_the_state_before_it() {
    let dir = Recorded::filled();
    let all = run(&["journal", "export", text(dir.path())]).ended(0).rows();
    assert!(all.iter().all(|row| row["restated"] == false), "nothing came before the first event");
    for from in [2, 100, 300, 400] {
        let args = ["journal", "export", text(dir.path()), "--from", &from.to_string()];
        let rows = run(&args).ended(0).rows();
        let restated: Vec<Value> =
            rows.iter().filter(|row| row["restated"] == true).cloned().collect();
        assert!(rows[..restated.len()].iter().all(|row| row["restated"] == true));
        assert_eq!(living(&restated), living(&all[..from - 1]), "{from}");
        assert_eq!(rows[restated.len()..], all[from - 1..], "{from}");
    }
}

#[test]
fn one_segment_alone_begins_with_its_keyframe() {
    let dir = Recorded::filled();
    let all = run(&["journal", "export", text(dir.path())]).ended(0).rows();
    let segment = &segments(dir.path())[2];
    let rows = run(&["journal", "export", text(segment)]).ended(0).rows();
    let first = rows.iter().find(|row| row["restated"] == false).expect("it has events");
    let before = first["seq"].as_u64().expect("a number") as usize - 1;
    let restated: Vec<Value> = rows.iter().filter(|row| row["restated"] == true).cloned().collect();
    assert_eq!(living(&restated), living(&all[..before]));
}

#[test]
fn a_file_is_written_once_and_never_over_another() {
    let dir = Recorded::filled();
    let out = dir.path().join("all.ndjson");
    let args = ["journal", "export", text(dir.path()), "--out", text(&out)];
    assert!(run(&args).ended(0).stdout.is_empty());
    let written = std::fs::read_to_string(&out).expect("it was written");
    assert_eq!(written, run(&args[..3]).ended(0).stdout);
    run(&args).ended(2);
}
