//! The admin key: from the environment, else from a file, else generated beside the journal.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// The variable of the original deployment.
pub const VARIABLE: &str = "MONITOR_BACKEND_ADMIN_KEY";

/// Bytes of randomness in a generated key.
const KEY_BYTES: usize = 24;

/// A key, where it came from, and what went wrong on the way.
pub struct AdminKey {
    /// The secret. Never logged, never recorded.
    pub key: String,
    /// Where an admin finds it.
    pub origin: String,
    /// Why a better place could not be used.
    pub faults: Vec<String>,
}

/// Finds the key, or makes one. Never fails: with no place to keep it, the key lives in memory, the
/// fault says so, and the process serves what needs no access.
pub fn find(variable: Option<String>, file: Option<&Path>, data_dir: &Path) -> AdminKey {
    let mut faults = Vec::new();
    if let Some(key) = variable.filter(|key| !key.trim().is_empty()) {
        return AdminKey { key: key.trim().to_owned(), origin: VARIABLE.into(), faults };
    }
    if let Some(path) = file {
        match read(path) {
            Ok(key) => return AdminKey { key, origin: path.display().to_string(), faults },
            Err(error) => faults.push(format!(
                "reading the admin key from {} failed: {error}; a generated key is used",
                path.display()
            )),
        }
    }
    let (key, origin) = kept(&data_dir.join("admin-key"), &mut faults);
    AdminKey { key, origin, faults }
}

/// The key that was generated earlier, or a new one.
fn kept(path: &Path, faults: &mut Vec<String>) -> (String, String) {
    let key = read(path).or_else(|_| generate().and_then(|key| keep(path, &key).map(|()| key)));
    key.map(|key| (key, path.display().to_string())).unwrap_or_else(|error| {
        faults.push(format!(
            "no admin key could be kept in {}: {error}; set {VARIABLE} to log in",
            path.display()
        ));
        (generate().unwrap_or_default(), "nowhere".into())
    })
}

fn read(path: &Path) -> io::Result<String> {
    let key = fs::read_to_string(path)?.trim().to_owned();
    if key.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the file is empty"));
    }
    Ok(key)
}

fn generate() -> io::Result<String> {
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Written beside and renamed, so that a crash leaves no empty key.
fn keep(path: &Path, key: &str) -> io::Result<()> {
    let fresh = path.with_extension("new");
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    writeln!(file, "{key}")?;
    file.sync_all()?;
    fs::rename(&fresh, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_generated_key_is_kept_for_its_owner_alone() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let first = find(None, None, dir.path());
        assert_eq!(first.key.len(), 2 * KEY_BYTES);
        assert!(first.faults.is_empty());
        assert_eq!(find(None, None, dir.path()).key, first.key);
        let mode = fs::metadata(dir.path().join("admin-key")).expect("it is kept").permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
    }

    #[test]
    fn the_variable_wins_over_the_file() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let file = dir.path().join("key");
        fs::write(&file, "from the file\n").expect("the folder is writable");
        assert_eq!(find(None, Some(&file), dir.path()).key, "from the file");
        assert_eq!(find(Some("from env".into()), Some(&file), dir.path()).key, "from env");
    }

    #[test]
    fn with_no_place_for_a_key_the_fault_says_what_to_do() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let blocked = dir.path().join("file");
        fs::write(&blocked, "").expect("the folder is writable");
        let found = find(None, Some(&blocked), &blocked.join("below"));
        assert_eq!(found.faults.len(), 2);
        assert!(found.faults[1].contains(VARIABLE));
        assert!(!found.key.is_empty());
    }
}
