//! Records that this version cannot read: passed over, counted and told, and nothing else is lost.

use monitor_backend::journal::{Flags, NewRecord};

use super::*;

/// Arrays in arrays, as deep as a payload is long.
static DEPTH_BOMB: [u8; 100_000] = [0x91; 100_000];

fn record<'a>(kind: u16, flags: Flags, key: u64, payload: &'a [u8]) -> NewRecord<'a> {
    NewRecord { kind, flags, time_ns: 1, key, class: 0, payload }
}

/// Puts records into a journal as another version might have.
fn plant(dir: &Path, records: &[NewRecord<'_>]) {
    let (mut writer, _, _) = journal::open(setup(dir).journal).expect("the journal opens");
    writer.append(records).expect("it is appended");
    writer.close().expect("it is closed");
}

async fn told(dir: &Path) -> (Vec<String>, Vec<String>) {
    let started = start(setup(dir)).await;
    send(&started, vec![pod("a", "Running")]).await;
    settle(&started).await;
    assert_eq!(started.published.snapshot.load().state.objects.len(), 1);
    let boots = events(&reader(&started), &[kind::BOOT]);
    let Some(Event::Boot(boot)) = boots.last() else { panic!("a start is recorded") };
    let health = started.published.health.load_full();
    for line in &health.passed_over {
        assert!(boot.recovery.contains(line.as_str()), "the boot record tells it: {line}");
    }
    stop(started).await;
    (health.degraded.clone(), health.passed_over.clone())
}

#[tokio::test]
async fn payloads_that_no_decoder_takes_are_counted_and_named() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    // An array that claims four billion elements, and one that is too deep.
    let huge = [0xdd, 0xff, 0xff, 0xff, 0xff];
    let records = [
        record(kind::OBJECT_OBSERVED, Flags::STATE, 7, &huge),
        record(kind::TRACE, Flags::STATE, 8, &DEPTH_BOMB),
        // What has ended is gone, whatever its last words were.
        record(kind::LIVE_QUERY, Flags::END, 9, b"no"),
    ];
    plant(dir.path(), &records);
    let (degraded, passed_over) = told(dir.path()).await;
    let line = "2 records could not be decoded and were passed over: events 1, 2";
    assert_eq!(degraded, [line]);
    assert_eq!(passed_over, [line]);
}

#[tokio::test]
async fn kinds_of_a_later_version_are_counted_and_only_some_are_missed() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    plant(dir.path(), &[record(0x7001, Flags::STATE, 7, b"later")]);
    let (degraded, passed_over) = told(dir.path()).await;
    assert_eq!((degraded.len(), passed_over.len()), (0, 1));
    assert!(passed_over[0].contains("0x7001"), "{passed_over:?}");

    plant(dir.path(), &[record(0x7002, Flags::STATE.with(Flags::MUST_UNDERSTAND), 8, b"later")]);
    let (degraded, passed_over) = told(dir.path()).await;
    assert_eq!((degraded.len(), passed_over.len()), (1, 3));
    assert!(degraded[0].contains("incomplete"), "{degraded:?}");
}
