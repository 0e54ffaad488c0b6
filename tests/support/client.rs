//! The tests' HTTP client.

#![allow(dead_code, reason = "each test binary uses its part")]

use tokio_rustls::rustls::crypto::ring;

/// A client with the crypto provider of the program: the library brings none.
pub fn builder() -> reqwest::ClientBuilder {
    // A second installation is refused, and is not needed.
    let _ = ring::default_provider().install_default();
    reqwest::Client::builder()
}

/// A client as it comes.
pub fn plain() -> reqwest::Client {
    builder().build().expect("a plain client can be had")
}
