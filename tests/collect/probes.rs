//! Probes against real sockets: what is recorded of each sort of answer, and since when.

use std::{collections::BTreeMap, time::Duration};

use monitor_backend::{
    collect::{Check, Config, Header, HeaderValue, HttpCheck, Probe, Resume},
    event::{Event, ProbeResult, State},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket},
    task::JoinHandle,
};

use super::collected::{Collected, Seen, fast};

const QUEUE_MESSAGES: usize = 64;

/// Short, so that a result is there soon, and long enough for a busy machine.
const INTERVAL: Duration = Duration::from_millis(100);
const TIMEOUT: Duration = Duration::from_secs(20);

fn tcp(name: &str, host: &str, port: u16) -> Probe {
    let check = Check::Tcp { host: host.into(), port };
    Probe { name: name.into(), check, interval: INTERVAL, timeout: TIMEOUT }
}

fn http(url: &str) -> HttpCheck {
    HttpCheck { url: url.into(), status: 200..=299, body: None, headers: vec![], ca_file: None }
}

fn probe(check: HttpCheck) -> Probe {
    let check = Check::Http(check);
    Probe { name: "web".into(), check, interval: INTERVAL, timeout: TIMEOUT }
}

fn start(probes: Vec<Probe>, resume: &Resume) -> Collected {
    let config = Config { probes, pace: fast(), ..Config::default() };
    let mut collected = Collected::start(&config, resume, QUEUE_MESSAGES);
    collected.only = ProbeResult::SOURCE;
    collected
}

async fn result(collected: &mut Collected) -> ProbeResult {
    collected
        .wait(|seen| match seen {
            Seen::Event(Event::ProbeResult(result)) => Some(result.clone()),
            _ => None,
        })
        .await
}

/// What one probe finds first.
async fn found(probe: Probe) -> ProbeResult {
    let mut collected = start(vec![probe], &Resume::default());
    collected.state(ProbeResult::SOURCE, State::Up).await;
    result(&mut collected).await
}

/// Answers every request with the same bytes, and gives back the first request.
async fn server(answer: &'static [u8]) -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let first = tokio::spawn(async move {
        let mut request = vec![0; 4096];
        let mut stream = listener.accept().await.expect("a connection").0;
        let length = stream.read(&mut request).await.expect("a request");
        // The other side may have gone.
        let _ = stream.write_all(answer).await;
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    (port, first)
}

#[tokio::test]
async fn an_expected_answer_is_ok_with_its_latency_and_secrets_are_sent_and_not_recorded() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("token");
    std::fs::write(&file, "Bearer the-secret-of-the-file\n").expect("the folder is writable");
    let (port, request) = server(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    let headers = vec![
        Header { name: "Authorization".into(), value: HeaderValue::File(file) },
        Header { name: "X-Path".into(), value: HeaderValue::Variable("PATH".into()) },
    ];
    let url = format!("http://127.0.0.1:{port}/health?token=the-secret-of-the-query");
    let result = found(probe(HttpCheck { headers, ..http(&url) })).await;
    assert!(result.ok && result.detail.is_empty() && !result.gone, "{result:?}");
    assert_eq!(result.status, Some(204));
    assert!(result.latency.is_some_and(|latency| latency > 0.0));
    assert_eq!(result.target, format!("http://127.0.0.1:{port}/health"));
    assert_eq!(result.since, result.observed);
    let request = request.await.expect("a request came").to_lowercase();
    assert!(request.starts_with("get /health?token=the-secret-of-the-query http/1.1\r\n"));
    assert!(request.contains("authorization: bearer the-secret-of-the-file\r\n"), "{request}");
    assert!(request.contains("connection: close\r\n"), "{request}");
    let path = std::env::var("PATH").expect("it is set").to_lowercase();
    assert!(request.contains(&format!("x-path: {path}\r\n")), "{request}");
    assert!(!format!("{result:?}").contains("the-secret"), "{result:?}");
}

#[tokio::test]
async fn an_unexpected_answer_says_what_was_expected() {
    let (port, _) = server(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n").await;
    let result = found(probe(http(&format!("http://127.0.0.1:{port}/")))).await;
    assert_eq!((result.ok, result.status), (false, Some(503)));
    assert!(result.latency.is_some());
    assert!(result.detail.contains("503 Service Unavailable; expected is 200 to 299"));

    let (port, _) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nsorry").await;
    let url = format!("http://127.0.0.1:{port}/");
    let body = Some("all is well".to_owned());
    let result = found(probe(HttpCheck { body, ..http(&url) })).await;
    assert_eq!((result.ok, result.status), (false, Some(200)));
    assert!(result.detail.ends_with("its body does not hold \"all is well\""), "{result:?}");

    let (port, _) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n<all is well/>").await;
    let url = format!("http://127.0.0.1:{port}/");
    let body = Some("all is well".to_owned());
    assert!(found(probe(HttpCheck { body, ..http(&url) })).await.ok);
}

#[tokio::test]
async fn each_sort_of_failure_has_a_clear_detail() {
    let held = TcpSocket::new_v4().expect("a socket");
    held.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let refusing = held.local_addr().expect("it is bound").port();
    let hanging = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let hanging_port = hanging.local_addr().expect("it is bound").port();
    let (no_tls, _) = server(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let (garbage, _) = server(b"SSH-2.0-OpenSSH_9.9\r\n").await;
    let (torn, _) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nhalf").await;
    let short = Duration::from_millis(300);
    let header = |value| vec![Header { name: "A".into(), value }];
    let no_file = HeaderValue::File("/no/such/file".into());
    let no_variable = HeaderValue::Variable("NO_SUCH_VARIABLE".into());
    let at = |port: u16| http(&format!("http://127.0.0.1:{port}/"));
    let cases = [
        (tcp("a", "127.0.0.1", refusing), "refused"),
        (probe(at(refusing)), "refused"),
        (tcp("a", "no-such-host.invalid", 80), "the name no-such-host.invalid was not found"),
        (probe(http("http://no-such-host.invalid/")), "lookup"),
        (Probe { timeout: short, ..probe(at(hanging_port)) }, "no answer within 0.3 s"),
        (probe(http(&format!("https://127.0.0.1:{no_tls}/"))), "InvalidContentType"),
        (probe(at(garbage)), "invalid HTTP version"),
        (probe(HttpCheck { body: Some("x".into()), ..at(torn) }), "end of file"),
        (probe(HttpCheck { headers: header(no_file), ..at(garbage) }), "reading /no/such/file"),
        (probe(HttpCheck { headers: header(no_variable), ..at(garbage) }), "is not set"),
        (
            probe(HttpCheck { ca_file: Some("/no/such/ca".into()), ..at(garbage) }),
            "reading /no/such/ca",
        ),
    ];
    for (probe, expected) in cases {
        let target = probe.target();
        let result = found(probe).await;
        assert!(!result.ok, "{result:?}");
        assert!(result.detail.starts_with(&format!("checking {target} failed: ")), "{result:?}");
        assert!(result.detail.contains(expected), "{expected}: {}", result.detail);
    }
    drop(hanging);
}

#[tokio::test]
async fn results_are_told_each_time_and_since_when_they_are_so() {
    let held = TcpSocket::new_v4().expect("a socket");
    held.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let port = held.local_addr().expect("it is bound").port();
    let mut collected = start(vec![tcp("db", "127.0.0.1", port)], &Resume::default());
    let first = result(&mut collected).await;
    let second = result(&mut collected).await;
    assert_eq!((first.ok, second.ok, second.since), (false, false, first.observed));
    assert!(second.observed > first.observed);
    let _listener = held.listen(16).expect("the port is held");
    let mut up = result(&mut collected).await;
    while !up.ok {
        up = result(&mut collected).await;
    }
    assert_eq!((up.since, &*up.detail, up.status), (up.observed, "", None));
    let next = result(&mut collected).await;
    assert_eq!((next.ok, next.since), (true, up.observed));
    // The source is up, whatever the target does.
    let is_state = |seen: &Seen| matches!(seen, Seen::Event(Event::SourceState(_)));
    assert!(!collected.passed.iter().any(is_state), "{:?}", collected.passed);
}

fn recorded(name: &str, target: &str) -> ProbeResult {
    ProbeResult {
        name: name.into(),
        target: target.into(),
        ok: true,
        latency: Some(1.0),
        status: None,
        detail: String::new(),
        since: 1_000.0,
        observed: 2_000.0,
        gone: false,
        ext: Default::default(),
    }
}

#[tokio::test]
async fn a_restart_goes_on_where_it_was_and_ends_what_is_no_longer_configured() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let target = format!("tcp://127.0.0.1:{port}");
    let resume = Resume {
        probes: vec![recorded("kept", &target), recorded("old", "tcp://old:1")],
        heard_until: BTreeMap::from([(ProbeResult::SOURCE.to_owned(), 2_000.0)]),
        ..Resume::default()
    };
    let mut collected = start(vec![tcp("kept", "127.0.0.1", port)], &resume);
    let old = result(&mut collected).await;
    assert_eq!((&*old.name, old.gone), ("old", true));
    let gap = collected.gap(ProbeResult::SOURCE).await;
    assert_eq!((gap.from, &*gap.reason), (2_000.0, "the recorder was not running"));
    let kept = result(&mut collected).await;
    assert_eq!((&*kept.name, kept.since, kept.gone), ("kept", 1_000.0, false));

    let mut collected = start(
        vec![tcp("kept", "127.0.0.1", port)],
        &Resume { probes: vec![recorded("kept", "tcp://elsewhere:1")], ..Resume::default() },
    );
    let moved = result(&mut collected).await;
    assert_eq!(moved.since, moved.observed, "another target is another matter");
}

#[tokio::test]
async fn without_probes_the_source_is_off_and_old_ones_are_ended() {
    let resume = Resume { probes: vec![recorded("old", "tcp://old:1")], ..Resume::default() };
    let mut collected = start(vec![], &resume);
    assert!(result(&mut collected).await.gone);
    let off = collected.state(ProbeResult::SOURCE, State::Off).await;
    assert!(off.reason.contains("add [[probes]]"), "{}", off.reason);
    collected.stop().await;
}
