//! Credentials that a name in front tells of: `password=x`, `"token": "x"`, `Cookie: x`, `--key x`.

use memchr::{memchr2_iter, memmem};

use super::{
    REDACTED,
    names::{Care, Names},
};

/// No name is longer; no credential has a shorter value that is worth hiding from prose.
const NAME_BYTES_MAX: usize = 64;

/// A value in prose is a credential only if it is as long.
const PROSE_CHARS_MIN: usize = 6;

/// How a signature in a URL is called, and how long it is.
const SIGNATURE: (&str, usize) = ("sig", 20);

/// Numbers of tokens are counts up to so many digits.
const COUNT_DIGITS_MAX: usize = 8;

/// The value of the next pair from `from` on whose name tells.
pub fn find(text: &str, from: usize, names: &Names) -> Option<(usize, usize)> {
    let bytes = &text.as_bytes()[from..];
    let signs = memchr2_iter(b'=', b':', bytes).map(|at| from + at);
    let pair = signs.filter_map(|at| pair(text, at, names)).next();
    let before = pair.map_or(text.len(), |(start, _)| start);
    let flags = memmem::find_iter(bytes, " --").map(|at| from + at + 1);
    let flag = flags.take_while(|at| *at < before).filter_map(|at| flag(text, at, names)).next();
    flag.into_iter().chain(pair).min()
}

/// `--password x`, as a command line in a text has it; `at` is where the flag begins.
fn flag(text: &str, at: usize, names: &Names) -> Option<(usize, usize)> {
    let (start, end) = bare(text, at);
    if text.as_bytes().get(end) != Some(&b' ') || !names.tell(&text[start..end], Care::Chosen) {
        return None;
    }
    let value = bare(text, end + 1);
    let is_value = !text[value.0..].starts_with('-') && is_worth(&text[value.0..value.1]);
    is_value.then_some(value)
}

/// A name, `=` or `:` at `at`, and a value.
fn pair(text: &str, at: usize, names: &Names) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let is_colon = bytes[at] == b':';
    if is_colon && matches!(bytes.get(at + 1), Some(b':' | b'/')) {
        return None;
    }
    let name_end = at - usize::from(at > 0 && bytes[at - 1] == b' ');
    let (start, end) = name_before(text, name_end)?;
    let name = text[start..end].trim_start_matches('-');
    if name != SIGNATURE.0 && !names.may_tell(name.as_bytes()) {
        return None;
    }
    let value = value_after(text, at + 1)?;
    let content = &text[value.from..value.to];
    if name == SIGNATURE.0 && !is_colon && content.len() >= SIGNATURE.1 {
        return Some((value.from, value.to));
    }
    if !names.tell(name, Care::Anywhere) {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    if lower.ends_with("cookie") && is_colon {
        return whole_header(text, value);
    }
    if lower.ends_with("authorization") {
        return after_scheme(text, value);
    }
    let is_count = lower.contains("token")
        && content.len() <= COUNT_DIGITS_MAX
        && content.bytes().all(|b| b.is_ascii_digit());
    if !is_worth(content) || is_count {
        return None;
    }
    let is_name_quoted = end < name_end;
    let is_line = text[..start].trim().is_empty() && text[value.to..].trim().is_empty();
    let is_sure = !is_colon || is_name_quoted || is_line || is_random(content);
    is_sure.then_some((value.from, value.to))
}

/// The name that ends at `end`, or in front of a quote that does.
fn name_before(text: &str, end: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut end = end;
    if end > 0 && matches!(bytes[end - 1], b'"' | b'\'') {
        end -= 1;
        while end > 0 && bytes[end - 1] == b'\\' {
            end -= 1;
        }
    }
    let is_of_name = |b: &u8| b.is_ascii_alphanumeric() || b"_-.".contains(b);
    let length =
        bytes[..end].iter().rev().take(NAME_BYTES_MAX).take_while(|b| is_of_name(b)).count();
    (length > 1).then_some((end - length, end))
}

#[derive(Clone, Copy)]
struct Value {
    from: usize,
    to: usize,
    is_quoted: bool,
}

/// The value from `at` on: what stands in quotes, else a word.
fn value_after(text: &str, at: usize) -> Option<Value> {
    let bytes = text.as_bytes();
    let at = at + usize::from(bytes.get(at) == Some(&b' '));
    let escapes = bytes[at..].iter().take_while(|b| **b == b'\\').count();
    match bytes.get(at + escapes) {
        Some(quote @ (b'"' | b'\'')) => {
            let from = at + escapes + 1;
            let to = end_of_quoted(bytes, from, *quote, escapes);
            Some(Value { from, to, is_quoted: true })
        }
        Some(_) => {
            let (from, to) = bare(text, at);
            Some(Value { from, to, is_quoted: false })
        }
        None => None,
    }
}

/// Where a quoted text ends: at the same quote with as many backslashes, else with the text.
fn end_of_quoted(bytes: &[u8], from: usize, quote: u8, escapes: usize) -> usize {
    let mut backslashes = 0;
    for (at, byte) in bytes.iter().enumerate().skip(from) {
        match *byte {
            b'\\' => backslashes += 1,
            byte if byte == quote && backslashes == escapes => return at - escapes,
            _ => backslashes = 0,
        }
    }
    bytes.len()
}

/// The word from `from` on.
fn bare(text: &str, from: usize) -> (usize, usize) {
    let is_end = |c: char| c.is_whitespace() || ",;&\"'<>)]}|\\".contains(c);
    let end = text[from..].find(is_end).map_or(text.len(), |found| from + found);
    (from, end)
}

/// The words of a header until its end: that of its quotes or of its line.
fn whole_header(text: &str, value: Value) -> Option<(usize, usize)> {
    let Value { from, to, is_quoted } = value;
    let to = if is_quoted {
        to
    } else {
        text[from..].find(['\n', '\r', '"']).map_or(text.len(), |found| from + found)
    };
    is_worth(&text[from..to]).then_some((from, to))
}

/// `Basic x`: the scheme is no secret.
fn after_scheme(text: &str, value: Value) -> Option<(usize, usize)> {
    const SCHEMES: [&str; 6] =
        ["basic", "bearer", "digest", "negotiate", "token", "aws4-hmac-sha256"];
    let Value { from, to, is_quoted } = value;
    let end = if is_quoted { to } else { text.len() };
    let scheme = text[from..end].split(' ').next().unwrap_or_default();
    if !SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return (is_worth(&text[from..to]) && (is_quoted || is_random(&text[from..to])))
            .then_some((from, to));
    }
    let from = from + scheme.len() + 1;
    if from > end {
        return None;
    }
    let to = if is_quoted { end } else { bare(text, from).1 };
    is_worth(&text[from..to]).then_some((from, to))
}

/// Whether a value can be a credential at all.
fn is_worth(value: &str) -> bool {
    const NOTHING: [&str; 8] =
        ["null", "none", "nil", "true", "false", "undefined", "<nil>", "***"];
    !value.is_empty()
        && !value.starts_with(REDACTED.trim_end_matches(']'))
        && !value.starts_with(['$', '%', '{', '<', '*', '('])
        && !NOTHING.iter().any(|nothing| value.eq_ignore_ascii_case(nothing))
}

/// Whether a value is no word of a sentence.
fn is_random(value: &str) -> bool {
    let has = |test: fn(&u8) -> bool| value.bytes().any(|b| test(&b));
    let is_mixed =
        value.bytes().skip(1).any(|b| b.is_ascii_uppercase()) && has(|b| b.is_ascii_lowercase());
    value.len() >= PROSE_CHARS_MIN
        && (has(u8::is_ascii_digit) || is_mixed || has(|b| b"+=$!#%^*@~".contains(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expected: &str) {
        let (mut text, mut from) = (input.to_owned(), 0);
        while let Some((start, end)) = find(&text, from, &Names::default()) {
            text.replace_range(start..end, REDACTED);
            from = start + REDACTED.len();
        }
        assert_eq!(text, expected);
    }

    #[test]
    fn what_a_name_tells_of_is_taken_out() {
        check("user=me password=hunter2 host=db", "user=me password=[redacted] host=db");
        check("GET /x?a=1&token=abc&b=2", "GET /x?a=1&token=[redacted]&b=2");
        check(
            r#"{"user":"a","password":"x \" y","n":1}"#,
            r#"{"user":"a","password":"[redacted]","n":1}"#,
        );
        check(
            r#"body: "{\"apiKey\":\"k1\",\"b\":2}""#,
            r#"body: "{\"apiKey\":\"[redacted]\",\"b\":2}""#,
        );
        check("  password: letmein", "  password: [redacted]");
        check("db_password = 'let me in'", "db_password = '[redacted]'");
        check("got token: 8f3ab2c91d", "got token: [redacted]");
        check("Cookie: a=b; sid=c", "Cookie: [redacted]");
        check(r#"-H "Cookie: a=b; sid=c" x"#, r#"-H "Cookie: [redacted]" x"#);
        check("Set-Cookie: sid=c; Path=/\r\nX: y", "Set-Cookie: [redacted]\r\nX: y");
        check("Authorization: Basic dXNlcjpwYXNz x", "Authorization: Basic [redacted] x");
        check(r#""authorization":"Token abcdef""#, r#""authorization":"Token [redacted]""#);
        check("run --db-password hunter2 --verbose", "run --db-password [redacted] --verbose");
        check("run --password=hunter2", "run --password=[redacted]");
        check("AccountKey=abc==;Endpoint=x", "AccountKey=[redacted];Endpoint=x");
        check("?sv=1&sig=abcdefghijklmnopqrstuvwxyz&se=2", "?sv=1&sig=[redacted]&se=2");
    }

    #[test]
    fn what_is_no_credential_stays() {
        for text in [
            "error parsing token: unexpected end",
            "password: incorrect, try again",
            "invalid token: '}' expected",
            "tokens=512 max_tokens=4096 token=17",
            "password=null secret=${SECRET} token=",
            "key=user:17 cacheKey=9 sort key: name",
            "primary key (id)=(5) exists",
            "secretName: db-credentials-v2 of pod x",
            "token_file=/run/secrets/t",
            "the cookie was eaten",
            "Authorization: failed",
            "sig=SIGTERM",
            "compass=north",
            "=: \"'",
            "a=\u{e9}",
        ] {
            check(text, text);
        }
    }
}
