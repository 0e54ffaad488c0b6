//! The address of the link, as an admin writes it and as it is used.

use tokio_tungstenite::tungstenite::http::Uri;

/// Where the app-server serves the link.
const PATH: &str = "/monitor-backend-link";

/// The whole address: the path of the link is added where there is none.
///
/// # Errors
/// Says what is wrong with the address and what it should look like.
pub fn complete(url: &str) -> Result<String, String> {
    let wrong = |what: &str| {
        format!(
            "the address of the app-server is not usable: {what}; --app-server-url should look \
             like ws://app-server:5110"
        )
    };
    let uri: Uri = url.trim().parse().map_err(|e| wrong(&format!("{e}")))?;
    match uri.scheme_str() {
        Some("ws") => {}
        Some("wss") => return Err(wrong("wss:// is not supported")),
        _ => return Err(wrong("it does not begin with ws://")),
    }
    let Some(authority) = uri.authority() else { return Err(wrong("it names no host")) };
    match uri.path_and_query() {
        Some(path) if path.as_str() != "/" => Ok(uri.to_string()),
        _ => Ok(format!("ws://{authority}{PATH}")),
    }
}

/// Where the app-server tells of itself, beside its link.
///
/// # Errors
/// Says what is wrong with the address of the link.
pub fn basic_info(link: &str) -> Result<String, String> {
    let complete = complete(link)?;
    let below = complete.strip_prefix("ws://").unwrap_or(&complete);
    let authority = below.split('/').next().unwrap_or(below);
    Ok(format!("http://{authority}/basic-info"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_added_where_there_is_none() {
        let check = |url, expected: &str| assert_eq!(complete(url).as_deref(), Ok(expected));
        check("ws://host:5110", "ws://host:5110/monitor-backend-link");
        check("ws://host:5110/", "ws://host:5110/monitor-backend-link");
        check(" ws://host ", "ws://host/monitor-backend-link");
        check("ws://host/other?a=b", "ws://host/other?a=b");
        check("ws://[::1]:5110", "ws://[::1]:5110/monitor-backend-link");
    }

    #[test]
    fn the_basic_info_is_beside_the_link() {
        let check = |url, expected: &str| assert_eq!(basic_info(url).as_deref(), Ok(expected));
        check("ws://host:5110", "http://host:5110/basic-info");
        check("ws://[::1]:5110/a/b?c", "http://[::1]:5110/basic-info");
        assert!(basic_info("http://host").is_err());
    }

    #[test]
    fn an_unusable_address_is_refused_with_a_reason() {
        for url in ["", "host:5110", "http://host", "wss://host", "/path", "ws://", "ws:// x"] {
            let reason = complete(url).expect_err(url);
            assert!(reason.contains("ws://app-server:5110"), "{reason}");
        }
    }
}
