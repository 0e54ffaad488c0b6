//! Which headers pass between a browser and a tool. Both lists name what passes: cookies, keys,
//! what holds for one connection alone (RFC 9110, 7.6.1), and what would speak for our whole host
//! (`Strict-Transport-Security`, `Clear-Site-Data`, `Set-Cookie`) are on neither.

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, ACCEPT_RANGES, AGE, ALLOW, CACHE_CONTROL,
    CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, DATE, ETAG, EXPIRES, HeaderMap, HeaderName, IF_MATCH, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE, RETRY_AFTER, VARY,
};

/// To the tool.
const ASKED: [HeaderName; 11] = [
    ACCEPT,
    ACCEPT_ENCODING,
    ACCEPT_LANGUAGE,
    CACHE_CONTROL,
    CONTENT_TYPE,
    IF_MATCH,
    IF_MODIFIED_SINCE,
    IF_NONE_MATCH,
    IF_RANGE,
    IF_UNMODIFIED_SINCE,
    RANGE,
];

/// From the tool. Its redirects and its content security policy are treated by themselves.
const ANSWERED: [HeaderName; 16] = [
    ACCEPT_RANGES,
    AGE,
    ALLOW,
    CACHE_CONTROL,
    CONTENT_DISPOSITION,
    CONTENT_ENCODING,
    CONTENT_LANGUAGE,
    CONTENT_LENGTH,
    CONTENT_RANGE,
    CONTENT_TYPE,
    DATE,
    ETAG,
    EXPIRES,
    LAST_MODIFIED,
    RETRY_AFTER,
    VARY,
];

/// What a tool gets of a browser's headers.
pub(super) fn asked(from: &HeaderMap) -> HeaderMap {
    passed(from, &ASKED)
}

/// What a browser gets of a tool's headers.
pub(super) fn answered(from: &HeaderMap) -> HeaderMap {
    passed(from, &ANSWERED)
}

fn passed(from: &HeaderMap, names: &[HeaderName]) -> HeaderMap {
    let mut to = HeaderMap::new();
    for name in names {
        for value in from.get_all(name) {
            to.append(name, value.clone());
        }
    }
    to
}

/// A content security policy without what it says about frames: that is ours to say. `None` where
/// nothing is left.
pub(super) fn policy_within_a_frame(policy: &str) -> Option<String> {
    let directives = policy.split(';').map(str::trim).filter(|directive| !directive.is_empty());
    let kept: Vec<&str> = directives
        .filter(|directive| {
            let name = directive.split_ascii_whitespace().next().unwrap_or_default();
            !name.eq_ignore_ascii_case("frame-ancestors")
        })
        .collect();
    (!kept.is_empty()).then(|| kept.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(names: &[&'static str]) -> HeaderMap {
        names.iter().map(|name| (HeaderName::from_static(name), "v".parse().unwrap())).collect()
    }

    fn names(map: &HeaderMap) -> Vec<&str> {
        map.keys().map(HeaderName::as_str).collect()
    }

    #[test]
    fn no_credential_and_nothing_of_one_connection_passes() {
        let kept = asked(&map(&[
            "cookie",
            "authorization",
            "proxy-authorization",
            "connection",
            "upgrade",
            "te",
            "transfer-encoding",
            "keep-alive",
            "host",
            "origin",
            "referer",
            "x-forwarded-for",
            "expect",
            "x-admin-key",
            "accept",
        ]));
        assert_eq!(names(&kept), ["accept"]);
        let kept = answered(&map(&[
            "set-cookie",
            "strict-transport-security",
            "clear-site-data",
            "connection",
            "keep-alive",
            "proxy-authenticate",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "x-frame-options",
            "content-security-policy",
            "location",
            "refresh",
            "link",
            "access-control-allow-origin",
            "service-worker-allowed",
            "alt-svc",
            "www-authenticate",
            "etag",
        ]));
        assert_eq!(names(&kept), ["etag"]);
    }

    #[test]
    fn a_policy_keeps_all_but_its_frames() {
        let kept = policy_within_a_frame("default-src 'self'; Frame-Ancestors 'none';; img-src *");
        assert_eq!(kept.as_deref(), Some("default-src 'self'; img-src *"));
        assert_eq!(policy_within_a_frame(" frame-ancestors 'none' ;"), None);
    }
}
