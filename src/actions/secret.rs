//! Secrets that procedures need: named in the configuration, read when they are used, and never
//! seen again.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretPlace {
    /// A file that holds it; a line break at its end is no part of it.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// A variable of the environment that holds it.
    #[serde(default)]
    pub env: Option<String>,
}

/// Where every secret is, by name.
pub type SecretPlaces = BTreeMap<String, SecretPlace>;

/// A shorter one would be found in every second line of output, and masking it would tell it.
const BYTES_MIN: usize = 6;

/// A larger file is no secret.
const BYTES_MAX: u64 = 64 << 10;

impl SecretPlace {
    /// What is wrong with it.
    pub fn fault(&self) -> Option<String> {
        match (&self.file, &self.env) {
            (Some(_), None) | (None, Some(_)) => None,
            _ => Some("needs `file` or `env`, and not both".into()),
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// It is not there, or it cannot be kept out of the output; the error does not tell it.
    async fn read(&self, name: &str) -> Result<String, String> {
        let (text, place) = match (&self.file, &self.env) {
            (Some(file), _) => (read_file(file).await, file.display().to_string()),
            (None, Some(variable)) => {
                let text = std::env::var(variable).map_err(|error| error.to_string());
                (text, format!("the variable {variable}"))
            }
            (None, None) => return Err(format!("the secret {name} has no place")),
        };
        let text =
            text.map_err(|e| format!("reading the secret {name} from {place} failed: {e}"))?;
        let text = text.trim_end_matches(['\r', '\n']);
        if text.len() < BYTES_MIN {
            return Err(format!(
                "the secret {name} from {place} is shorter than {BYTES_MIN} bytes, so it could not \
                 be kept out of the output"
            ));
        }
        Ok(text.to_owned())
    }
}

async fn read_file(path: &std::path::Path) -> Result<String, String> {
    let length = tokio::fs::metadata(path).await.map_err(|e| e.to_string())?.len();
    if length > BYTES_MAX {
        return Err(format!("it is larger than {BYTES_MAX} bytes"));
    }
    tokio::fs::read_to_string(path).await.map_err(|e| e.to_string())
}

/// Reads the secrets of some names.
///
/// # Errors
/// One cannot be read, or is not known.
pub async fn read_all(
    places: &SecretPlaces,
    names: impl IntoIterator<Item = &str>,
) -> Result<BTreeMap<String, String>, String> {
    let mut read = BTreeMap::new();
    for name in names {
        let place = places.get(name);
        let place = place.ok_or_else(|| format!("there is no secret {name} in [secrets]"))?;
        read.insert(name.to_owned(), place.read(name).await?);
    }
    Ok(read)
}

/// Takes secrets out of text.
#[derive(Debug, Default)]
pub struct Mask {
    /// The longest first, since one may contain another.
    secrets: Vec<(String, String)>,
}

impl Mask {
    /// Of secrets by name. Of one with several lines each line is masked too.
    pub fn of(secrets: &BTreeMap<String, String>) -> Mask {
        let mut masked = Vec::new();
        for (name, secret) in secrets {
            let lines = secret.lines().filter(|line| line.len() >= BYTES_MIN);
            let shown = format!("[secret {name}]");
            masked.push((secret.clone(), shown.clone()));
            masked.extend(lines.map(|line| (line.to_owned(), shown.clone())));
        }
        masked.sort_by_key(|(secret, _)| std::cmp::Reverse(secret.len()));
        Mask { secrets: masked }
    }

    /// The text with each secret replaced by its name.
    pub fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (secret, shown) in &self.secrets {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), shown);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, secret)| ((*name).to_owned(), (*secret).to_owned())).collect()
    }

    #[test]
    fn every_line_of_a_secret_is_masked_and_the_longest_first() {
        let mask =
            Mask::of(&secrets(&[("a", "hunter2"), ("b", "hunter2-long"), ("c", "x\nline two")]));
        let told = mask.apply("hunter2-long hunter2 line two x");
        assert_eq!(told, "[secret b] [secret a] [secret c] x");
    }

    #[tokio::test]
    async fn a_secret_that_is_not_there_is_told_without_it() {
        let folder = tempfile::tempdir().unwrap();
        let short = folder.path().join("short");
        std::fs::write(&short, "abc\n").unwrap();
        let place = SecretPlace { file: Some(short), env: None };
        let absent = SecretPlace { file: Some(folder.path().join("absent")), env: None };
        let places = BTreeMap::from([("s".to_owned(), place), ("t".to_owned(), absent)]);
        let error = read_all(&places, ["s"]).await.unwrap_err();
        assert!(error.contains("shorter") && !error.contains("abc"), "{error}");
        assert!(read_all(&places, ["t"]).await.unwrap_err().contains("absent"));
        assert!(read_all(&places, ["u"]).await.unwrap_err().contains("no secret u"));
    }

    #[tokio::test]
    async fn a_line_break_at_the_end_is_no_part_of_a_secret() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "long enough\n").unwrap();
        let places = BTreeMap::from([("t".into(), SecretPlace { file: Some(file), env: None })]);
        assert_eq!(read_all(&places, ["t"]).await.unwrap()["t"], "long enough");
    }
}
