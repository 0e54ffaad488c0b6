//! Which page sent a request, as far as a browser tells.

use std::net::IpAddr;

use hyper::{
    HeaderMap,
    header::{HOST, ORIGIN},
};

/// Which page sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Provenance {
    /// One of this site.
    Here,
    /// One of another site.
    Elsewhere,
    /// It does not say: no browser, or an old one.
    Unknown,
}

/// Reads it from what a page cannot set.
pub(in crate::http) fn provenance(headers: &HeaderMap) -> Provenance {
    let is_here = match (headers.get("sec-fetch-site"), headers.get(ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => {
            let origin = origin.to_str().unwrap_or("");
            let host = headers.get(HOST).and_then(|host| host.to_str().ok());
            origin.split_once("://").is_some_and(|(_, name)| Some(name) == host)
        }
        (None, None) => return Provenance::Unknown,
    };
    if is_here { Provenance::Here } else { Provenance::Elsewhere }
}

/// Whether a request is for `localhost` or an address, with or without a port.
pub(super) fn names_this_machine(headers: &HeaderMap) -> bool {
    match headers.get(HOST).map(|host| host.to_str().unwrap_or("")) {
        None => true,
        Some(host) => is_local_name(host),
    }
}

fn is_local_name(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(""),
        None => host.split(':').next().unwrap_or(""),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let name: hyper::header::HeaderName = name.parse().unwrap();
            (name, value.parse().unwrap())
        });
        pairs.collect()
    }

    #[test]
    fn a_page_of_this_site_is_told_from_others() {
        let of = |pairs: &[(&str, &str)]| provenance(&headers(pairs));
        assert_eq!(of(&[]), Provenance::Unknown);
        assert_eq!(of(&[("sec-fetch-site", "same-origin")]), Provenance::Here);
        for site in ["cross-site", "same-site", "none"] {
            assert_eq!(of(&[("sec-fetch-site", site)]), Provenance::Elsewhere);
        }
        let host = ("host", "localhost:5130");
        assert_eq!(of(&[host, ("origin", "http://localhost:5130")]), Provenance::Here);
        assert_eq!(of(&[host, ("origin", "http://localhost:5131")]), Provenance::Elsewhere);
        assert_eq!(of(&[host, ("origin", "null")]), Provenance::Elsewhere);
    }

    #[test]
    fn a_replay_answers_to_local_names_alone() {
        for host in ["localhost", "LOCALHOST:5130", "127.0.0.1:1", "[::1]:5130", "10.1.2.3"] {
            assert!(is_local_name(host), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example:80", "", "[evil]"] {
            assert!(!is_local_name(host), "{host}");
        }
    }
}
