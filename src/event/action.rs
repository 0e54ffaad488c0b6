//! What admins do, and what the recorder does itself.

use serde::{Deserialize, Serialize};

use super::{Extensions, Millis};

/// An admin is about to do something; durable before it is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionIntent {
    /// Unique within the journal.
    pub id: String,
    /// Who: `admin key`, or the name that the cluster gave.
    pub actor: String,
    /// Which action, for example `restart-workload`.
    pub action: String,
    /// Arguments without secrets: JSON text of an object.
    pub args: String,
    /// When it was asked for.
    pub started: Millis,
    /// Fields of later versions.
    pub ext: Extensions,
}

/// A line of output of a running action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionProgress {
    /// Which action.
    pub id: String,
    /// One line of text.
    pub line: String,
    /// Fields of later versions.
    pub ext: Extensions,
}

/// How an action ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It did what it says.
    Succeeded,
    /// It did not; the detail says why.
    Failed,
    /// The recorder stopped in between: nobody knows.
    Unknown,
}

impl Outcome {
    /// The word on screen and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Succeeded => "succeeded",
            Outcome::Failed => "failed",
            Outcome::Unknown => "unknown",
        }
    }
}

/// An action ended. Repeats its intent, so that it can be read alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionOutcome {
    /// Which action.
    pub id: String,
    /// Who did it.
    pub actor: String,
    /// Which action it was.
    pub action: String,
    /// Its arguments: JSON text of an object.
    pub args: String,
    /// When it was asked for.
    pub started: Millis,
    /// When it ended, or when the outcome was found to be unknown.
    pub ended: Millis,
    /// How it ended.
    pub outcome: Outcome,
    /// What was done or what failed, for a human.
    pub detail: String,
    /// Fields of later versions.
    pub ext: Extensions,
}

/// What a wipe took away.
#[derive(Debug, Clone, Copy)]
pub struct Wiped {
    /// The epoch that went; the next one is empty.
    pub epoch: u64,
    /// Its oldest event.
    pub first_seq: u64,
    /// Its newest event.
    pub last_seq: u64,
    /// Its recorded bytes.
    pub bytes: u64,
}

/// The name in `ext` of who cancelled an action.
const CANCELLED: &str = "cancelled";

impl ActionOutcome {
    /// The extension of an outcome that was cancelled. Its word stays `failed`: readers that do not
    /// know cancelling must be able to read it.
    pub fn cancelled(by: &str) -> Extensions {
        Extensions(Some([(CANCELLED.to_owned(), by.into())].into()))
    }

    /// Who cancelled it; `None` where nobody did.
    pub fn cancelled_by(&self) -> Option<&str> {
        self.ext.0.as_ref()?.get(CANCELLED)?.as_str()
    }

    /// The word on screen and in JSON.
    pub fn word(&self) -> &'static str {
        if self.cancelled_by().is_some() { CANCELLED } else { self.outcome.as_str() }
    }

    /// A wipe is done when it is recorded: the first event of the new epoch.
    pub fn of_wipe(went: Wiped, actor: &str, reason: &str, at: Millis) -> ActionOutcome {
        let Wiped { epoch, first_seq, last_seq, bytes } = went;
        let args = serde_json::json!({
            "reason": reason,
            "epoch": epoch,
            "first_seq": first_seq,
            "last_seq": last_seq,
            "bytes": bytes,
        });
        ActionOutcome {
            id: format!("wipe-{}", epoch + 1),
            actor: actor.into(),
            action: "wipe".into(),
            args: args.to_string(),
            started: at,
            ended: at,
            outcome: Outcome::Succeeded,
            detail: format!("events {first_seq} to {last_seq} were wiped"),
            ext: Extensions::default(),
        }
    }
}

/// The recorder started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Boot {
    /// The program's version.
    pub version: String,
    /// The name of the host or pod.
    pub host: String,
    /// `live` or `demo`.
    pub mode: String,
    /// What recovery found: JSON text of an object.
    pub recovery: String,
    /// Fields of later versions.
    pub ext: Extensions,
}
