//! `[access]`: who may ask beside whoever holds the admin key.

use serde::Deserialize;

use super::file::File;
use crate::cluster::{Access, Reviewer};

/// The section.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default = "AccessSection::usual")]
pub struct AccessSection {
    /// Whether Kubernetes tokens are taken.
    enabled: bool,
    /// The audience that they must be for.
    audience: String,
    /// The non-resource URL that the rights are on.
    path: String,
}

/// What a fault leaves: nobody gets in by a rule that was not understood.
impl Default for AccessSection {
    fn default() -> AccessSection {
        AccessSection { enabled: false, ..AccessSection::usual() }
    }
}

impl AccessSection {
    fn usual() -> AccessSection {
        AccessSection {
            enabled: true,
            audience: "monitor-backend".into(),
            path: "/monitor-backend".into(),
        }
    }

    /// Takes the section out of the file.
    pub fn take(file: &mut File) -> AccessSection {
        if file.has("access") {
            file.checked("access", AccessSection::fault)
        } else {
            AccessSection::usual()
        }
    }

    /// What is wrong with its words.
    pub fn fault(&self) -> Option<String> {
        if self.audience.is_empty() {
            return Some("audience is empty: a token for any audience would do".into());
        }
        let is_path = self.path.len() > 1 && self.path.starts_with('/') && !self.path.contains('*');
        (!is_path).then(|| "path must begin with a slash, go on, and hold no asterisk".into())
    }

    /// Whoever asks the cluster about tokens, if they are taken.
    pub fn reviewer(&self, access: Access) -> Option<Reviewer> {
        let AccessSection { enabled, audience, path } = self.clone();
        enabled.then_some(Reviewer { access, audience, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_let_anybody_in_is_a_fault() {
        let fault = |text: &str| toml::from_str::<AccessSection>(text).expect("it is one").fault();
        assert_eq!(fault(""), None);
        assert_eq!(fault("audience = \"a\"\npath = \"/b/c\""), None);
        for text in
            ["audience = \"\"", "path = \"\"", "path = \"/\"", "path = \"/a*\"", "path = \"a\""]
        {
            assert!(fault(text).is_some(), "{text}");
        }
    }

    #[test]
    fn tokens_are_taken_unless_they_are_switched_off() {
        let access = || Access::default();
        assert!(AccessSection::usual().reviewer(access()).is_some());
        let off: AccessSection = toml::from_str("enabled = false").expect("it is one");
        assert!(off.reviewer(access()).is_none());
    }
}
