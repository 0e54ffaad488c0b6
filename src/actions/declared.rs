//! What can be done, as it is told to whoever may ask for it.

use super::{delete_pod, restart, runbook, scale, sequence};

/// An action that can be started.
#[derive(Debug)]
pub struct Declared {
    /// Its name.
    pub name: &'static str,
    /// What it does, and what happens when it is done twice.
    pub what: &'static str,
    /// What it has to be told.
    pub args: &'static [DeclaredArg],
}

/// An argument of an action.
#[derive(Debug)]
pub struct DeclaredArg {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub what: &'static str,
    /// What it may be; empty where it is free.
    pub choices: &'static [&'static str],
    /// Whether it can be left out.
    pub optional: bool,
}

/// An argument that is needed and free.
pub(super) const fn free(name: &'static str, what: &'static str) -> DeclaredArg {
    DeclaredArg { name, what, choices: &[], optional: false }
}

/// An argument that is needed and one of some words.
pub(super) const fn one_of(
    name: &'static str,
    what: &'static str,
    choices: &'static [&'static str],
) -> DeclaredArg {
    DeclaredArg { name, what, choices, optional: false }
}

/// An argument that can be left out.
pub(super) const fn optional(name: &'static str, what: &'static str) -> DeclaredArg {
    DeclaredArg { name, what, choices: &[], optional: true }
}

impl Declared {
    /// The names of its arguments.
    pub(super) fn arg_names(&self) -> Vec<&'static str> {
        self.args.iter().map(|arg| arg.name).collect()
    }
}

/// Every action that can be started.
pub const DECLARED: [Declared; 5] = [
    restart::DECLARED,
    delete_pod::DECLARED,
    scale::DECLARED,
    runbook::DECLARED,
    sequence::DECLARED,
];
