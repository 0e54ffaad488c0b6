//! Takes credentials out of text: those that are known by their form, and those that a name in
//! front of them tells of.

use std::borrow::Cow;

use super::{REDACTED, names::Names};

/// A shorter word after `Bearer` is prose.
const BEARER_CHARS_MIN: usize = 8;

/// Redacts what is a credential wherever it stands.
pub fn redacted<'a>(text: &'a str, _names: &Names) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(text);
    for find in [private_key, bearer_token, url_password] {
        let mut from = 0;
        while let Some((start, end)) = find(&text, from) {
            text.to_mut().replace_range(start..end, REDACTED);
            from = start + REDACTED.len();
        }
    }
    text
}

/// A PEM block whose label ends in `PRIVATE KEY`; to the end of the text where it is cut off.
pub fn private_key(text: &str, from: usize) -> Option<(usize, usize)> {
    const BEGIN: &str = "-----BEGIN ";
    const LABEL: &str = "PRIVATE KEY-----";
    const END: &str = "-----END ";
    let mut from = from;
    loop {
        let start = from + text[from..].find(BEGIN)?;
        let label = start + BEGIN.len();
        from = label;
        // The label ends with the first dashes.
        let label_end = label + text[label..].find("-----")? + 5;
        if !text[label..label_end].ends_with(LABEL) {
            continue;
        }
        let end = match text[label_end..].find(END) {
            Some(at) => {
                let after = label_end + at + END.len();
                text[after..].find("-----").map_or(text.len(), |at| after + at + 5)
            }
            None => text.len(),
        };
        return Some((start, end));
    }
}

/// The token after `Bearer `, in any case.
fn bearer_token(text: &str, from: usize) -> Option<(usize, usize)> {
    const WORD: &[u8] = b"bearer ";
    let bytes = text.as_bytes();
    let mut at = from;
    while at + WORD.len() <= bytes.len() {
        let found = bytes[at..].windows(WORD.len()).position(|w| w.eq_ignore_ascii_case(WORD))?;
        let start = at + found + WORD.len();
        let is_token = |b: &u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(b);
        let length = bytes[start..].iter().take_while(|b| is_token(b)).count();
        if length >= BEARER_CHARS_MIN {
            return Some((start, start + length));
        }
        at = start;
    }
    None
}

/// The password of `scheme://user:password@host`.
fn url_password(text: &str, from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    while let Some(found) = text[at..].find("://") {
        let authority = at + found + 3;
        at = authority;
        let is_end = |c: char| c.is_whitespace() || "/?#\"'<>".contains(c);
        let end = text[authority..].find(is_end).map_or(text.len(), |found| authority + found);
        let Some(host) = text[authority..end].rfind('@').map(|found| authority + found) else {
            continue;
        };
        let Some(colon) = text[authority..host].find(':').map(|found| authority + found) else {
            continue;
        };
        let password = (colon + 1, host);
        if password.0 < password.1 && &text[password.0..password.1] != REDACTED {
            return Some(password);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Cow<'_, str> {
        redacted(text, &Names::default())
    }

    #[test]
    fn credentials_in_text_are_taken_out_wherever_they_stand() {
        let check = |input: &str, expected: &str| assert_eq!(text(input), expected);
        check("Authorization: Bearer abc.def-123 end", "Authorization: Bearer [redacted] end");
        check("BEARER abcdefgh", "BEARER [redacted]");
        check("the bearer of news", "the bearer of news");
        check("bearer ", "bearer ");
        check("postgres://me:pw@db:5432/x", "postgres://me:[redacted]@db:5432/x");
        check("a://u:p@h b://u:p@h", "a://u:[redacted]@h b://u:[redacted]@h");
        check("http://host:80/a@b", "http://host:80/a@b");
        check(
            "x -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- y",
            "x [redacted] y",
        );
        check("-----BEGIN PRIVATE KEY-----\nMII", "[redacted]");
        check("-----BEGIN CERTIFICATE-----\nMII", "-----BEGIN CERTIFICATE-----\nMII");
        check(
            "-----BEGIN CERTIFICATE-----\na\n-----END CERTIFICATE-----\n-----BEGIN EC PRIVATE KEY-----\nb",
            "-----BEGIN CERTIFICATE-----\na\n-----END CERTIFICATE-----\n[redacted]",
        );
        check("-----BEGIN ", "-----BEGIN ");
        check("plain \u{e9}\u{4e16} text", "plain \u{e9}\u{4e16} text");
    }

    #[test]
    fn redacting_again_changes_nothing() {
        let once = text("Bearer abcdefgh1 postgres://a:b@c").into_owned();
        assert_eq!(text(&once), once);
    }
}
