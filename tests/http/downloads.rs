//! Segments and backups: byte-exact in ranges, honest about what has changed.

use reqwest::{Method, Response};
use serde_json::json;

use crate::support::{Recording, Server, log, refusal};
use monitor_backend::{event::Level, journal::Reader};

async fn filled() -> (Recording, Server) {
    let recording = Recording::start();
    assert!(recording.published.replayed().await);
    for round in 0..40 {
        let lines =
            (0..100).map(|line| log(Level::Info, &format!("{round} {line} {}", "x".repeat(300))));
        recording.observe(lines.collect()).await;
    }
    let server = Server::live(&recording, |_| {}).await;
    (recording, server)
}

async fn part(server: &Server, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = server.ask(Method::GET, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

/// The newest backup, with its pinned address.
async fn backup(server: &Server) -> (String, Response) {
    let redirect = server.get("/api/journal/backup").await;
    assert_eq!(redirect.status(), 307);
    let to = redirect.headers()["location"].to_str().unwrap();
    let path = format!("/api/journal/{to}");
    let answer = server.get(&path).await;
    assert_eq!(answer.status(), 200);
    (path, answer)
}

#[tokio::test]
async fn ranges_are_byte_exact() {
    let (_recording, server) = filled().await;
    let (backup, whole) = backup(&server).await;
    assert_eq!(whole.headers()["accept-ranges"], "bytes");
    let whole = whole.bytes().await.unwrap();
    let journal = server.json("/api/journal").await;
    let sealed = journal["segments"].as_array().unwrap().iter().find(|s| s["sealed"] == true);
    let segment = format!("/api/journal/segments/{}", sealed.unwrap()["name"].as_str().unwrap());
    let raw = server.get(&segment).await.bytes().await.unwrap();
    for (path, bytes) in [(&backup, &whole), (&segment, &raw)] {
        let len = bytes.len();
        assert!(len > 5 << 17, "it takes several chunks");
        let ranges =
            [(0, 1), (0, len), (len - 1, len), (131_071, 131_073), (1000, 600_001), (len / 2, len)];
        for (first, end) in ranges {
            let asked = format!("bytes={first}-{}", end - 1);
            let answer = part(&server, path, &[("range", &asked)]).await;
            assert_eq!(answer.status(), 206);
            let said = format!("bytes {first}-{}/{len}", end - 1);
            assert_eq!(answer.headers()["content-range"], said.as_str());
            assert_eq!(answer.bytes().await.unwrap(), bytes[first..end], "{path} {asked}");
        }
        let last = part(&server, path, &[("range", "bytes=-7")]).await;
        assert_eq!(last.bytes().await.unwrap(), bytes[len - 7..]);
        let several = part(&server, path, &[("range", "bytes=0-1,5-6")]).await;
        assert_eq!(several.status(), 200);
        assert_eq!(several.content_length(), Some(len as u64));
        let head = server.ask(Method::HEAD, path).header("range", "bytes=0-1");
        let head = head.send().await.unwrap();
        assert_eq!(head.status(), 200, "a range means something in a GET alone");
        assert_eq!(head.headers()["content-length"], len.to_string().as_str());
        assert!(head.headers()["content-disposition"].to_str().unwrap().contains("filename"));
    }
}

#[tokio::test]
async fn a_bad_range_is_refused_with_the_length() {
    let (_recording, server) = filled().await;
    let (path, whole) = backup(&server).await;
    let len = whole.content_length().unwrap();
    for range in [format!("bytes={len}-"), "bytes=5-4".into(), "bytes=x".into(), "bytes=-0".into()]
    {
        let answer = part(&server, &path, &[("range", &range)]).await;
        assert_eq!(answer.status(), 416, "{range}");
        assert_eq!(answer.headers()["content-range"], format!("bytes */{len}").as_str());
    }
}

#[tokio::test]
async fn a_part_of_another_version_is_never_sent() {
    let (_recording, server) = filled().await;
    let (path, whole) = backup(&server).await;
    let etag = whole.headers()["etag"].to_str().unwrap().to_owned();
    assert!(etag.starts_with('"'), "it is a strong one");
    let range = ("range", "bytes=5-9");
    let held = part(&server, &path, &[range, ("if-range", &etag)]).await;
    assert_eq!(held.status(), 206);
    let other = part(&server, &path, &[range, ("if-range", "\"other\"")]).await;
    assert_eq!(other.status(), 200);
    let other = part(&server, &path, &[range, ("if-match", "\"other\"")]).await;
    assert_eq!(other.status(), 412);
    let unpinned = part(&server, "/api/journal/backup", &[range]).await;
    assert_eq!(unpinned.status(), 412, "it would mix the parts of two backups");
}

#[tokio::test]
async fn a_backup_opens_as_the_journal_that_it_is_of() {
    let (recording, server) = filled().await;
    let (path, answer) = backup(&server).await;
    let first = answer.bytes().await.unwrap();
    recording.observe(vec![log(Level::Info, "later")]).await;
    let second = server.get(&path).await.bytes().await.unwrap();
    assert_eq!(first, second, "what came later changes nothing in it");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("backup.tar");
    std::fs::write(&file, &first).unwrap();
    let (reader, _) = Reader::open(&file).unwrap();
    let to: u64 = path.rsplit('=').next().unwrap().parse().unwrap();
    assert_eq!(reader.positions().last_seq, to);
}

#[tokio::test]
async fn after_a_wipe_the_old_backup_is_gone() {
    let (_recording, server) = filled().await;
    let (path, _) = backup(&server).await;
    let wipe = json!({"confirm": "wipe", "reason": "test"});
    let wiped = server.ask(Method::POST, "/api/journal/wipe").json(&wipe).send().await.unwrap();
    assert_eq!(wiped.status(), 200);
    let gone = refusal(server.ask(Method::GET, &path)).await;
    assert_eq!(gone, (410, "retired".into()));
    let bare = refusal(server.ask(Method::GET, &path).header("range", "bytes=5-")).await;
    assert_eq!(bare, (412, "changed".into()));
}
