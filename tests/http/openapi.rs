//! The committed description, from which the frontend's types are made.

use std::{env, fs, path::Path};

use monitor_backend::http::openapi;

use crate::support::{Recording, Server};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/frontend/src/api/openapi.json");

#[test]
fn the_committed_description_is_the_description() {
    let described = openapi::text();
    if env::var_os("UPDATE").is_some() {
        fs::create_dir_all(Path::new(PATH).parent().unwrap()).unwrap();
        fs::write(PATH, &described).unwrap();
    }
    let committed = fs::read_to_string(PATH).unwrap_or_default();
    assert!(
        committed == described,
        "{PATH} is not current: run `UPDATE=1 cargo test --test http openapi`, then `npm run gen` \
         in frontend/"
    );
}

#[tokio::test]
async fn the_description_is_served() {
    let recording = Recording::start();
    let server = Server::live(&recording, |_| {}).await;
    let served = server.get("/api/openapi.json").await.text().await.unwrap();
    assert_eq!(served, openapi::text());
}
