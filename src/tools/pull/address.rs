//! Where the server is: scheme, host, port and base path.

use hyper::Uri;

use super::Error;

/// An address of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Whether TLS is spoken.
    pub is_https: bool,
    /// A name or an IP address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// As it stands in the URL: for the header `Host`.
    pub authority: String,
    /// Empty, or a path without a slash at its end.
    base_path: String,
}

impl Address {
    /// Reads a URL. A user and a password in it are refused: the key has its own place.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(url: &str) -> Result<Address, Error> {
        Address::of(url).ok_or_else(|| Error::BadUrl { url: crate::redact::text(url).into() })
    }

    fn of(url: &str) -> Option<Address> {
        let uri: Uri = url.parse().ok()?;
        let is_https = match uri.scheme_str()? {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let authority = uri.authority()?;
        if authority.as_str().contains('@') || uri.query().is_some() {
            return None;
        }
        Some(Address {
            is_https,
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(if is_https { 443 } else { 80 }),
            authority: authority.as_str().to_owned(),
            base_path: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// The path of a route, for the request line.
    pub fn path(&self, route: &str) -> String {
        format!("{}/{route}", self.base_path)
    }

    /// The whole URL of a route, for messages.
    pub fn url(&self, route: &str) -> String {
        let scheme = if self.is_https { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority, self.path(route))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_host_and_may_have_a_port_and_a_base_path() {
        let check = |url: &str, host: &str, port: u16, path: &str| {
            let address = Address::parse(url).expect("it is an address");
            assert_eq!((address.host.as_str(), address.port), (host, port), "{url}");
            assert_eq!(address.path("api/journal"), path, "{url}");
        };
        check("http://localhost:5130", "localhost", 5130, "/api/journal");
        check("https://example.com/monitor/", "example.com", 443, "/monitor/api/journal");
        check("http://[::1]:80/", "::1", 80, "/api/journal");
        for url in ["", "localhost:5130", "ftp://x", "http://", "http://u:p@x", "http://x/?a=1"] {
            let refused = Address::parse(url).expect_err(url).to_string();
            assert!(!refused.contains(":p@"), "{refused}");
        }
    }
}
