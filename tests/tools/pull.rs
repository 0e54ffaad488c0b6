//! `pull` against real servers: what it fetches, how it goes on after being cut off, and that it
//! never loses what it has.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::atomic::Ordering,
};

use serde_json::json;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::{
    process::{KEY, Process, command},
    relay::{Relay, certificate},
    support::{Ran, Recorded, copy, flip, segments, text},
};

/// Runs `pull`; a test's own tasks go on meanwhile.
async fn pull(url: &str, dir: &Path) -> Ran {
    pull_with(url, dir, &[], &[]).await
}

async fn pull_with(url: &str, dir: &Path, args: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = command(&[&["pull", url, text(dir)], args].concat());
    command.envs(variables.iter().copied()).stdin(Stdio::null());
    let run = move || command.output().expect("the binary runs");
    let output = tokio::task::spawn_blocking(run).await.expect("it ends");
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("it prints text"),
        stderr: String::from_utf8(output.stderr).expect("it prints text"),
    }
}

fn verify(dir: &Path, code: i32) -> Ran {
    crate::support::run(&["journal", "verify", text(dir)]).ended(code)
}

fn names(dir: &Path) -> Vec<String> {
    let name = |path: PathBuf| path.file_name().expect("a name").to_string_lossy().into_owned();
    segments(dir).into_iter().map(name).collect()
}

fn target() -> (TempDir, PathBuf) {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let dir = parent.path().join("backup");
    (parent, dir)
}

/// What is in both files, as far as the shorter one goes.
fn agree(a: &Path, b: &Path) {
    let (a, b) = (fs::read(a).expect("it can be read"), fs::read(b).expect("it can be read"));
    let len = a.len().min(b.len());
    assert!(a[..len] == b[..len], "the copies differ");
}

#[tokio::test]
async fn only_what_is_missing_is_fetched() {
    let data = Recorded::filled();
    let server = Process::serve(data.path(), &["--base-path", "/monitor"]);
    let (_parent, dir) = target();
    let relay = Relay::start(server.address()).await;
    let url = format!("{}/monitor/", relay.url());
    let passed = || relay.passed.swap(0, Ordering::Relaxed);

    pull(&url, &dir).await.ended(0);
    let whole = passed();
    for name in names(data.path()).iter().filter(|name| names(&dir).contains(name)) {
        agree(&dir.join(name), &data.path().join(name));
    }
    assert!(names(&dir).len() > 3);
    pull(&url, &dir).await.ended(0);
    let nothing = passed();
    assert!(nothing < whole / 3, "{nothing} of {whole} bytes were fetched again");

    // What the next start records is new, also in the segment that was open here.
    server.kill();
    let server = Process::serve(data.path(), &["--base-path", "/monitor"]);
    relay.lead_to(server.address());
    let again = pull(&url, &dir).await.ended(0);
    assert!(again.stdout.starts_with("clean: "), "{}", again.stdout);
    assert!(passed() < whole / 3);
    assert_eq!(names(&dir), names(data.path()));
    verify(&dir, 0);
    assert!(!dir.join("LOCK").exists());
}

#[tokio::test]
async fn a_transfer_that_is_cut_off_goes_on_where_it_was() {
    let data = Recorded::filled();
    let total: u64 = segments(data.path())
        .iter()
        .map(|path| fs::metadata(path).expect("it is there").len())
        .sum();
    let server = Process::replay(data.path());
    let relay = Relay::start(server.address()).await;
    let (_parent, dir) = target();
    // The list fits; a segment takes several connections.
    relay.allowance.store(10_000, Ordering::Relaxed);
    pull_with(&relay.url(), &dir, &["--attempts", "3"], &[]).await.ended(0);
    let passed = relay.passed.load(Ordering::Relaxed);
    assert!(passed < 2 * total, "{passed} bytes were passed on for {total}");
    for name in names(data.path()) {
        agree(&dir.join(&name), &data.path().join(&name));
    }
    let left = fs::read_dir(&dir).expect("it can be listed").count();
    assert_eq!(left, names(&dir).len() + 1, "nothing but segments and the lock is left");
}

#[tokio::test]
async fn a_server_that_dies_leaves_a_part_to_go_on_from() {
    let data = Recorded::filled();
    let server = Process::replay(data.path());
    let relay = Relay::start(server.address()).await;
    let (_parent, dir) = target();
    relay.allowance.store(10_000, Ordering::Relaxed);
    // One attempt: the first segment that takes more than one connection ends the run.
    let ran = pull_with(&relay.url(), &dir, &["--attempts", "1"], &[]).await.ended(2);
    assert!(ran.stderr.contains("run it again"), "{}", ran.stderr);
    let parts = || {
        let entries = fs::read_dir(&dir).expect("it can be listed");
        let mut paths: Vec<PathBuf> = entries.map(|e| e.expect("listed").path()).collect();
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "part"));
        paths
    };
    let [part] = &parts()[..] else { panic!("{:?}", parts()) };
    assert!(fs::metadata(part).expect("it is there").len() > 1000);
    server.kill();
    pull_with(&relay.url(), &dir, &["--attempts", "2"], &[]).await.ended(2);

    let revived = Process::replay(data.path());
    relay.lead_to(revived.address());
    relay.allowance.store(u64::MAX, Ordering::Relaxed);
    pull(&relay.url(), &dir).await.ended(0);
    assert!(parts().is_empty());
    assert_eq!(names(&dir), names(data.path()));
}

#[tokio::test]
async fn a_bit_that_flipped_here_is_fetched_again() {
    let data = Recorded::filled();
    let server = Process::replay(data.path());
    let (_parent, dir) = target();
    pull(server.address(), &dir).await.ended(0);
    flip(&segments(&dir)[1], "line 5");
    verify(&dir, 1);
    let ran = pull(server.address(), &dir).await.ended(0);
    assert!(ran.stderr.contains("fetching it again"), "{}", ran.stderr);
    verify(&dir, 0);
}

#[tokio::test]
async fn damage_on_the_server_is_told_each_time_and_costs_nothing_here() {
    let data = Recorded::filled();
    let sound = Process::replay(data.path());
    let damaged = copy(data.path());
    flip(&segments(damaged.path())[1], "line 5");
    let server = Process::replay(damaged.path());
    let (_parent, dir) = target();
    for _ in 0..2 {
        let ran = pull(server.address(), &dir).await.ended(1);
        assert!(ran.stdout.contains("lost: acknowledged"), "{}", ran.stdout);
        assert!(ran.stderr.contains("damaged on the server, too"), "{}", ran.stderr);
    }
    pull(sound.address(), &dir).await.ended(0);
    pull(server.address(), &dir).await.ended(0);
}

#[tokio::test]
async fn a_wiped_epoch_goes_to_a_folder_of_its_own() {
    let data = Recorded::filled();
    let server = Process::serve(data.path(), &[]).ready().await;
    let (_parent, dir) = target();
    pull(server.address(), &dir).await.ended(0);
    let before = names(&dir);
    let wipe = json!({"confirm": "wipe", "reason": "test"});
    assert_eq!(server.post("/api/journal/wipe", &wipe).await.0, 200);
    let ran = pull(server.address(), &dir).await.ended(0);
    assert!(ran.stderr.contains("epoch-1"), "{}", ran.stderr);
    assert_eq!(names(&dir.join("epoch-1")), before);
    verify(&dir.join("epoch-1"), 0);
    let said = verify(&dir, 0).stdout;
    assert!(said.contains("epoch 2"), "{said}");
}

#[tokio::test]
async fn what_was_retired_stays_here() {
    let data = Recorded::filled();
    let all = names(data.path());
    // A directory that holds a stretch of the segments, as a server does after retiring some.
    let server_of = |range: std::ops::Range<usize>| {
        let dir = copy(data.path());
        for (index, path) in segments(dir.path()).iter().enumerate() {
            if !range.contains(&index) {
                fs::remove_file(path).expect("it can be removed");
            }
        }
        let server = Process::replay(dir.path());
        (dir, server)
    };
    let (_parent, dir) = target();
    let (_first, server) = server_of(0..1);
    pull(server.address(), &dir).await.ended(0);
    let (_joined, server) = server_of(1..2);
    pull(server.address(), &dir).await.ended(0);
    assert_eq!(names(&dir), all[..2], "they join on");

    let (_apart, server) = server_of(3..all.len());
    let ran = pull(server.address(), &dir).await.ended(0);
    assert!(ran.stderr.contains("until-"), "{}", ran.stderr);
    assert_eq!(names(&dir), all[3..]);
    let entries = fs::read_dir(&dir).expect("it can be listed").map(|e| e.expect("listed").path());
    let aside: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    assert_eq!(aside.len(), 1);
    assert_eq!(names(&aside[0]), all[..2]);
    verify(&aside[0], 0);
}

#[tokio::test]
async fn another_journal_and_a_second_pull_are_refused() {
    let (one, other) = (Recorded::filled(), Recorded::filled());
    let server = Process::replay(one.path());
    let (_parent, dir) = target();
    pull(server.address(), &dir).await.ended(0);
    let before = names(&dir);
    let foreign = Process::replay(other.path());
    let ran = pull(foreign.address(), &dir).await.ended(2);
    assert!(ran.stderr.contains("another directory"), "{}", ran.stderr);
    assert_eq!(names(&dir), before);
    let lock = fs::File::open(dir.join(".pull.lock")).expect("it is there");
    lock.lock().expect("nobody has it");
    assert!(pull(server.address(), &dir).await.ended(2).stderr.contains("running"));
}

#[tokio::test]
async fn the_key_is_needed_and_sent_to_the_server_alone() {
    let data = Recorded::filled();
    let server = Process::serve(data.path(), &[]);
    let (parent, dir) = target();
    let wrong = [("MONITOR_BACKEND_ADMIN_KEY", "wrong")];
    let ran = pull_with(server.address(), &dir, &[], &wrong).await.ended(2);
    assert!(ran.stderr.contains("--key-file"), "{}", ran.stderr);
    let file = parent.path().join("key");
    fs::write(&file, format!("{KEY}\n")).expect("it can be written");
    pull_with(server.address(), &dir, &["--key-file", text(&file)], &wrong).await.ended(0);

    let (redirecting, asked) = one_answer(&format!(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: {}/api/journal\r\nContent-Length: 0\r\n\r\n",
        server.address()
    ))
    .await;
    let ran = pull(&redirecting, &dir).await.ended(2);
    assert!(ran.stderr.contains("redirects to"), "{}", ran.stderr);
    assert!(asked.await.expect("it was asked").contains("GET /api/journal HTTP/1.1"));
}

/// A server that gives one answer, and what it was asked.
async fn one_answer(answer: &str) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let answer = answer.to_owned();
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("somebody asks");
        let mut request = vec![0; 4096];
        let count = stream.read(&mut request).await.expect("it asks");
        stream.write_all(answer.as_bytes()).await.expect("it listens");
        stream.shutdown().await.expect("it listens");
        String::from_utf8_lossy(&request[..count]).into_owned()
    });
    (url, asked)
}

#[tokio::test]
async fn what_is_no_server_of_ours_is_told() {
    let (_parent, dir) = target();
    let body = r#"{"journal":{"id":"0","epoch":1,"first_seq":1,"last_seq":1,"durable_seq":1},
        "segments":[{"name":"../../evil.seg","bytes":5}]}"#;
    let evil = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    for answer in [
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        &evil,
    ] {
        let (url, _) = one_answer(answer).await;
        let ran = pull(&url, &dir).await.ended(2);
        assert!(ran.stderr.contains("is it the address"), "{}", ran.stderr);
    }
    assert!(!dir.parent().expect("it has one").join("evil.seg").exists());
    pull("localhost:5130", &dir).await.ended(2);
}

#[tokio::test]
async fn tls_is_spoken_with_whom_the_system_trusts() {
    let data = Recorded::filled();
    let server = Process::replay(data.path());
    let (parent, dir) = target();
    let tls = certificate(parent.path());
    let relay = Relay::with_tls(server.address(), Some(tls)).await;
    let url = format!("https://{}", relay.address);
    let ran = pull_with(&url, &dir, &["--attempts", "1"], &[]).await.ended(2);
    assert!(ran.stderr.contains("ertificate"), "{}", ran.stderr);
    let trusted = parent.path().join("cert.pem");
    pull_with(&url, &dir, &[], &[("SSL_CERT_FILE", text(&trusted))]).await.ended(0);
    assert_eq!(names(&dir), names(data.path()));
}
