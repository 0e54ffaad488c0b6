//! `journal cat`: filters, forms, and following a directory that grows.

use std::{
    io::{BufRead, BufReader, Read, Write},
    ops::ControlFlow,
    process::{Child, ChildStdout, Command, Stdio},
};

use monitor_backend::{
    event::Level,
    journal::{Flags, Follower, WipeNote},
};

use crate::{
    process::{command, output},
    support::{Raw, Recorded, flip, log, pod, round_of_events, run, segments, text},
};

fn count(dir: &str, filter: &[&str]) -> usize {
    let fixed = ["journal", "cat", dir, "--output", "ndjson"];
    run(&[&fixed, filter].concat()).ended(0).rows().len()
}

#[test]
fn filters_choose_what_is_printed() {
    let dir = Recorded::filled();
    let dir = text(dir.path());
    let all = count(dir, &[]);
    assert_eq!(all, 40 * 13 + 8);
    assert_eq!(count(dir, &["--kind", "log_line"]), 440);
    assert_eq!(count(dir, &["--kind", "log_line,source_state"]), 480);
    assert_eq!(count(dir, &["--kind", "0x0150"]), 40);
    assert_eq!(count(dir, &["--level", "warn"]), 40);
    assert_eq!(count(dir, &["--q", "ROUND 7 LINE"]), 10);
    assert_eq!(count(dir, &["--uid", "uid-3"]), 7);
    assert_eq!(count(dir, &["--after", "10", "--before", "15"]), 4);
    assert_eq!(count(dir, &["--from", "10", "--to", "15"]), 6);
    // Event 1 was learned at 22:13:20.
    let (from, to) = ("2023-11-14T22:13:29Z", "2023-11-14T22:13:31.5Z");
    let rows = run(&["journal", "cat", dir, "--output", "ndjson", "--from", from, "--to", to]);
    let numbers: Vec<_> = rows.ended(0).rows().iter().map(|row| row["seq"].as_u64()).collect();
    assert_eq!(numbers, [Some(10), Some(11), Some(12)]);
    assert_eq!(count(dir, &["--to", "1999-01-01T00:00:00Z"]), 0);
    assert_eq!(count(dir, &["--from", "1999-01-01T00:00:00Z", "--limit", "3"]), 3);
    assert_eq!(count(dir, &["--last", "0"]), 0);
    assert_eq!(count(dir, &["--last", "10000"]), all);
    let last = run(&["journal", "cat", dir, "--kind", "source_state", "--last", "2"]).ended(0);
    assert_eq!(last.stdout.lines().count(), 2, "{}", last.stdout);
    assert_eq!(count(dir, &["--q", "round 39 line", "--last", "3"]), 3);
    let huge = u64::MAX.to_string();
    for flag in ["--after", "--from"] {
        assert_eq!(count(dir, &[flag, &huge]), 0, "{flag}");
    }
    for flag in ["--before", "--to", "--last"] {
        assert_eq!(count(dir, &[flag, &huge]), all, "{flag}");
    }
    assert_eq!(count(dir, &["--before", "0"]) + count(dir, &["--to", "0"]), 0);
    run(&["journal", "cat", dir, "--kind", "nonsense"]).ended(64);
    run(&["journal", "cat", dir, "--from", "yesterday"]).ended(64);
}

#[test]
fn a_row_has_the_words_of_the_http_surface() {
    let mut recorded = Recorded::start();
    recorded.append(&[pod(1, "hello"), log(Level::Warn, "two\nlines")]);
    recorded.append_raw(&[Raw {
        kind: 0x0ff0,
        class: 0,
        flags: Flags::STATE,
        key: 0x1234,
        payload: vec![1, 0xab],
    }]);
    let dir = recorded.close();
    let rows = run(&["journal", "cat", text(dir.path()), "--output", "ndjson"]).ended(0).rows();
    let [pod, log, unknown] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!((&pod["seq"], &pod["kind"]), (&1.into(), &"object_observed".into()));
    assert_eq!(pod["role"], "state");
    assert_eq!(pod["event"]["uid"], "uid-1");
    assert_eq!(pod["event"]["body"]["metadata"]["annotations"]["note"], "hello");
    assert_eq!(log["event"]["level"], "WARN");
    assert_eq!(log["learned"], 1_700_000_001_000.0);
    assert_eq!(log["event"]["message"], "two\nlines");
    assert_eq!((&unknown["kind"], &unknown["payload"]), (&"0x0ff0".into(), &"01ab".into()));
    assert_eq!(unknown["key"], "0000000000001234");
    let lines = run(&["journal", "cat", text(dir.path())]).ended(0).stdout;
    assert_eq!(lines.lines().count(), 3, "a line break in a message is no line: {lines}");
    assert!(lines.contains("WARN app-server main: two\\nlines"), "{lines}");
    assert!(lines.contains("Pod default/pod-1 Running"), "{lines}");
}

#[test]
fn a_reader_that_hangs_up_ends_it_quietly() {
    let mut recorded = Recorded::start();
    for round in 0..100 {
        recorded.append(&round_of_events(round));
    }
    let dir = recorded.close();
    let mut child = command(&["journal", "cat", text(dir.path())])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdout = child.stdout.take().expect("it is piped");
    stdout.read_exact(&mut [0; 10]).expect("it prints");
    drop(stdout);
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(0));
    assert!(ended.stderr.is_empty(), "{}", String::from_utf8_lossy(&ended.stderr));
}

/// A running `cat --follow`; killed when dropped.
struct Following {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Following {
    fn start(args: &[&str]) -> Following {
        let mut command: Command = command(&[&["journal", "cat", "--follow"], args].concat());
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Following { child, lines }
    }

    fn expect(&mut self, wanted: &str) {
        let line = self.lines.next().expect("it goes on").expect("it prints text");
        assert!(line.contains(wanted), "{line} instead of {wanted}");
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_live_directory_is_followed_over_rotations_and_a_wipe() {
    let mut recorded = Recorded::start();
    recorded.append(&[log(Level::Info, "before")]);
    let dir = recorded.path().to_owned();
    let filter = ["--kind", "log_line", "--q", "line", "--after", "0"];
    let mut following = Following::start(&[&[text(&dir)], &filter[..]].concat());
    let mut started = Following::start(&[text(&dir)]);
    started.expect("before");
    for round in 0..30 {
        recorded.append(&round_of_events(round));
        for line in 0..10 {
            following.expect(&format!("round {round} line {line}"));
        }
    }
    let note = WipeNote { actor: "test".into(), reason: "test".into(), time_ns: 1 };
    recorded.writer.wipe(&note, &[]).expect("it is wiped");
    recorded.append(&[log(Level::Info, "a line after the wipe")]);
    following.expect("a line after the wipe");
    let limited = output(&["journal", "cat", text(&dir), "--follow", "--limit", "1"]);
    assert_eq!(limited.status.code(), Some(0), "enough is enough");
}

#[test]
fn what_is_half_written_is_printed_once_it_is_whole() {
    let mut recorded = Recorded::start();
    recorded.append(&[log(Level::Info, "whole")]);
    let source = segments(recorded.path()).remove(0);
    let (writer_end, dir) = {
        recorded.append(&[log(Level::Info, "torn in two"), log(Level::Info, "behind")]);
        (std::fs::read(&source).expect("it can be read"), recorded.close())
    };
    let at = |needle: &str| {
        let found = writer_end.windows(needle.len()).position(|w| w == needle.as_bytes());
        found.expect("it stands there")
    };
    let copy = tempfile::tempdir().expect("a temporary folder");
    let path = copy.path().join(source.file_name().expect("a name"));
    let mut bytes = writer_end.clone();
    let (half, rest) = (at("torn in two") + 4, at("behind") + 20);
    bytes[half..rest].fill(0);
    std::fs::write(&path, &bytes).expect("it can be written");
    let mut following = Following::start(&[text(copy.path())]);
    following.expect("whole");
    let mut file = std::fs::File::options().write(true).open(&path).expect("it opens");
    file.write_all(&writer_end).expect("it can be written");
    following.expect("torn in two");
    following.expect("behind");
    drop(dir);
}

#[test]
fn what_was_retired_or_damaged_before_it_could_be_followed_is_told() {
    let dir = Recorded::filled();
    let files = segments(dir.path());
    let mut follower = Follower::new(dir.path(), 0);
    let mut seen = Vec::new();
    // The first event is enough to hold a place in the first segment.
    let mut look = |follower: &mut Follower, limit: usize| {
        let looked = follower.look(&mut |record| {
            seen.push(record.seq);
            if seen.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        (looked.expect("it can be read"), seen.clone())
    };
    look(&mut follower, 1);
    std::fs::remove_file(&files[1]).expect("it can be removed");
    flip(&files[2], "line 5");
    let (looked, seen) = look(&mut follower, usize::MAX);
    let (first, last) = looked.missed.expect("a segment was gone");
    assert_eq!(looked.damaged, 1);
    assert!(seen.contains(&(first - 1)) && seen.contains(&(last + 1)));
    assert!(!seen.contains(&first) && !seen.contains(&last));
    assert_eq!(seen.len() as u64, 528 - (last - first + 1) - 1);
    assert!(seen.is_sorted_by(|a, b| a < b), "each once, in order");
    let said = run(&["journal", "cat", text(dir.path())]).ended(0).stderr;
    assert!(said.contains("damaged places"), "{said}");
}

#[test]
fn only_a_directory_is_followed() {
    let dir = Recorded::filled();
    let segment = segments(dir.path()).remove(0);
    run(&["journal", "cat", text(&segment), "--follow"]).ended(2);
    run(&["journal", "cat", text(dir.path()), "--follow", "--to", "7"]).ended(64);
}
