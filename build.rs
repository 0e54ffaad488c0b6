//! Lets the crate be built without the frontend: a page that says how to build it stands in.

use std::{fs, path::Path};

const DIST: &str = "frontend/dist";

const STAND_IN: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<title>monitor-backend</title>
<h1>The frontend was not built</h1>
<p>Run <code>make build</code>, or <code>npm ci &amp;&amp; npm run build</code> in
<code>frontend/</code>, then build the program again. The API answers all the same.</p>
</html>
";

fn main() -> std::io::Result<()> {
    let page = Path::new(DIST).join("index.html");
    if !page.exists() {
        fs::create_dir_all(DIST)?;
        fs::write(page, STAND_IN)?;
    }
    // New files must be seen too: the embedding macro alone would notice changed ones only.
    println!("cargo:rerun-if-changed={DIST}");
    Ok(())
}
