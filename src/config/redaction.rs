//! `[redaction]`: what is taken out of everything that is observed, before it is recorded.

use serde::Deserialize;

use crate::redact::{self, Rules};

/// The section.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RedactionSection {
    enabled: bool,
    names: Vec<String>,
    patterns: Vec<String>,
    exempt: Vec<String>,
}

impl Default for RedactionSection {
    fn default() -> RedactionSection {
        let (names, patterns, exempt) = (Vec::new(), Vec::new(), Vec::new());
        RedactionSection { enabled: true, names, patterns, exempt }
    }
}

impl RedactionSection {
    /// What is wrong with it. A section that is off by a fault leaves redaction on.
    pub fn fault(&self) -> Option<String> {
        self.rules().err().map(|error| error.to_string())
    }

    /// The rules that it asks for.
    ///
    /// # Errors
    /// A name is empty or a pattern is none.
    pub fn rules(&self) -> Result<Rules, redact::BadRule> {
        if !self.enabled {
            return Ok(Rules::off());
        }
        Rules::new(&self.names, &self.patterns, &self.exempt)
    }
}
