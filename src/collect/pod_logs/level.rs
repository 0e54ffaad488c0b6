//! How bad a line says that it is.
//!
//! Only where a format puts its level is looked: behind `level=`, in the first letters, or in the
//! head of the line, which is made of times, numbers and names in brackets. A word deeper in the
//! prose says nothing.

use crate::event::Level;

/// The head of a line is not longer, bytes.
const HEAD_BYTES_MAX: usize = 160;

/// Words in the head of a line.
const HEAD_WORDS_MAX: usize = 10;

/// `level=` stands within so many bytes.
const LOGFMT_BYTES_MAX: usize = 400;

/// What a level is called. Some words are no level outside of capitals or brackets, but nobody asks
/// for others than these.
pub fn of_word(word: &str) -> Option<Level> {
    const ERROR: [&str; 13] = [
        "error",
        "err",
        "eror",
        "fatal",
        "crit",
        "critical",
        "panic",
        "severe",
        "emerg",
        "emergency",
        "alert",
        "dpanic",
        "fail",
    ];
    const DEBUG: [&str; 6] = ["debug", "dbg", "dbug", "verbose", "fine", "config"];
    let is = |names: &[&str]| names.iter().any(|name| word.eq_ignore_ascii_case(name));
    if is(&ERROR) {
        Some(Level::Error)
    } else if is(&["warn", "warning", "wrn"]) {
        Some(Level::Warn)
    } else if is(&["info", "inf", "information", "notice", "log"]) {
        Some(Level::Info)
    } else if is(&DEBUG) {
        Some(Level::Debug)
    } else if is(&["trace", "trc", "trce", "finer", "finest"]) {
        Some(Level::Trace)
    } else {
        None
    }
}

/// The numbers of bunyan and pino; syslog counts from 0 to 7.
pub fn of_number(number: f64) -> Option<Level> {
    match number {
        0.0..=3.0 => Some(Level::Error),
        4.0 => Some(Level::Warn),
        5.0 | 6.0 => Some(Level::Info),
        7.0 => Some(Level::Debug),
        10.0..20.0 => Some(Level::Trace),
        20.0..30.0 => Some(Level::Debug),
        30.0..40.0 => Some(Level::Info),
        40.0..50.0 => Some(Level::Warn),
        50.0..=60.0 => Some(Level::Error),
        _ => None,
    }
}

/// The level of a plain line; `None` where it says none.
pub fn of_line(line: &str) -> Option<Level> {
    of_first_letters(line)
        .or_else(|| of_head(line))
        .or_else(|| of_logfmt(line))
        .or_else(|| of_access(line))
}

/// Whether a line goes on with what the line above began: the rest of a stack trace, the details
/// of a database's error.
pub fn goes_on(line: &str) -> bool {
    const STARTS: [&str; 5] = ["Caused by: ", "at ", "... ", "goroutine ", "created by "];
    const DETAILS: [&str; 5] =
        [" DETAIL:  ", " HINT:  ", " STATEMENT:  ", " CONTEXT:  ", " QUERY:  "];
    let head = up_to(line, HEAD_BYTES_MAX);
    line.starts_with([' ', '\t', '}', ')'])
        || STARTS.iter().any(|start| line.starts_with(start))
        || DETAILS.iter().any(|detail| head.contains(detail))
}

/// klog (`E1124 13:37:32.1 ...`) and the first words of crashes.
fn of_first_letters(line: &str) -> Option<Level> {
    const CRASHES: [&str; 6] = [
        "Traceback (most recent call last):",
        "Exception in thread ",
        "Unhandled exception",
        "fatal error: ",
        "panic: ",
        "npm ERR!",
    ];
    if CRASHES.iter().any(|crash| line.starts_with(crash)) || is_rust_panic(line) {
        return Some(Level::Error);
    }
    let bytes = line.as_bytes();
    let is_klog = bytes.len() > 6 && bytes[1..5].iter().all(u8::is_ascii_digit) && bytes[5] == b' ';
    match bytes.first() {
        Some(b'I') if is_klog => Some(Level::Info),
        Some(b'W') if is_klog => Some(Level::Warn),
        Some(b'E' | b'F') if is_klog => Some(Level::Error),
        _ => None,
    }
}

fn is_rust_panic(line: &str) -> bool {
    line.starts_with("thread '") && up_to(line, HEAD_BYTES_MAX).contains(" panicked at ")
}

/// A level among the first words, if nothing but times, numbers and names stands before it.
fn of_head(line: &str) -> Option<Level> {
    let mut words = up_to(line, HEAD_BYTES_MAX).split_ascii_whitespace().peekable();
    for number in 0..HEAD_WORDS_MAX {
        let word = words.next()?;
        if let Some(level) = of_head_word(word, number == 0) {
            return Some(level);
        }
        let is_name = words.peek().is_some_and(|next| matches!(*next, "-" | "|" | "---"));
        if !is_name && !is_of_head(word) {
            return None;
        }
    }
    None
}

/// A word in capitals, in brackets, or in front of a colon at the very beginning.
fn of_head_word(word: &str, is_first: bool) -> Option<Level> {
    const BRACKETS: &[char] = &['[', ']', '(', ')', '<', '>', '|', '{', '}'];
    let bare = word.trim_matches(BRACKETS).trim_end_matches([':', ',', ';']);
    let bare = bare.trim_matches(BRACKETS);
    let is_bracketed = word.starts_with(BRACKETS) && bare.len() < word.len();
    let first = bare.split([':', '/']).next().unwrap_or_default();
    let is_capital = !first.is_empty() && first.bytes().all(|b| b.is_ascii_uppercase());
    if is_capital || is_bracketed {
        return of_word(first);
    }
    if is_first && word.ends_with(':') {
        let is_exception = ["Error", "Exception"].iter().any(|end| bare.ends_with(end));
        return if is_exception { Some(Level::Error) } else { of_word(bare) };
    }
    None
}

/// A time, a number, something in brackets or quotes of a format; no prose.
fn is_of_head(word: &str) -> bool {
    const NAMES: [&str; 17] = [
        "UTC", "GMT", "CET", "CEST", "-", "|", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
        "Aug", "Sep", "Oct", "Nov",
    ];
    word.starts_with(['[', '(', '<', '{'])
        || word.ends_with(']')
        || word.bytes().any(|b| b.is_ascii_digit() || b == b'@')
        || NAMES.contains(&word)
        || word == "Dec"
}

/// `level=warn`, with or without quotes.
fn of_logfmt(line: &str) -> Option<Level> {
    let head = up_to(line, LOGFMT_BYTES_MAX);
    for name in ["level=", "lvl=", "severity="] {
        for (at, _) in head.match_indices(name) {
            if at > 0 && head.as_bytes()[at - 1] != b' ' {
                continue;
            }
            let value = head[at + name.len()..].trim_start_matches('"');
            let end = value.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(value.len());
            if let Some(level) = of_word(&value[..end]) {
                return Some(level);
            }
        }
    }
    None
}

/// The status in a line of a web server's access log: what failed in the server is an error.
fn of_access(line: &str) -> Option<Level> {
    let (_, behind) = line.split_once(" HTTP/")?;
    let status = behind.split_once("\" ")?.1.get(..3)?;
    let status: u16 = status.parse().ok()?;
    Some(if (500..600).contains(&status) { Level::Error } else { Level::Info })
}

/// The first bytes of a text, whole characters only.
fn up_to(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_is_found_where_each_format_puts_it() {
        use Level::{Debug, Error, Info, Trace, Warn};
        for (level, line) in [
            (Info, "2026-11-24T13:37:32.1Z  INFO app_server::db: ready"),
            (Warn, "[2026-11-24T13:37:32Z WARN  app_server] slow"),
            (Error, "2026-11-24 13:37:32,123 ERROR [main] c.e.App - failed"),
            (Info, "2026-11-24 13:37:32,123 [main] INFO  com.example.App - started"),
            (Warn, "2026-11-24T13:37:32.1Z  WARN 1 --- [main] c.e.App : odd"),
            (Error, "E1124 13:37:32.123456       1 reflector.go:147] failed"),
            (Warn, "W1124 13:37:32.123456       1 x.go:1] odd"),
            (Info, "I1124 13:37:32.123456       1 x.go:1] error is only a word here"),
            (Error, "2026/11/24 13:37:32 [error] 29#29: *1 open() failed"),
            (Info, "10.0.0.1 - - [24/Nov/2026:13:37:32 +0000] \"GET / HTTP/1.1\" 404 12"),
            (Error, "10.0.0.1 - - [24/Nov/2026:13:37:32 +0000] \"GET / HTTP/1.1\" 502 12"),
            (Error, "2026-11-24 13:37:32.123 UTC [73] ERROR:  relation \"x\" does not exist"),
            (Error, "2026-11-24 13:37:32.123 UTC [73] app@db FATAL:  too many connections"),
            (Info, "2026-11-24 13:37:32.123 UTC [1] LOG:  checkpoint starting: time"),
            (Error, "ERROR:root:something failed"),
            (Warn, "2026-11-24 13:37:32,123 - my.module - WARNING - odd"),
            (Error, "ValueError: not a number"),
            (Error, "java.lang.IllegalStateException: no"),
            (Error, "error: could not connect"),
            (Error, "Traceback (most recent call last):"),
            (Error, "thread 'main' (1) panicked at src/main.rs:2:5:"),
            (Error, "panic: runtime error: index out of range"),
            (Warn, "time=\"2026-11-24T13:37:32Z\" level=warning msg=\"odd\""),
            (Debug, "ts=2026-11-24T13:37:32Z caller=main.go:1 level=debug msg=x"),
            (Error, "msg=x level=\"error\""),
            (Trace, "[TRACE] deep"),
            (Warn, "24 Nov 2026 13:37:32 <warn> odd"),
        ] {
            assert_eq!(of_line(line), Some(level), "{line}");
        }
    }

    #[test]
    fn a_word_in_the_prose_is_no_level() {
        for line in [
            "connected without any ERROR so far",
            "the error count is 0",
            "2026-11-24 13:37:32 request had no error: fine",
            "handled 3 requests with level=high noise",
            "Info about the warning: none",
            "sublevel=error",
            "GET /error HTTP/1.1",
            "",
            "ok",
        ] {
            assert_eq!(of_line(line), None, "{line}");
        }
    }

    #[test]
    fn the_rest_of_a_stack_trace_goes_on() {
        for line in [
            "    at com.example.App.main(App.java:3)",
            "\tat x",
            "Caused by: java.io.IOException: no",
            "... 12 more",
            "goroutine 1 [running]:",
            "2026-11-24 13:37:32.123 UTC [73] STATEMENT:  select 1",
        ] {
            assert!(goes_on(line), "{line}");
        }
        assert!(!goes_on("attached") && !goes_on("done"));
    }
}
