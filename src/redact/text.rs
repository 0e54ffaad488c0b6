//! Takes credentials out of text: those that are known by their form, and those that a name in
//! front of them tells of.
//!
//! Nearly every text holds none, and this looks at every line of every log, so each search goes by
//! bytes that are rare. What has no form and no name is not found: a bare word that happens to be a
//! password.

use std::{borrow::Cow, sync::LazyLock};

use memchr::memmem;
use regex::Regex;

use super::{REDACTED, names::Names, pairs};

/// A shorter word after `Bearer` is prose.
const BEARER_CHARS_MIN: usize = 8;

/// Credentials that are known by their form: access keys of clouds, tokens of code hosts and chats,
/// JSON Web Tokens, private keys in base64.
const FORMS: &str = concat!(
    r"\b(?:",
    r"(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    r"|AIza[0-9A-Za-z_-]{35}",
    r"|gh[opsur]_[0-9A-Za-z]{36,255}",
    r"|github_pat_[0-9A-Za-z_]{22,255}",
    r"|glpat-[0-9A-Za-z_-]{20,255}",
    r"|xox[abeoprs]-[0-9A-Za-z-]{10,255}",
    r"|[rs]k_(?:live|test)_[0-9A-Za-z]{16,255}",
    r"|sk-(?:ant-|proj-)?[0-9A-Za-z_-]{32,255}",
    r"|npm_[0-9A-Za-z]{36}",
    r"|hvs\.[0-9A-Za-z_-]{24,255}",
    r"|eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{4,}\.[0-9A-Za-z_-]*",
    r"|LS0tLS1CRUdJTiB(?:QUklWQVRF|SU0Eg|FQyBQ|PUEVO|FTkNS)[0-9A-Za-z+/=]*",
    r")"
);

/// What every credential with a form has in it, found in one pass for all of them.
const HINTS: &str = concat!(
    r"earer |EARER |-----BEGIN |://|@tcp\(|AKIA|ASIA|AIza|gh[opsur]_|github_pat_|glpat-",
    r"|xox[abeoprs]-|[rs]k_live_|[rs]k_test_|sk-|npm_|hvs\.|eyJ|LS0tLS1CRUdJTiB"
);

static HINT: LazyLock<Regex> = LazyLock::new(|| Regex::new(HINTS).expect("a good pattern"));

static FORM: LazyLock<Regex> = LazyLock::new(|| Regex::new(FORMS).expect("a good pattern"));

/// The text without what is a credential.
pub fn redacted<'a>(text: &'a str, names: &Names) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(text);
    if HINT.is_match(&text) {
        for search in [private_key, bearer_token, url_password, driver_password, known_form] {
            take_out(&mut text, search);
        }
    }
    take_out(&mut text, |text, from| pairs::find(text, from, names));
    text
}

fn take_out(text: &mut Cow<'_, str>, search: impl Fn(&str, usize) -> Option<(usize, usize)>) {
    let mut from = 0;
    while let Some((start, end)) = search(text, from) {
        text.to_mut().replace_range(start..end, REDACTED);
        from = start + REDACTED.len();
    }
}

fn known_form(text: &str, from: usize) -> Option<(usize, usize)> {
    FORM.find_at(text, from).map(|found| (found.start(), found.end()))
}

/// The password of `user:password@tcp(host)`, as drivers in Go take it.
fn driver_password(text: &str, from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    loop {
        let end = at + find(text, at, "@tcp(")?;
        at = end + 1;
        let start = text[from..end].rfind(|c: char| c.is_whitespace() || "\"'=".contains(c));
        let start = start.map_or(from, |found| from + found + 1);
        let Some(colon) = text[start..end].find(':').map(|found| start + found) else { continue };
        if colon + 1 < end && &text[colon + 1..end] != REDACTED {
            return Some((colon + 1, end));
        }
    }
}

/// A PEM block whose label ends in `PRIVATE KEY`; to the end of the text where it is cut off.
pub fn private_key(text: &str, from: usize) -> Option<(usize, usize)> {
    const BEGIN: &str = "-----BEGIN ";
    const LABEL: &str = "PRIVATE KEY-----";
    const END: &str = "-----END ";
    let mut from = from;
    loop {
        let start = from + find(text, from, BEGIN)?;
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

/// The token after `Bearer `, also in capitals or without any.
fn bearer_token(text: &str, from: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        // Two letters less than the word, so that a capital does not matter.
        let [small, capital] = ["earer ", "EARER "].map(|end| find(text, at, end));
        let found = small.into_iter().chain(capital).min()?;
        let start = at + found + "earer ".len();
        at = start;
        let is_token = |b: &u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(b);
        let length = bytes[start..].iter().take_while(|b| is_token(b)).count();
        if length >= BEARER_CHARS_MIN {
            return Some((start, start + length));
        }
    }
}

/// Where a needle begins, counted from `from` on.
fn find(text: &str, from: usize, needle: &str) -> Option<usize> {
    memmem::find(&text.as_bytes()[from..], needle.as_bytes())
}

/// The password of `scheme://user:password@host`.
fn url_password(text: &str, from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    while let Some(found) = find(text, at, "://") {
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
        check("root:pw@tcp(db:3306)/x", "root:[redacted]@tcp(db:3306)/x");
        check("plain \u{e9}\u{4e16} text", "plain \u{e9}\u{4e16} text");
    }

    #[test]
    fn redacting_again_changes_nothing() {
        let once = text("Bearer abcdefgh1 postgres://a:b@c").into_owned();
        assert_eq!(text(&once), once);
    }
}
