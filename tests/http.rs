//! The HTTP surface over real sockets, with a real recorder and journal behind it.

mod openapi {
    use std::{env, fs, path::Path};

    use monitor_backend::http::openapi;

    /// The frontend's types are made from this file.
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
            "{PATH} is not current: run `UPDATE=1 cargo test --test http openapi`, then \
             `npm run gen` in frontend/"
        );
    }
}
