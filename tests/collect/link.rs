//! The link to the app-server.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures_util::SinkExt;
use monitor_backend::{
    collect::{Config, Pace, Resume},
    event::{Event, Observation, State, Trace, TraceEnd},
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;

use super::{
    app_server::{AppServer, live_query, log, now, trace},
    collected::{Collected, Seen, fast},
};

const NAME: &str = "app-server";
const QUEUE_MESSAGES: usize = 64;

fn config(url: &str, pace: Pace) -> Config {
    // The double speaks nothing but the link.
    let basic_info_url = Some("http://127.0.0.1:1/".into());
    Config { app_server_url: Some(url.into()), basic_info_url, pace, ..Config::default() }
}

fn observe(server: &AppServer) -> Collected {
    start(&config(&server.url(), fast()))
}

fn start(config: &Config) -> Collected {
    let mut collected = Collected::start(config, &Resume::default(), QUEUE_MESSAGES);
    collected.only = NAME;
    collected
}

/// Waits for a log line and returns its message.
async fn line(collected: &mut Collected) -> String {
    collected
        .wait(|seen| match seen {
            Seen::Event(Event::LogLine(line)) => Some(line.message.clone()),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn frames_become_events_in_their_order() {
    let server = AppServer::start().await;
    let mut collected = observe(&server);
    let mut connection = server.accept().await;
    collected.state(NAME, State::Connecting).await;
    let up = collected.state(NAME, State::Up).await;
    assert_eq!(up.reason, "");
    assert!(collected.passed.iter().all(|seen| !matches!(seen, Seen::Event(Event::Gap(_)))));

    connection.say(&log(1.5, "one")).await;
    connection.say(&trace("a", None)).await;
    connection.say(&trace("a", None)).await;
    connection.say(&live_query("t", 2)).await;
    connection.say(&trace("a", Some(3.0))).await;
    connection.say(&log(2.5, "two")).await;

    assert_eq!(line(&mut collected).await, "one");
    assert_eq!(line(&mut collected).await, "two");
    let passed = &collected.passed[..];
    let [
        Seen::Event(Event::Trace(open)),
        Seen::Event(Event::LiveQuery(query)),
        Seen::Event(Event::Trace(ended)),
    ] = passed
    else {
        panic!("the repeated trace is sent once: {passed:?}");
    };
    assert_eq!((open.end, ended.end), (TraceEnd::Open, TraceEnd::Ended));
    assert_eq!((&*query.filter, query.watchers_count), (r#"{"a":2,"b":1}"#, 2));
    collected.stop().await;
}

#[tokio::test]
async fn malformed_frames_are_counted_and_the_link_stays_up() {
    let server = AppServer::start().await;
    let mut collected = observe(&server);
    let mut connection = server.accept().await;
    for frame in ["not json", r#"{"One":1,"Two":2}"#, r#"{"LogEntryAdded":{"entry":{}}}"#, ""] {
        connection.say(frame).await;
    }
    connection.0.send(Message::binary(vec![1, 2, 3])).await.expect("the link listens");
    connection.say(&log(1.0, "still here")).await;

    let mut last = collected.state(NAME, State::Up).await;
    let mut is_told = false;
    while last.malformed < 5 {
        let up = collected.wait(|seen| match seen {
            Seen::Event(Event::SourceState(state)) => Some(state.clone()),
            Seen::Event(Event::LogLine(_)) => {
                is_told = true;
                None
            }
            _ => None,
        });
        last = up.await;
        assert_eq!(last.state, State::Up);
    }
    assert_eq!(last.last_malformed, "a binary frame of 3 bytes; expected text");
    if !is_told {
        assert_eq!(line(&mut collected).await, "still here");
    }
}

#[tokio::test]
async fn a_broken_link_comes_back_after_a_gap_that_covers_what_was_lost() {
    let server = AppServer::start().await;
    let mut collected = observe(&server);
    let mut connection = server.accept().await;
    let said = now() - 250.0;
    connection.say(&log(said, "heard")).await;
    assert_eq!(line(&mut collected).await, "heard");
    // A reset, as of a killed process.
    connection.0.get_ref().set_zero_linger().expect("it is connected");
    drop(connection);

    let down = collected.state(NAME, State::Down).await;
    assert!(down.reason.contains("the link to ws://127.0.0.1:"), "{}", down.reason);
    let mut connection = server.accept().await;
    let gap = collected.gap(NAME).await;
    assert!(collected.passed.is_empty(), "{:?}", collected.passed);
    assert_eq!((gap.from, gap.dropped, &gap.reason), (said, None, &down.reason));
    let up = collected.state(NAME, State::Up).await;
    assert!(collected.passed.is_empty(), "{:?}", collected.passed);
    assert!(gap.from < gap.to && gap.to <= up.since && up.since <= now());
    connection.say(&log(now(), "again")).await;
    assert_eq!(line(&mut collected).await, "again");
}

#[tokio::test]
async fn the_link_is_up_since_its_first_frame_was_sent() {
    let server = AppServer::start().await;
    let pace = Pace { first_frame_max: Duration::from_secs(60), ..fast() };
    let resume =
        Resume { heard_until: [(NAME.to_owned(), now() - 1_000.0)].into(), ..Resume::default() };
    let mut collected = Collected::start(&config(&server.url(), pace), &resume, QUEUE_MESSAGES);
    collected.only = NAME;
    let mut connection = server.accept().await;
    let said = now();
    connection.say(&log(said, "first")).await;
    assert_eq!(collected.gap(NAME).await.to, said, "what was sent before is not known");
    assert_eq!(collected.state(NAME, State::Up).await.since, said);
    assert_eq!(line(&mut collected).await, "first");
}

#[tokio::test]
async fn an_open_trace_is_sent_again_after_the_link_was_down() {
    let server = AppServer::start().await;
    let mut collected = observe(&server);
    for _ in 0..2 {
        let mut connection = server.accept().await;
        connection.say(&trace("a", None)).await;
        let is_trace = |seen: &Seen| matches!(seen, Seen::Event(Event::Trace(_))).then_some(());
        collected.wait(is_trace).await;
    }
}

#[tokio::test]
async fn a_stopped_app_server_is_told_and_needs_no_restart_once_it_runs() {
    let socket = AppServer::stopped();
    let url = format!("ws://{}", socket.local_addr().expect("it is bound"));
    let config = config(&url, fast());
    let mut collected = start(&config);
    let down = collected.state(NAME, State::Down).await;
    assert!(down.reason.starts_with(&format!("connecting to {url}/monitor-backend-link failed")));
    assert!(down.reason.ends_with("is the app-server running?"), "{}", down.reason);
    let server = AppServer::listen(socket);
    let _connection = server.accept().await;
    collected.state(NAME, State::Up).await;
    // The same failure again and again is one fact, and nothing was ever heard that could be lost.
    assert!(collected.passed.is_empty(), "{:?}", collected.passed);
}

#[tokio::test]
async fn what_answers_but_is_no_app_server_is_told() {
    let server = AppServer::start().await;
    let mut collected = observe(&server);
    let mut stream = server.accept_bare().await;
    let answer = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
    let mut request = [0; 2048];
    let length = stream.read(&mut request).await.expect("a request");
    assert!(request[..length].starts_with(b"GET /monitor-backend-link HTTP/1.1\r\n"));
    stream.write_all(answer).await.expect("the link listens");
    let down = collected.state(NAME, State::Down).await;
    assert!(down.reason.contains("404 Not Found"), "{}", down.reason);
}

#[tokio::test]
async fn a_peer_that_never_greets_is_given_up() {
    let server = AppServer::start().await;
    let pace = Pace { greeting_max: Duration::from_millis(50), ..fast() };
    let config = config(&server.url(), pace);
    let mut collected = start(&config);
    let _held = server.accept_bare().await;
    let down = collected.state(NAME, State::Down).await;
    assert!(down.reason.contains("no answer"), "{}", down.reason);
}

#[tokio::test]
async fn a_silent_connection_is_given_up_and_one_that_answers_pings_is_not() {
    let server = AppServer::start().await;
    let pace = Pace {
        ping_interval: Duration::from_millis(50),
        silence_max: Duration::from_millis(1000),
        ..fast()
    };
    let config = config(&server.url(), pace);
    let mut collected = start(&config);
    let mut connection = server.accept().await;
    collected.state(NAME, State::Up).await;
    // Longer than the silence that is allowed.
    connection.answer_pings(30).await;
    let claimed = now() - 5000.0;
    connection.say(&log(claimed, "alive")).await;
    assert_eq!(line(&mut collected).await, "alive");
    assert!(collected.passed.is_empty(), "{:?}", collected.passed);
    connection.answer_pings(3).await;

    // It stays open, but nobody answers any more.
    let down = collected.state(NAME, State::Down).await;
    assert!(down.reason.contains("not even the answer to a ping"), "{}", down.reason);
    let _next = server.accept().await;
    let gap = collected.gap(NAME).await;
    assert!(gap.from > claimed, "an answered ping moves it on: {gap:?}");
    drop(connection);
}

/// The queue holds one message, and nobody reads it until the link has read everything. The sum of
/// what comes and what the gaps count is what was said.
#[tokio::test]
async fn a_flood_that_the_recorder_cannot_take_is_counted_and_does_not_hold_up_the_app_server() {
    const LINES: u64 = 20_000;
    let server = AppServer::start().await;
    let mut collected = Collected::start(&config(&server.url(), fast()), &Resume::default(), 1);
    collected.only = NAME;
    let mut connection = server.accept().await;
    collected.state(NAME, State::Up).await;
    connection.say(&trace("a", None)).await;
    for number in 0..LINES {
        connection.say(&log(now(), &number.to_string())).await;
    }
    connection.say(&trace("a", Some(1.0))).await;
    connection.say(&log(now(), "end")).await;
    connection.wait_until_read().await;
    connection.0.close(None).await.expect("the link listens");

    let (mut came, mut dropped, mut last_number) = (0, 0, None);
    let mut last_trace = None;
    loop {
        match collected.next().await {
            Seen::Event(Event::LogLine(line)) => {
                came += 1;
                if let Ok(number) = line.message.parse::<u64>() {
                    assert!(last_number < Some(number), "lines keep their order");
                    last_number = Some(number);
                }
            }
            Seen::Event(Event::Gap(gap)) => {
                dropped += gap.dropped.expect("it is counted");
                assert!(gap.from <= gap.to);
            }
            Seen::Event(Event::Trace(trace)) => last_trace = Some(trace.end),
            Seen::Event(Event::SourceState(state)) if state.state == State::Down => break,
            _ => {}
        }
    }
    // Of the two states of the trace, the first may have been replaced while it waited.
    let lines = LINES + 1;
    assert!((lines..=lines + 1).contains(&(came + dropped)), "{came} came, {dropped} dropped");
    assert!(dropped > 0, "the queue was never full");
    assert_eq!(last_trace, Some(TraceEnd::Ended), "the last state is never dropped");
}

#[tokio::test]
async fn after_a_wipe_the_link_tells_its_state_again_and_stays_connected() {
    let server = AppServer::start().await;
    let mut collected = observe(&server);
    let mut connection = server.accept().await;
    connection.say(&trace("a", None)).await;
    let is_trace = |seen: &Seen| matches!(seen, Seen::Event(Event::Trace(_))).then_some(());
    collected.wait(is_trace).await;
    assert_eq!(collected.last_generation, 1);

    collected.wipe();
    collected.state(NAME, State::Up).await;
    assert_eq!(collected.last_generation, 2);
    assert!(collected.passed.is_empty(), "{:?}", collected.passed);
    // On the same connection, and what was known before the wipe is news again.
    connection.say(&trace("a", None)).await;
    collected.wait(is_trace).await;
    assert_eq!(collected.last_generation, 2);
}

#[tokio::test]
async fn at_the_start_the_gap_reaches_back_to_what_was_recorded_last() {
    let server = AppServer::start().await;
    let heard_until = now() - 10_000.0;
    let resume = Resume {
        heard_until: BTreeMap::from([(NAME.to_owned(), heard_until)]),
        ..Resume::default()
    };
    let config = config(&server.url(), fast());
    let mut collected = Collected::start(&config, &resume, QUEUE_MESSAGES);
    let _connection = server.accept().await;
    let gap = collected.gap(NAME).await;
    assert_eq!((gap.from, &*gap.reason), (heard_until, "the recorder was not running"));
    collected.state(NAME, State::Up).await;
}

#[tokio::test]
async fn a_message_that_is_too_long_ends_the_link_with_a_reason() {
    let server = AppServer::start().await;
    let mut collected = observe(&server);
    let mut connection = server.accept().await;
    let long = log(1.0, &"x".repeat(5 << 20));
    // The link may be gone before all of it was sent.
    let _ = connection.0.send(Message::text(long)).await;
    let down = collected.state(NAME, State::Down).await;
    assert!(down.reason.to_lowercase().contains("too long"), "{}", down.reason);
    let _next = server.accept().await;
    collected.state(NAME, State::Up).await;
}

#[tokio::test]
async fn without_an_address_the_link_is_off() {
    let mut collected = start(&Config::default());
    let off = collected.state(NAME, State::Off).await;
    assert_eq!(off.reason, "not configured: set --app-server-url or APP_SERVER_URL");
    let is_told =
        |seen: &Seen| matches!(seen, Seen::Event(Event::SourceState(s)) if s.name == NAME);
    assert!(!collected.passed.iter().any(is_told), "{:?}", collected.passed);
    collected.stop().await;
}

#[tokio::test]
async fn an_unusable_address_is_told() {
    let config = config("http://app-server", fast());
    let mut collected = start(&config);
    let down = collected.state(NAME, State::Down).await;
    assert!(down.reason.contains("should look like ws://app-server:5110"), "{}", down.reason);
}

#[tokio::test]
async fn collectors_end_when_asked_to_and_when_nobody_listens() {
    let server = AppServer::start().await;
    let mut collected = observe(&server);
    let mut connection = server.accept().await;
    collected.state(NAME, State::Up).await;
    collected.stop().await;
    assert!(!connection_is_open(&mut connection).await);

    let mut collected = observe(&server);
    let mut connection = server.accept().await;
    collected.state(NAME, State::Up).await;
    collected.stop_listening().await;
    assert!(!connection_is_open(&mut connection).await);
}

/// Reads until the end of the connection; false where it has ended.
async fn connection_is_open(connection: &mut super::app_server::Connection) -> bool {
    use futures_util::StreamExt;
    let end = tokio::time::timeout(Duration::from_secs(30), async {
        while let Some(Ok(_)) = connection.0.next().await {}
    });
    end.await.is_err()
}

/// A frame with a trace of so many sections, of which only the last is open, if any is.
fn sections(id: usize, count: usize, is_open: bool) -> String {
    let section = |index: usize| {
        let duration = (!is_open || index + 1 < count).then_some(1.5);
        let fields = json!({"path": format!("f/{index}"), "extra_info": null,
            "start_time": 1000.0 + index as f64, "duration": duration});
        (format!("f/{index}#{index}"), fields)
    };
    let lifetimes: Value = (0..count).map(section).collect();
    json!({"MtxEntryDone": {"mtx": {"id": id.to_string(), "section_lifetimes": lifetimes}}})
        .to_string()
}

fn of_trace(seen: &Seen) -> Option<&Trace> {
    match seen {
        Seen::Event(Event::Trace(trace)) => Some(trace),
        _ => None,
    }
}

#[tokio::test]
async fn open_requests_that_are_told_again_and_again_are_recorded_at_their_cadence() {
    const OPEN: usize = 5_000;
    const ROUNDS: usize = 4;
    let interval = Duration::from_secs(2);
    let pace = Pace { trace_interval: interval, ..fast() };
    let server = AppServer::start().await;
    let mut collected =
        Collected::start(&config(&server.url(), pace), &Resume::default(), QUEUE_MESSAGES);
    collected.only = NAME;
    let mut connection = server.accept().await;
    collected.state(NAME, State::Up).await;
    let began = Instant::now();
    let saying = tokio::spawn(async move {
        for round in 1..=ROUNDS {
            for id in 0..OPEN {
                connection.say(&sections(id, round, true)).await;
            }
        }
        for id in 0..OPEN {
            connection.say(&sections(id, ROUNDS + 1, false)).await;
        }
        connection.say(&log(now(), "end")).await;
        connection
    });

    assert_eq!(line(&mut collected).await, "end");
    let took = began.elapsed().as_secs_f64() / interval.as_secs_f64();
    let open = collected.passed.iter().filter_map(of_trace).filter(|t| t.end == TraceEnd::Open);
    let ended: Vec<&Trace> =
        collected.passed.iter().filter_map(of_trace).filter(|t| t.end == TraceEnd::Ended).collect();
    let most = OPEN as f64 * (1.0 + took);
    assert!(open.clone().count() >= OPEN && open.clone().count() as f64 <= most, "{took}");
    assert_eq!(ended.len(), OPEN, "each end is recorded once");
    for trace in ended {
        assert_eq!(trace.sections.len(), ROUNDS + 1, "an end is whole: {trace:?}");
        assert!(trace.duration().is_some());
    }
    saying.await.expect("all was said");
}

#[tokio::test]
async fn what_an_open_request_did_last_is_told_before_the_link_is_down_and_at_a_stop() {
    for is_stopped in [false, true] {
        let server = AppServer::start().await;
        let mut collected = observe(&server);
        let mut connection = server.accept().await;
        for count in 1..=3 {
            connection.say(&sections(7, count, true)).await;
        }
        connection.wait_until_read().await;
        let first = collected.wait(|seen| of_trace(seen).cloned()).await;
        assert_eq!(first.sections.len(), 1);
        let last = if is_stopped {
            let last = collected.stop().await.into_iter().map(|observed| observed.what);
            let events = last.flat_map(|what| match what {
                Observation::Events(events) => events,
                Observation::Listed(_) => vec![],
            });
            events.map(Seen::Event).find_map(|seen| of_trace(&seen).cloned())
        } else {
            connection.0.close(None).await.expect("the link listens");
            collected.state(NAME, State::Down).await;
            collected.passed.iter().find_map(|seen| of_trace(seen).cloned())
        };
        let last = last.expect("the newest state is told");
        assert_eq!((last.sections.len(), last.end), (3, TraceEnd::Open));
    }
}

#[tokio::test]
async fn an_open_request_that_falls_silent_is_recorded_as_it_was_last() {
    let server = AppServer::start().await;
    let pace = Pace { trace_interval: Duration::from_millis(200), ..fast() };
    let mut collected = start(&config(&server.url(), pace));
    let mut connection = server.accept().await;
    connection.say(&sections(7, 1, true)).await;
    connection.say(&sections(7, 2, true)).await;
    let count = |seen: &Seen| of_trace(seen).map(|trace| trace.sections.len());
    assert_eq!(collected.wait(count).await, 1);
    assert_eq!(collected.wait(count).await, 2);
}

#[tokio::test]
async fn unknown_messages_are_counted_by_name_and_are_no_malformed_ones() {
    let server = AppServer::start().await;
    let mut collected = observe(&server);
    let mut connection = server.accept().await;
    for number in 0..30 {
        connection.say(&json!({format!("Sort{number:02}"): {}}).to_string()).await;
        connection.say(r#"{"Sort00":{"a":1}}"#).await;
    }
    let mut counted = 0;
    while counted < 60 {
        let up = collected.state(NAME, State::Up).await;
        assert_eq!((up.malformed, &*up.last_malformed), (0, ""));
        assert!(up.unknown().count() <= 21, "names are bounded: {up:?}");
        counted = up.unknown().map(|(_, count)| count).sum();
        if counted == 60 {
            let of = |wanted| up.unknown().find(|(name, _)| *name == wanted).map(|one| one.1);
            assert_eq!((of("Sort00"), of("Sort19"), of("others")), (Some(31), Some(1), Some(10)));
        }
    }
}

/// Bytes that no WebSocket frame may have, and what the source says of them.
const GARBAGE: [(&str, &[u8], &str); 4] = [
    ("text that is no UTF-8", b"\x81\x02\xc3\x28", "utf-8"),
    ("a frame longer than memory", b"\x81\x7f\x0f\xff\xff\xff\xff\xff\xff\xff", "too long"),
    ("an opcode that there is not", b"\x83\x00", "opcode"),
    ("something else than a WebSocket", &[b'H'; 200], "did the app-server"),
];

#[tokio::test]
async fn garbage_ends_the_link_with_a_reason_and_it_comes_back() {
    for (what, bytes, reason) in GARBAGE {
        let server = AppServer::start().await;
        let mut collected = observe(&server);
        let mut connection = server.accept().await;
        collected.state(NAME, State::Up).await;
        connection.0.get_mut().write_all(bytes).await.expect("the link listens");
        let down = collected.state(NAME, State::Down).await;
        assert!(down.reason.to_lowercase().contains(reason), "{what}: {}", down.reason);
        let mut connection = server.accept().await;
        collected.state(NAME, State::Up).await;
        connection.say(&log(now(), what)).await;
        assert_eq!(line(&mut collected).await, what);
    }
}

/// A text frame as bytes, unmasked, as a server sends it.
fn frame(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).expect("a short text");
    [&[0x81, 126], &length.to_be_bytes()[..], text.as_bytes()].concat()
}

#[tokio::test]
async fn bytes_that_trickle_are_a_frame_when_all_have_come() {
    let server = AppServer::start().await;
    let mut collected = observe(&server);
    let mut connection = server.accept().await;
    for byte in frame(&log(now(), "slow")) {
        connection.0.get_mut().write_all(&[byte]).await.expect("the link listens");
        tokio::task::yield_now().await;
    }
    assert_eq!(line(&mut collected).await, "slow");
    assert!(!collected.passed.iter().any(|seen| {
        matches!(seen, Seen::Event(Event::SourceState(state)) if state.state == State::Down)
    }));
}

#[tokio::test]
async fn a_greeting_that_trickles_for_too_long_is_given_up() {
    let server = AppServer::start().await;
    let pace = Pace { greeting_max: Duration::from_millis(200), ..fast() };
    let mut collected = start(&config(&server.url(), pace));
    let mut stream = server.accept_bare().await;
    let trickling = tokio::spawn(async move {
        // Until the other side closes.
        for byte in b"HTTP/1.1 101 Switching Protocols\r\n".iter().cycle() {
            if stream.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let down = collected.state(NAME, State::Down).await;
    assert!(down.reason.contains("no answer"), "{}", down.reason);
    trickling.await.expect("it ends with the connection");
    let _connection = server.accept().await;
    collected.state(NAME, State::Up).await;
}

#[tokio::test]
async fn a_peer_that_disappears_within_a_frame_costs_that_frame_alone() {
    let server = AppServer::start().await;
    let mut collected = observe(&server);
    for is_reset in [true, false] {
        let mut connection = server.accept().await;
        collected.state(NAME, State::Up).await;
        connection.say(&log(now(), "whole")).await;
        assert_eq!(line(&mut collected).await, "whole");
        let torn = frame(&log(now(), "torn"));
        let stream = connection.0.get_mut();
        stream.write_all(&torn[..torn.len() / 2]).await.expect("the link listens");
        if is_reset {
            stream.set_zero_linger().expect("it is connected");
        }
        drop(connection);
        let down = collected.state(NAME, State::Down).await;
        assert!(down.reason.contains("did the app-server restart"), "{}", down.reason);
        assert!(collected.passed.is_empty(), "{:?}", collected.passed);
    }
}
