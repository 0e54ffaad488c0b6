//! `[[runbooks]]`, `[[test_sequences]]` and `[secrets.NAME]`: what an admin can run, and what it needs.
//!
//! Each runbook, sequence and secret stands alone: a fault in one costs that one.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::file::File;
use crate::actions::{
    AppServer, Procedures,
    runbook::Runbook,
    secret::SecretPlace,
    sequence::{self, NamedSequence},
};

/// More than this of one sort is not shown on a page.
const EACH_MAX: usize = 200;

/// Takes the procedures out of the file. Where requests of test sequences cannot be sent as it says,
/// none are.
pub fn take(file: &mut File, app_server: AppServer) -> Procedures {
    let secrets = file.named("secrets", SecretPlace::fault);
    let fault = app_server.fault(&secrets);
    let app_server = if fault.is_some() { AppServer::default() } else { app_server };
    let told = fault.map(|fault| {
        format!("configuration file: test sequences have no app-server: {fault} of [app_server]")
    });
    file.faults.extend(told);
    let runbooks: Vec<Runbook> = file.each("runbooks", |one: &Runbook| one.fault(&secrets));
    let sequences: Vec<NamedSequence> = file.each("test_sequences", sequence::fault);
    let names = |names: Vec<&str>, what: &str, faults: &mut Vec<String>| {
        for name in doubles(&names) {
            faults.push(format!("configuration file: of two {what} named {name} the first counts"));
        }
    };
    names(runbooks.iter().map(|one| &*one.name).collect(), "runbooks", &mut file.faults);
    names(sequences.iter().map(|one| &*one.name).collect(), "test_sequences", &mut file.faults);
    Procedures { runbooks, sequences, secrets, app_server }
}

/// Names that come again.
fn doubles<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let is_double = |(at, name): &(usize, &&str)| names[..*at].contains(name);
    names.iter().enumerate().filter(is_double).map(|(_, name)| *name).collect()
}

impl File {
    /// Takes out a list of tables, one by one.
    fn each<T: DeserializeOwned>(
        &mut self,
        section: &str,
        fault: impl Fn(&T) -> Option<String>,
    ) -> Vec<T> {
        let tables: Vec<toml::Value> = self.section(section);
        if tables.len() > EACH_MAX {
            self.faults.push(format!(
                "configuration file: [[{section}]] is off: there may be {EACH_MAX} of them"
            ));
            return Vec::new();
        }
        let mut taken = Vec::new();
        for (table, n) in tables.into_iter().zip(1..) {
            let name = table.get("name").and_then(toml::Value::as_str);
            let about = name.map_or_else(|| format!("number {n}"), str::to_owned);
            match read(table, &fault) {
                Ok(one) => taken.push(one),
                Err(problem) => self.faults.push(format!(
                    "configuration file: {about} of [[{section}]] is off: {problem}"
                )),
            }
        }
        taken
    }

    /// Takes out a table of tables, one by one.
    fn named<T: DeserializeOwned>(
        &mut self,
        section: &str,
        fault: impl Fn(&T) -> Option<String>,
    ) -> BTreeMap<String, T> {
        let tables: toml::Table = self.section(section);
        let mut taken = BTreeMap::new();
        for (name, table) in tables {
            match read(table, &fault) {
                Ok(one) => _ = taken.insert(name, one),
                Err(problem) => self
                    .faults
                    .push(format!("configuration file: [{section}.{name}] is off: {problem}")),
            }
        }
        taken
    }
}

fn read<T: DeserializeOwned>(
    table: toml::Value,
    fault: impl Fn(&T) -> Option<String>,
) -> Result<T, String> {
    let one: T =
        table.try_into().map_err(|error: toml::de::Error| error.message().replace('\n', ", "))?;
    match fault(&one) {
        Some(problem) => Err(problem),
        None => Ok(one),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: &str = "what = \"\"\nsteps = [{ kind = \"wait\", ms = 1 }]\n";

    fn taken(text: &str) -> (Procedures, Vec<String>) {
        let mut file = File::parse(text);
        let procedures = take(&mut file, AppServer::default());
        (procedures, file.faults)
    }

    #[test]
    fn a_fault_costs_its_procedure_alone() {
        let text = format!(
            "[[runbooks]]\nname = \"fine\"\n{WAIT}[[runbooks]]\nname = \"bad name\"\n{WAIT}\
             [[runbooks]]\nname = \"fine\"\n{WAIT}[secrets.s]\nfile = \"/f\"\n[secrets.t]\n"
        );
        let (procedures, faults) = taken(&text);
        assert_eq!(procedures.runbooks.len(), 2);
        assert_eq!(procedures.secrets.keys().collect::<Vec<_>>(), ["s"]);
        assert_eq!(faults.len(), 3, "{faults:?}");
        assert!(faults[0].contains("[secrets.t] is off: needs `file` or `env`"), "{faults:?}");
        assert!(faults[1].contains("bad name of [[runbooks]] is off"), "{faults:?}");
        assert!(faults[2].contains("of two runbooks named fine the first counts"), "{faults:?}");
    }

    #[test]
    fn a_step_that_makes_no_sense_is_told_by_its_number() {
        for (step, problem) in [
            ("kind = \"launch\"", "unknown variant"),
            ("kind = \"wait\"", "step 1 needs one of"),
            ("kind = \"wait\", ms = 1, ns = 1", "unknown field"),
            ("kind = \"http\", url = \"ftp://a\"", "step 1 has a url that is not http"),
            ("kind = \"http\", url = \"http://a/{args.x}\"", "step 1 names {args.x}"),
            ("kind = \"http\", url = \"http://a/{secret.x}\"", "step 1 names {secret.x}"),
            ("kind = \"http\", url = \"http://a\", method = \"get\"", "step 1 has a method"),
            ("kind = \"exec\", namespace = \"n\", command = [\"c\"]", "step 1 needs `pod`"),
            ("kind = \"exec\", namespace = \"n\", pod = \"p\", command = []", "needs a command"),
            (
                "kind = \"exec\", namespace = \"n\", pod = \"p\", command = [\"{secret.x}\"]",
                "the log of the API server",
            ),
            (
                "kind = \"restart\", workload = \"Pod\", namespace = \"n\", name = \"x\", \
                 method = \"rollout\"",
                "must be one of: Deployment",
            ),
        ] {
            let text = format!("[[runbooks]]\nname = \"a\"\nwhat = \"\"\nsteps = [{{ {step} }}]\n");
            let (procedures, faults) = taken(&text);
            assert!(procedures.runbooks.is_empty());
            assert!(faults.len() == 1 && faults[0].contains(problem), "{step}: {faults:?}");
        }
    }
}
