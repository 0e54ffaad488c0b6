//! The placeholders of test sequences: a time, or something that is new each time.

use jiff::Timestamp;

/// Fills in `[time]` (milliseconds since 1970), `[datetime]` and `[datetime-ms]` (UTC, with a space
/// for the T and without the Z), and `[uuid]`, another one in each place.
pub fn fill(text: &str, now: Timestamp) -> String {
    let text = text
        .replace("[time]", &now.as_millisecond().to_string())
        .replace("[datetime]", &shown(now, 0))
        .replace("[datetime-ms]", &shown(now, 3));
    with_uuids(text)
}

fn shown(now: Timestamp, digits: usize) -> String {
    let text = format!("{now:.digits$}");
    text.replace('T', " ").replace('Z', "")
}

fn with_uuids(mut text: String) -> String {
    const UUID: &str = "[uuid]";
    let mut from = 0;
    while let Some(at) = text[from..].find(UUID).map(|at| at + from) {
        let uuid = uuid_v4();
        text.replace_range(at..at + UUID.len(), &uuid);
        from = at + uuid.len();
    }
    text
}

/// RFC 9562, section 5.4: random but for the version and the variant.
fn uuid_v4() -> String {
    let mut random = [0; 16];
    // Without randomness there is no unique id; the app-server then refuses the second one.
    let _ = getrandom::fill(&mut random);
    let bits = u128::from_be_bytes(random);
    let bits = bits & !(0xf << 76) | (0x4 << 76);
    let bits = bits & !(0x3 << 62) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_forms_of_the_original() {
        let now: Timestamp = "2026-01-31T06:12:03.0459Z".parse().unwrap();
        let filled = fill("[time] [datetime] [datetime-ms] [other]", now);
        assert_eq!(filled, "1769839923045 2026-01-31 06:12:03 2026-01-31 06:12:03.045 [other]");
    }

    #[test]
    fn each_uuid_is_another_one_of_version_four() {
        let filled = fill("[uuid] [uuid]", Timestamp::UNIX_EPOCH);
        let (a, b) = filled.split_once(' ').unwrap();
        assert_ne!(a, b);
        for uuid in [a, b] {
            assert_eq!(uuid.len(), 36);
            assert_eq!(&uuid[14..15], "4");
            assert!("89ab".contains(&uuid[19..20]), "{uuid}");
        }
    }
}
