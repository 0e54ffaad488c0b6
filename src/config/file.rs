//! The configuration file: its sections are taken out one by one, and a fault costs one section.

use serde::de::DeserializeOwned;

/// The file's sections, taken out one by one.
pub struct File {
    sections: toml::Table,
    /// Empty, or the section that these are in, with a dot.
    place: String,
    /// What is wrong in it, a line each.
    pub faults: Vec<String>,
}

impl File {
    /// Takes in a file; one that is not TOML has no sections, and a fault.
    pub fn parse(text: &str) -> File {
        match text.parse() {
            Ok(sections) => File::of(sections, String::new()),
            Err(error) => {
                let fault = format!(
                    "configuration file: every section is off, it is not TOML: {}",
                    one_line(&error)
                );
                File { faults: vec![fault], ..File::of(toml::Table::new(), String::new()) }
            }
        }
    }

    fn of(sections: toml::Table, place: String) -> File {
        File { sections, place, faults: Vec::new() }
    }

    /// Takes a section out whose own sections are taken out one by one; [`File::end_nested`] ends
    /// it.
    pub fn nested(&mut self, name: &str) -> File {
        File::of(self.section(name), format!("{}{name}.", self.place))
    }

    /// What is left in a nested section belongs to nobody; its faults are those of the file.
    pub fn end_nested(&mut self, mut nested: File) {
        nested.report_unknown_sections();
        self.faults.append(&mut nested.faults);
    }

    /// Takes a single value out; one of another type is a fault.
    pub fn value<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let value = self.sections.remove(name)?;
        value.try_into().map_err(|error| self.fault(name, &one_line(&error))).ok()
    }

    /// Takes note of a fault that costs a section or a value.
    pub fn fault(&mut self, name: &str, fault: &str) {
        let place = &self.place;
        self.faults.push(format!("configuration file: section [{place}{name}] is off: {fault}"));
    }

    /// Whether the file has a section that was not taken out yet.
    pub fn has(&self, name: &str) -> bool {
        self.sections.contains_key(name)
    }

    /// Takes a section out; where it is absent, or off by a fault, its default.
    pub fn section<T: Default + DeserializeOwned>(&mut self, name: &str) -> T {
        let Some(section) = self.sections.remove(name) else { return T::default() };
        section.try_into().unwrap_or_else(|error: toml::de::Error| {
            self.fault(name, &one_line(&error));
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
        self.fault(name, &fault);
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
        let (unknown, place) = (self.sections.keys(), &self.place);
        let faults = unknown
            .map(|name| format!("configuration file: there is no section or key `{place}{name}`"));
        self.faults.extend(faults);
    }
}

fn one_line(error: &toml::de::Error) -> String {
    error.message().replace('\n', ", ")
}
