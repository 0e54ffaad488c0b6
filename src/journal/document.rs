//! Holds `journal-format.md` and the code together: the tables of offsets and the test vectors of
//! the document are compared with what the code writes.

use super::{
    control::{Control, SEAL_BYTES, SYNC_MARK_BYTES, Seal, Wipe},
    format::{self, Header, Salt},
    header::{Previous, SegmentHeader},
    index::{BLOCK_BYTES, Index},
    keymap::{mixed, state_hash},
    record::{Flags, PAYLOAD_BYTES_MAX},
    walk::Frame,
};

const DOCUMENT: &str = include_str!("../../journal-format.md");

const SALT: u64 = 0x0000_0101_2345_6789;
const TIME_NS: i64 = 1_700_000_000_000_000_000;

/// Offset and length of a field, as the table below a heading says.
fn field(heading: &str, name: &str) -> std::ops::Range<usize> {
    let section = DOCUMENT.split(heading).nth(1).expect("the heading is in the document");
    let rows = section.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    let mut rows = rows.filter(|cells| cells.len() > 4 && cells[3] == name);
    let row = rows.next().unwrap_or_else(|| panic!("{name} is not in the table of {heading}"));
    let number = |cell: &str| cell.parse::<usize>().expect("offset and length are numbers");
    number(row[1])..number(row[1]) + number(row[2])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn frame(header: &Header, payload: &[u8], salt: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    format::push(&mut bytes, header, payload, Salt::new(salt));
    bytes
}

fn event(seq: u64, flags: Flags, key: u64, payload: &[u8]) -> Header {
    Header {
        payload_crc: format::payload_crc(payload),
        len: payload.len() as u32,
        kind: 0x0120,
        flags,
        class: 0,
        seq,
        time_ns: TIME_NS,
        key,
    }
}

fn segment_header() -> SegmentHeader {
    SegmentHeader {
        journal_id: *b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f",
        epoch: 2,
        base_seq: 42,
        salt: SALT,
        created_ns: TIME_NS,
        capacity: 64 << 20,
        prev: Previous { salt: 0x0000_0077_0000_0001, last_seq: 41, data_end: 8192 },
        boot_id: [0xb0; 16],
    }
}

#[test]
fn the_table_of_the_record_header_is_what_is_written() {
    let payload = b"payload";
    let header = Header {
        flags: Flags(0x83),
        kind: 0x0123,
        class: 4,
        ..event(0x1112_1314_1516_1718, Flags(0), 0x2122_2324_2526_2728, payload)
    };
    let bytes = frame(&header, payload, SALT);
    let at = |name| bytes[field("### Record", name)].to_vec();
    assert_eq!(at("payload_crc"), header.payload_crc.to_le_bytes());
    assert_eq!(at("len"), 7u32.to_le_bytes());
    assert_eq!(at("kind"), 0x0123u16.to_le_bytes());
    assert_eq!(at("flags"), [0x83]);
    assert_eq!(at("class"), [4]);
    assert_eq!(at("seq"), header.seq.to_le_bytes());
    assert_eq!(at("time_ns"), TIME_NS.to_le_bytes());
    assert_eq!(at("key"), header.key.to_le_bytes());
    let covered = [&SALT.to_le_bytes(), &bytes[4..40]].concat();
    assert_eq!(at("header_crc"), crc32fast::hash(&covered).to_le_bytes());
    assert_eq!(&bytes[40..], b"payload\0");
    assert!(DOCUMENT.contains(&format!("1 to {PAYLOAD_BYTES_MAX}")));
}

#[test]
fn the_table_of_the_segment_header_is_what_is_written() {
    let (header, bytes) = (segment_header(), segment_header().encode());
    let at = |name| bytes[field("### Segment header", name)].to_vec();
    assert_eq!(hex(&at("magic")), "894d424a0d0a1a0a");
    assert_eq!((at("major"), at("minor")), (vec![1, 0], vec![0, 0]));
    assert_eq!(at("header_len"), 4096u32.to_le_bytes());
    assert_eq!((at("incompatible"), at("compatible")), (vec![0; 4], vec![0; 4]));
    assert_eq!(at("journal_id"), header.journal_id);
    assert_eq!(at("epoch"), 2u64.to_le_bytes());
    assert_eq!(at("base_seq"), 42u64.to_le_bytes());
    assert_eq!(at("salt"), SALT.to_le_bytes());
    assert_eq!(at("created_ns"), TIME_NS.to_le_bytes());
    assert_eq!(at("capacity"), header.capacity.to_le_bytes());
    assert_eq!(at("prev_salt"), header.prev.salt.to_le_bytes());
    assert_eq!(at("prev_last_seq"), 41u64.to_le_bytes());
    assert_eq!(at("prev_data_end"), 8192u64.to_le_bytes());
    assert_eq!(at("boot_id"), [0xb0; 16]);
    assert!(at("writer").starts_with(b"monitor-backend/"));
    assert_eq!(at("crc"), crc32fast::hash(&bytes[..508]).to_le_bytes());
    assert_eq!((bytes.len(), &bytes[..512]), (4096, &bytes[2048..2560]));
    assert_eq!(SegmentHeader::decode(&bytes), Ok(header));
}

#[test]
fn the_tables_of_the_index_are_what_is_written() {
    let state = event(42, Flags::STATE, 7, b"\xc0");
    let other = Header { kind: 0x0110, class: 2, time_ns: TIME_NS - 5, key: 0, seq: 43, ..state };
    let mut index = Index::new(42);
    index.add(&Frame { offset: 4096, header: state });
    index.add(&Frame { offset: 4144, header: other });
    index.add(&Frame { offset: 4096 + BLOCK_BYTES, header: Header { seq: 44, ..state } });
    let (header, payload) = index.encode(44, TIME_NS);
    assert_eq!((header.kind, header.seq, payload.len()), (3, 44, 16 + 2 * 296));
    let at = |name| payload[field("### Index\n", name)].to_vec();
    assert_eq!((at("blocks"), at("pairs")), (vec![2, 0, 0, 0], vec![2, 0, 0, 0]));
    assert_eq!(payload[8..16], [0x20, 1, 0, 0, 0x10, 1, 2, 0]);
    let at = |name| payload[16..][field("### Index block", name)].to_vec();
    assert_eq!(at("offset"), 4096u64.to_le_bytes());
    assert_eq!(at("first_seq"), 42u64.to_le_bytes());
    assert_eq!(at("time_min_ns"), (TIME_NS - 5).to_le_bytes());
    assert_eq!(at("time_max_ns"), TIME_NS.to_le_bytes());
    assert_eq!(at("holds"), (3u64 | 1 << 62).to_le_bytes());
    let mut keys = [0; 256];
    let hash = mixed(7);
    for bit in [hash % 2048, (hash >> 11) % 2048, (hash >> 22) % 2048] {
        keys[bit as usize / 8] |= 1 << (bit % 8);
    }
    assert_eq!(at("keys"), keys);
    assert_eq!(payload[16 + 296..][..8], (4096 + BLOCK_BYTES).to_le_bytes());
    assert!(DOCUMENT.contains(&format!("stands {BLOCK_BYTES} bytes or more")));
}

#[test]
fn the_test_vectors_are_what_is_written() {
    let payload = b"\x92\x01\xa2hi";
    let history = event(42, Flags::default(), 0, payload);
    let state = event(43, Flags::STATE, 7, b"\xc0");
    let restated = Header { flags: Flags(5), ..state };
    let control = |control: Control| {
        let (header, payload) = control.encode(43, TIME_NS);
        assert_eq!(Control::decode(header.kind, &payload), Some(control));
        hex(&frame(&header, &payload, SALT))
    };
    let wipe = Wipe {
        old_epoch: 1,
        first_seq: 1,
        last_seq: 43,
        bytes: 9000,
        segments: 1,
        actor: "admin key".into(),
        reason: "example".into(),
    };
    let seal = Seal {
        last_seq: 43,
        events: 2,
        living: 1,
        state_hash: state_hash(&state),
        index_offset: 4200,
    };
    let end = Control::KeyframeEnd { count: 1, state_hash: state_hash(&state) };
    let mut index = Index::new(42);
    index.add(&Frame { offset: 4096, header: history });
    index.add(&Frame { offset: 4096 + history.frame_bytes(), header: state });
    let index = index.encode(43, TIME_NS);
    let vectors = [
        ("name", segment_header().name()),
        ("history", hex(&frame(&history, payload, SALT))),
        ("state", hex(&frame(&state, b"\xc0", SALT))),
        ("restated", hex(&frame(&restated, b"\xc0", 0x0000_0202_2222_2222))),
        ("state-hash", format!("{:016x}", state_hash(&state))),
        ("sync-mark", control(Control::SyncMark { durable_seq: 43 })),
        ("keyframe-end", control(end)),
        ("index", hex(&frame(&index.0, &index.1, SALT))),
        ("seal", control(Control::Seal(seal))),
        ("leap", control(Control::Leap { from: 43, to: 1_048_620 })),
        ("wipe", control(Control::Wipe(wipe))),
    ];
    let mut missing = String::new();
    for (name, value) in vectors {
        let line = format!("{name:13} {value}\n");
        if !DOCUMENT.contains(&line) {
            missing += &line;
        }
    }
    assert!(missing.is_empty(), "journal-format.md lacks these lines:\n{missing}");
}

#[test]
fn lengths_of_control_records_are_as_reserved() {
    let seal = Seal { last_seq: 1, events: 1, living: 1, state_hash: 1, index_offset: 1 };
    let length = |control: Control| format::frame_bytes(control.encode(0, 0).1.len());
    assert_eq!(length(Control::Seal(seal)), SEAL_BYTES);
    assert_eq!(length(Control::SyncMark { durable_seq: 1 }), SYNC_MARK_BYTES);
}

#[test]
fn the_checksum_is_the_one_that_the_document_names() {
    assert_eq!(format::payload_crc(b"123456789"), 0xcbf4_3926);
    assert!(DOCUMENT.contains("0xcbf43926"));
}
