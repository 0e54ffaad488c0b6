//! The tools beside a recorder that records: the demo, which is the real recorder with real
//! collectors in front of a simulated cluster.

use std::fs;

use serde_json::Value;

use crate::{
    process::{Process, command},
    support::{run, text},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_running_recorder_is_read_followed_and_pulled_from() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let (data, backup) = (parent.path().join("data"), parent.path().join("backup"));
    let args = ["demo", "--listen", "127.0.0.1:0", "--data-dir", text(&data)];
    let demo = Process::start(command(&args));

    let key_file = data.join("admin-key");
    let pull = || {
        let args = ["pull", demo.address(), text(&backup), "--key-file", text(&key_file)];
        run(&args).ended(0)
    };
    let seqs = |rows: &[Value]| -> Vec<u64> {
        rows.iter().map(|row| row["seq"].as_u64().expect("a number")).collect()
    };
    let fixed = ["--output", "ndjson", "--after", "0"];
    let follow = ["--follow", "--limit", "100"];
    let args = [&["journal", "cat", text(&data)], &fixed[..], &follow].concat();
    let followed = run(&args).ended(0).rows();
    assert_eq!(seqs(&followed), (1..=100).collect::<Vec<u64>>(), "each event once, in order");
    pull();
    for _ in 0..3 {
        run(&["journal", "verify", text(&data), "--deep"]).ended(0);
        run(&["journal", "stat", text(&data)]).ended(0);
        pull();
    }
    assert_eq!(demo.terminate(), Some(0));

    let export = |dir| run(&["journal", "export", text(dir)]).ended(0).rows();
    let (recorded, pulled) = (export(&data), export(&backup));
    assert!(pulled.len() >= 100 && pulled.len() <= recorded.len());
    assert_eq!(pulled, recorded[..pulled.len()]);
    assert_eq!(followed, recorded[..100]);
    assert!(fs::read_dir(&backup).expect("it is there").all(|entry| {
        let name = entry.expect("it can be listed").file_name();
        !name.to_string_lossy().ends_with(".part")
    }));
}
