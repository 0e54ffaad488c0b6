//! The frontend, embedded in the binary.

use hyper::{
    HeaderMap, Method, StatusCode,
    header::{CACHE_CONTROL, ETAG, HeaderValue, IF_NONE_MATCH},
};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::{answer, body::Response, error::Error, range};

#[derive(RustEmbed)]
#[folder = "frontend/dist"]
struct Files;

/// A file whose name holds a hash of its content never changes.
const IMMUTABLE: &str = "private, max-age=31536000, immutable";

/// Every other file is asked for again and mostly answered with "not modified".
const REVALIDATED: &str = "no-cache";

/// Answers with a file of the frontend; `path` begins with a slash.
pub(super) fn file(method: &Method, headers: &HeaderMap, path: &str) -> Result<Response, Error> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Err(Error::MethodNotAllowed { allow: "GET, HEAD".into() });
    }
    let name = if path == "/" { "index.html" } else { path.trim_start_matches('/') };
    let found = Files::get(name).ok_or_else(|| Error::NoRoute { path: path.to_owned() })?;
    Ok(respond(headers, name, found))
}

fn respond(headers: &HeaderMap, name: &str, file: EmbeddedFile) -> Response {
    let hash = file.metadata.sha256_hash();
    let etag: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let etag = format!("\"{etag}\"");
    let known = headers.get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    let mut response = if known.is_some_and(|tags| range::names(tags, &etag)) {
        answer::empty(StatusCode::NOT_MODIFIED)
    } else {
        answer::of_bytes(StatusCode::OK, content_type(name), file.data.into_owned())
    };
    let kept = if is_hashed(name) { IMMUTABLE } else { REVALIDATED };
    let said = response.headers_mut();
    said.insert(CACHE_CONTROL, HeaderValue::from_static(kept));
    said.insert(ETAG, HeaderValue::try_from(etag).expect("quoted hexadecimal"));
    response
}

/// The bundler puts `name-hash.ending` into `assets`, the hash with at least eight characters.
fn is_hashed(name: &str) -> bool {
    let stem = name.strip_prefix("assets/").and_then(|name| name.split('.').next());
    let hash = stem.and_then(|stem| stem.split_once('-')).map(|(_, hash)| hash);
    hash.is_some_and(|hash| hash.len() >= 8)
}

/// The types that a bundler makes.
fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or("") {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::CONTENT_LENGTH;

    use super::*;

    #[test]
    fn only_hashed_assets_are_kept_for_good() {
        assert!(is_hashed("assets/index-DkQ3x9_a.js"));
        assert!(!is_hashed("assets/logo.svg"));
        assert!(!is_hashed("assets/a-b.js"));
        assert!(!is_hashed("index-DkQ3x9_a.html"));
    }

    #[test]
    fn a_known_version_is_not_sent_again() {
        let get = |headers: &HeaderMap| file(&Method::GET, headers, "/").unwrap();
        let first = get(&HeaderMap::new());
        assert_eq!(first.status(), StatusCode::OK);
        let mut headers = HeaderMap::new();
        headers.insert(IF_NONE_MATCH, first.headers()[ETAG].clone());
        let second = get(&headers);
        assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
        assert!(!second.headers().contains_key(CONTENT_LENGTH));
    }

    #[test]
    fn what_is_no_file_is_refused() {
        for path in ["/nothing.js", "/../Cargo.toml", "//", "/a\0b"] {
            assert!(file(&Method::GET, &HeaderMap::new(), path).is_err(), "{path}");
        }
        assert!(file(&Method::POST, &HeaderMap::new(), "/").is_err());
    }
}
