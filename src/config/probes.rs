//! `[[probes]]`: what is checked, how often, and what answer is expected.

use std::{ops::RangeInclusive, path::PathBuf, time::Duration};

use serde::Deserialize;

use crate::collect::{Check, Header, HeaderValue, HttpCheck, PROBES_MAX, Probe};

/// How often a probe may check, seconds: not to be a load, and at least once a day.
const INTERVAL_RANGE: RangeInclusive<f64> = 1.0..=86_400.0;
const INTERVAL_DEFAULT: f64 = 15.0;

/// How long a check may take, seconds; also less than the interval.
const TIMEOUT_RANGE: RangeInclusive<f64> = 0.01..=300.0;
const TIMEOUT_DEFAULT: f64 = 5.0;

/// Names are shown in lists.
const NAME_CHARS_MAX: usize = 100;

const HEADERS_MAX: usize = 20;

/// One probe.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeSection {
    name: String,
    http: Option<String>,
    tcp: Option<String>,
    interval_seconds: Option<f64>,
    timeout_seconds: Option<f64>,
    status: Option<String>,
    body: Option<String>,
    ca_file: Option<PathBuf>,
    #[serde(default)]
    headers: Vec<HeaderSection>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderSection {
    name: String,
    value: Option<String>,
    file: Option<PathBuf>,
    env: Option<String>,
}

/// The sound ones of a list of probes, and what is wrong with the others.
pub fn checked(sections: Vec<ProbeSection>) -> (Vec<Probe>, Vec<String>) {
    let (mut probes, mut faults) = (Vec::<Probe>::new(), Vec::new());
    for section in sections {
        let name = section.name.clone();
        let fault = match Probe::try_from(section) {
            Ok(_) if probes.iter().any(|known| known.name == name) => {
                "there is another one of this name before it".into()
            }
            Ok(_) if probes.len() >= PROBES_MAX => format!("{PROBES_MAX} probes come before it"),
            Ok(probe) => {
                probes.push(probe);
                continue;
            }
            Err(fault) => fault,
        };
        let name: String = name.chars().take(NAME_CHARS_MAX).collect();
        faults.push(format!("configuration file: the probe {name:?} is off: {fault}"));
    }
    (probes, faults)
}

impl TryFrom<ProbeSection> for Probe {
    type Error = String;

    fn try_from(section: ProbeSection) -> Result<Probe, String> {
        let name = section.name.clone();
        if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
            return Err(format!("its name must have 1 to {NAME_CHARS_MAX} characters"));
        }
        let (interval, timeout) = section.times()?;
        Ok(Probe { name, check: section.check()?, interval, timeout })
    }
}

impl ProbeSection {
    fn times(&self) -> Result<(Duration, Duration), String> {
        let interval = self.interval_seconds.unwrap_or(INTERVAL_DEFAULT);
        // A short interval need not be told a short time-out too.
        let timeout = self.timeout_seconds.unwrap_or(TIMEOUT_DEFAULT.min(interval / 2.0));
        within("interval_seconds", interval, INTERVAL_RANGE)?;
        within("timeout_seconds", timeout, TIMEOUT_RANGE)?;
        if timeout >= interval {
            return Err("timeout_seconds must be less than interval_seconds".into());
        }
        Ok((Duration::from_secs_f64(interval), Duration::from_secs_f64(timeout)))
    }

    fn check(self) -> Result<Check, String> {
        match (self.http.clone(), self.tcp.clone()) {
            (Some(url), None) => Ok(Check::Http(self.http_check(url)?)),
            (None, Some(address)) if self.is_bare() => tcp_check(&address),
            (None, Some(_)) => {
                Err("status, body, headers and ca_file have no place beside tcp".into())
            }
            _ => Err("it needs either http or tcp".into()),
        }
    }

    fn is_bare(&self) -> bool {
        self.status.is_none()
            && self.body.is_none()
            && self.headers.is_empty()
            && self.ca_file.is_none()
    }

    fn http_check(self, url: String) -> Result<HttpCheck, String> {
        let parsed: hyper::Uri = url.parse().map_err(|e| format!("http is not an address: {e}"))?;
        if !matches!(parsed.scheme_str(), Some("http" | "https")) {
            return Err("http must begin with http:// or https://".into());
        }
        if parsed.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err("http must not hold a user or password: send them in headers".into());
        }
        if self.headers.len() > HEADERS_MAX {
            return Err(format!("it has more than {HEADERS_MAX} headers"));
        }
        let status = self.status.as_deref().map_or(Ok(200..=299), status_range)?;
        let headers = self.headers.into_iter().map(Header::try_from).collect::<Result<_, _>>()?;
        Ok(HttpCheck { url, status, body: self.body, headers, ca_file: self.ca_file })
    }
}

fn within(name: &str, given: f64, range: RangeInclusive<f64>) -> Result<(), String> {
    if range.contains(&given) {
        return Ok(());
    }
    Err(format!("{name} must lie between {} and {}", range.start(), range.end()))
}

fn tcp_check(address: &str) -> Result<Check, String> {
    let wrong = || "tcp must look like host:5432 or [::1]:5432".to_owned();
    let (host, port) = address.rsplit_once(':').ok_or_else(wrong)?;
    let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = match bare {
        Some(bare) if bare.parse::<std::net::Ipv6Addr>().is_ok() => bare,
        None if !host.is_empty() && !host.contains([':', '/', '@', ' ']) => host,
        _ => return Err(wrong()),
    };
    Ok(Check::Tcp { host: host.to_owned(), port })
}

/// `200`, or `200-399`.
fn status_range(text: &str) -> Result<RangeInclusive<u16>, String> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let number = |text: &str| text.trim().parse().ok().filter(|n| (100..=599).contains(n));
    match (number(from), number(to)) {
        (Some(from), Some(to)) if from <= to => Ok(from..=to),
        _ => Err("status must look like \"200\" or \"200-399\"".into()),
    }
}

impl TryFrom<HeaderSection> for Header {
    type Error = String;

    fn try_from(section: HeaderSection) -> Result<Header, String> {
        let HeaderSection { name, value, file, env } = section;
        if hyper::header::HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err("a header's name holds characters that no header may have".into());
        }
        let value = match (value, file, env) {
            (Some(value), None, None) => HeaderValue::Plain(value),
            (None, Some(file), None) => HeaderValue::File(file),
            (None, None, Some(variable)) => HeaderValue::Variable(variable),
            _ => return Err(format!("the header {name} needs one of value, file and env")),
        };
        Ok(Header { name, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (Vec<Probe>, Vec<String>) {
        #[derive(Deserialize)]
        struct File {
            probes: Vec<ProbeSection>,
        }
        let file: File = toml::from_str(text).expect("the example is TOML");
        checked(file.probes)
    }

    #[test]
    fn a_probe_has_defaults_and_every_setting_is_taken() {
        let (probes, faults) =
            of("[[probes]]\nname = \"db\"\ntcp = \"[::1]:5432\"\ninterval_seconds = 2\n\
             [[probes]]\nname = \"web\"\nhttp = \"https://web/health\"\nstatus = \"200-399\"\n\
             body = \"ok\"\nca_file = \"/ca\"\ntimeout_seconds = 0.5\n\
             headers = [{ name = \"X-A\", env = \"A\" }, { name = \"X-B\", file = \"/b\" }]\n");
        assert_eq!(faults, Vec::<String>::new());
        let [db, web] = &probes[..] else { panic!("{probes:?}") };
        assert_eq!((db.interval.as_secs_f64(), db.timeout.as_secs_f64()), (2.0, 1.0));
        assert_eq!(db.check, Check::Tcp { host: "::1".into(), port: 5432 });
        assert_eq!((web.interval.as_secs_f64(), web.timeout.as_secs_f64()), (15.0, 0.5));
        let Check::Http(http) = &web.check else { panic!("{web:?}") };
        assert_eq!((http.status.clone(), http.body.as_deref()), (200..=399, Some("ok")));
        assert_eq!(http.headers[0].value, HeaderValue::Variable("A".into()));
        assert_eq!(http.headers[1].value, HeaderValue::File("/b".into()));
    }

    #[test]
    fn a_fault_costs_its_probe_alone_and_says_what_to_write() {
        for (wrong, complaint) in [
            ("", "either http or tcp"),
            ("http = \"http://a\"\ntcp = \"a:1\"", "either http or tcp"),
            ("tcp = \"a\"", "host:5432"),
            ("tcp = \"a:0\"", "host:5432"),
            ("tcp = \"::1:80\"", "host:5432"),
            ("tcp = \"a:1\"\nbody = \"b\"", "no place beside tcp"),
            ("http = \"ftp://a\"", "http:// or https://"),
            ("http = \"http://user:secret@a\"", "send them in headers"),
            ("http = \"http://a\"\nstatus = \"2xx\"", "200-399"),
            ("http = \"http://a\"\nstatus = \"300-200\"", "200-399"),
            ("http = \"http://a\"\nheaders = [{ name = \"A\" }]", "one of value, file and env"),
            ("http = \"http://a\"\nheaders = [{ name = \"A B\", value = \"\" }]", "no header may"),
            ("tcp = \"a:1\"\ninterval_seconds = 0.5", "interval_seconds must lie"),
            ("tcp = \"a:1\"\ntimeout_seconds = nan", "timeout_seconds must lie"),
            ("tcp = \"a:1\"\ntimeout_seconds = 15", "less than interval_seconds"),
        ] {
            let (probes, faults) = of(&format!(
                "[[probes]]\nname = \"x\"\n{wrong}\n[[probes]]\nname = \"y\"\ntcp = \"a:1\"\n"
            ));
            assert_eq!(probes.len(), 1, "{wrong}");
            assert!(faults[0].contains("\"x\"") && faults[0].contains(complaint), "{faults:?}");
            assert!(!faults[0].contains("secret"), "{faults:?}");
        }
    }

    #[test]
    fn names_are_unique_and_probes_are_bounded() {
        let mut text = "[[probes]]\nname = \"0\"\ntcp = \"a:1\"\n".to_owned();
        for index in 0..=PROBES_MAX {
            text += &format!("[[probes]]\nname = \"{index}\"\ntcp = \"a:1\"\n");
        }
        let (probes, faults) = of(&text);
        assert_eq!(probes.len(), PROBES_MAX);
        assert!(faults[0].contains("another one of this name"), "{faults:?}");
        assert!(faults[1].contains("100 probes come before it"), "{faults:?}");
    }
}
