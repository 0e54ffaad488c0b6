//! Holds the arrows of the code: which module may name which, and where `unsafe` may stand.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// What each module may name of the others. The order is that of the flow.
const ARROWS: &[(&str, &[&str])] = &[
    ("event", &[]),
    ("journal", &[]),
    ("redact", &["event"]),
    ("cluster", &[]),
    ("peer", &[]),
    ("process", &[]),
    ("collect", &["event", "redact", "cluster", "peer", "process"]),
    ("views", &["event", "journal"]),
    ("recorder", &["event", "redact", "journal", "views"]),
    ("actions", &["event", "recorder", "cluster", "peer"]),
    ("outside", &["peer"]),
    (
        "http",
        &["event", "journal", "views", "recorder", "cluster", "actions", "outside", "process"],
    ),
    ("sim", &["event"]),
    ("tools", &["event", "redact", "journal", "views"]),
    ("config", EVERYTHING),
    ("cli", EVERYTHING),
    ("app", EVERYTHING),
    ("main", EVERYTHING),
];

const EVERYTHING: &[&str] = &[
    "event", "journal", "redact", "cluster", "peer", "process", "collect", "views", "recorder",
    "actions", "outside", "http", "sim", "tools", "config", "cli", "app",
];

/// The one file that may hold `unsafe`.
const UNSAFE_FILE: &str = "src/journal/map.rs";

/// A file that is longer than this hides its parts.
const LINES_MAX: usize = 600;

#[test]
fn modules_name_only_what_the_design_allows() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let module = module_of(&path);
        let (_, allowed) = ARROWS
            .iter()
            .find(|(name, _)| *name == module)
            .unwrap_or_else(|| panic!("{} is no module of the design", path.display()));
        for named in named_modules(&text) {
            if named != module && !allowed.contains(&named.as_str()) {
                wrong.push(format!("{} names {named}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_planted_arrow_is_caught() {
    let planted = "use crate::{\n    journal::{self, Seq},\n    http::wire,\n};\nfn f() { crate::views::x() }";
    assert_eq!(named_modules(planted), ["journal", "http", "views"]);
}

#[test]
fn the_views_read_the_journal_through_one_module() {
    for (path, text) in sources() {
        let is_read = path.ends_with("views/read.rs") || path.starts_with("src/views/read");
        let is_view = module_of(&path) == "views" && !is_read;
        assert!(
            !is_view || !text.contains("Reader"),
            "{} reads the journal past views/read",
            path.display()
        );
    }
}

#[test]
fn unsafe_stands_in_one_file() {
    for (path, text) in sources() {
        let has_unsafe = text.lines().any(|line| {
            let code = line.split("//").next().unwrap_or_default();
            code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe")
        });
        assert!(!has_unsafe || path == Path::new(UNSAFE_FILE), "unsafe in {}", path.display());
    }
}

#[test]
fn every_file_says_what_it_is_for_and_is_short() {
    for (path, text) in sources() {
        assert!(text.starts_with("//!"), "{} does not begin with //!", path.display());
        assert!(text.lines().count() <= LINES_MAX, "{} is too long", path.display());
    }
}

/// The files below `src`, by their path in the repository.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the sources can be listed") {
            let path = entry.expect("the sources can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).expect("the sources can be read");
                let inside = path.strip_prefix(root).expect("it is below the root");
                files.push((inside.to_owned(), text));
            }
        }
    }
    assert!(files.len() > 10, "the sources were not found");
    files.retain(|(path, _)| path != Path::new("src/lib.rs"));
    files
}

/// `src/journal/writer.rs` and `src/journal.rs` belong to `journal`.
fn module_of(path: &Path) -> String {
    let inside = path.strip_prefix("src").expect("it is below src");
    let first = inside.components().next().expect("it has a name");
    let name = first.as_os_str().to_str().expect("names are text");
    name.trim_end_matches(".rs").to_owned()
}

/// The top modules that `crate::name` and `crate::{name, ..}` name, in order.
fn named_modules(text: &str) -> Vec<String> {
    let mut named = Vec::new();
    for after in text.split("crate::").skip(1).chain(text.split("monitor_backend::").skip(1)) {
        if let Some(group) = after.strip_prefix('{') {
            named.extend(outer_names(group));
        } else {
            named.push(word(after));
        }
    }
    named
}

/// The first word of each part of a `{..}` group, nested groups left out.
fn outer_names(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut names = vec![word(group.trim_start())];
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(word(group[at + 1..].trim_start())),
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}
