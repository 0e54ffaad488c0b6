//! The configuration file: its sections are taken out one by one, and a fault costs one section.

use serde::de::DeserializeOwned;

/// The file's sections, taken out one by one.
pub struct File {
    sections: toml::Table,
    /// What is wrong in it, a line each.
    pub faults: Vec<String>,
}

impl File {
    /// Takes in a file; one that is not TOML has no sections, and a fault.
    pub fn parse(text: &str) -> File {
        match text.parse() {
            Ok(sections) => File { sections, faults: Vec::new() },
            Err(error) => {
                let fault = format!(
                    "configuration file: every section is off, it is not TOML: {}",
                    one_line(&error)
                );
                File { sections: toml::Table::new(), faults: vec![fault] }
            }
        }
    }

    /// Takes a section out; where it is absent, or off by a fault, its default.
    pub fn section<T: Default + DeserializeOwned>(&mut self, name: &str) -> T {
        let Some(section) = self.sections.remove(name) else { return T::default() };
        section.try_into().unwrap_or_else(|error: toml::de::Error| {
            let error = one_line(&error);
            self.faults.push(format!("configuration file: section [{name}] is off: {error}"));
            T::default()
        })
    }

    /// Takes a section out and checks it; a fault costs all of it.
    pub fn checked<T: Default + DeserializeOwned>(
        &mut self,
        name: &str,
        fault: impl FnOnce(&T) -> Option<String>,
    ) -> T {
        let section: T = self.section(name);
        let Some(fault) = fault(&section) else { return section };
        self.faults.push(format!("configuration file: section [{name}] is off: {fault}"));
        T::default()
    }

    /// Takes a list of sections out, each of which begins with `[[name]]`; a fault costs one alone.
    pub fn entries<T: DeserializeOwned>(&mut self, name: &str) -> Vec<T> {
        let entries = match self.sections.remove(name) {
            None => return Vec::new(),
            Some(toml::Value::Array(entries)) => entries,
            Some(_) => {
                self.faults.push(format!(
                    "configuration file: [{name}] is off: it is a list, so write [[{name}]]"
                ));
                return Vec::new();
            }
        };
        let mut sound = Vec::new();
        for (entry, number) in entries.into_iter().zip(1..) {
            match entry.try_into() {
                Ok(entry) => sound.push(entry),
                Err(error) => self.faults.push(format!(
                    "configuration file: [[{name}]] number {number} is off: {}",
                    one_line(&error)
                )),
            }
        }
        sound
    }

    /// What is left in the file belongs to nobody.
    pub fn report_unknown_sections(&mut self) {
        let unknown = self.sections.keys();
        let faults =
            unknown.map(|name| format!("configuration file: there is no section or key `{name}`"));
        self.faults.extend(faults);
    }
}

fn one_line(error: &toml::de::Error) -> String {
    error.message().replace('\n', ", ")
}
