//! What the containers of the simulation can run: a few programs, and what a test puts in their
//! place.

use std::time::Duration;

use super::{summary::claims, volumes::Volumes};
use crate::event::Millis;
use serde_json::Value;

/// A pod mounts each claim here, after its volume's name.
pub(super) const MOUNTS: &str = "/var/lib";

/// A migration takes its time, so that it can be watched.
const MIGRATION_STEPS: u32 = 12;
const MIGRATION_PAUSE: Duration = Duration::from_millis(400);

/// What a program does, step by step, and how it ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// In order.
    pub steps: Vec<Step>,
    /// After the last step.
    pub end: End,
}

/// A step of a program.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Bytes on standard output.
    Out(Vec<u8>),
    /// Bytes on standard error.
    Err(Vec<u8>),
    /// It is silent for a while.
    Wait(Duration),
}

/// How a program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With this exit status.
    Exit(u8),
    /// It is not in the container.
    NotFound,
    /// The connection goes before the program does.
    BreaksOff,
    /// Never.
    Never,
}

impl Script {
    /// Says lines on standard output and ends well.
    pub fn says(lines: &[&str]) -> Script {
        let lines = lines.iter().map(|line| Step::Out(format!("{line}\n").into_bytes()));
        Script { steps: lines.collect(), end: End::Exit(0) }
    }

    /// Says a line on standard error and ends with a status.
    pub fn fails(line: &str, status: u8) -> Script {
        let steps = vec![Step::Err(format!("{line}\n").into_bytes())];
        Script { steps, end: End::Exit(status) }
    }
}

/// What a command does in a pod.
pub(super) fn script(command: &[String], pod: &Value, volumes: &Volumes, now: Millis) -> Script {
    let arguments: Vec<&str> = command.iter().skip(1).map(String::as_str).collect();
    match command.first().map(String::as_str) {
        Some("df") => df(&arguments, pod, volumes, now),
        Some("echo") => Script::says(&[&arguments.join(" ")]),
        Some("true") => Script::says(&[]),
        Some("false") => Script { steps: Vec::new(), end: End::Exit(1) },
        Some("migrate") if arguments == ["--broken"] => broken_migration(),
        Some("migrate") => migration(MIGRATION_STEPS, End::Exit(0)),
        Some("sleep") => sleep(&arguments),
        _ => Script { steps: Vec::new(), end: End::NotFound },
    }
}

fn sleep(arguments: &[&str]) -> Script {
    match arguments {
        ["infinity"] => Script { steps: Vec::new(), end: End::Never },
        [seconds] => match seconds.parse().ok().and_then(|s| Duration::try_from_secs_f64(s).ok()) {
            Some(time) => Script { steps: vec![Step::Wait(time)], end: End::Exit(0) },
            None => Script::fails(&format!("sleep: invalid time interval '{seconds}'"), 1),
        },
        _ => Script::fails("sleep: missing operand", 1),
    }
}

fn migration(steps: u32, end: End) -> Script {
    let mut script = Script::says(&["migration: connected to postgres/debate-map-db"]);
    for step in 1..=steps {
        script.steps.push(Step::Wait(MIGRATION_PAUSE));
        let line = format!("migration: step {step} of {MIGRATION_STEPS} applied\n");
        script.steps.push(Step::Out(line.into_bytes()));
    }
    script.end = end;
    script
}

/// It fails half-way.
fn broken_migration() -> Script {
    let mut script = migration(MIGRATION_STEPS / 2, End::Exit(3));
    let line = "migration: step 7 failed: column \"slug\" of relation \"maps\" already exists\n";
    script.steps.push(Step::Err(line.into()));
    script
}

/// `df -P -k PATH` or `df -P -i PATH`, of a path where a claim is mounted.
fn df(arguments: &[&str], pod: &Value, volumes: &Volumes, now: Millis) -> Script {
    let Some(path) = arguments.iter().find(|argument| argument.starts_with('/')) else {
        return Script::fails("df: which path?", 1);
    };
    let mounted = claims(pod).find(|(volume, _)| *path == format!("{MOUNTS}/{volume}"));
    let Some((_, claim)) = mounted else {
        return Script::fails(&format!("df: {path}: No such file or directory"), 1);
    };
    let namespace = pod["metadata"]["namespace"].as_str().unwrap_or_default();
    let measure = volumes.measure(&(namespace.to_owned(), claim.to_owned()), now);
    let (head, all, used, free) = if arguments.contains(&"-i") {
        let free = measure.inodes - measure.inodes_used;
        (
            "Filesystem Inodes IUsed IFree IUse% Mounted on",
            measure.inodes,
            measure.inodes_used,
            free,
        )
    } else {
        let free = measure.available() / 1024;
        let (all, used) = (measure.capacity / 1024, measure.used / 1024);
        ("Filesystem 1024-blocks Used Available Capacity Mounted on", all, used, free)
    };
    let percent = used * 100 / all.max(1);
    Script::says(&[head, &format!("/dev/mapper/{claim} {all} {used} {free} {percent}% {path}")])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn df_tells_of_a_mounted_claim_and_of_nothing_else() {
        let pod = json!({
            "metadata": {"namespace": "a"},
            "spec": {"volumes": [
                {"name": "data", "persistentVolumeClaim": {"claimName": "c"}},
                {"name": "tmp", "emptyDir": {}},
            ]},
        });
        let run = |text: &str| {
            let command: Vec<String> = text.split(' ').map(str::to_owned).collect();
            script(&command, &pod, &Volumes::default(), 0.0)
        };
        let Step::Out(line) = &run("df -P -k /var/lib/data").steps[1] else { panic!("a line") };
        assert!(line.starts_with(b"/dev/mapper/c 10485760 "), "{line:?}");
        assert_eq!(run("df -P -k /var/lib/tmp").end, End::Exit(1));
        assert_eq!(run("rm -rf /").end, End::NotFound);
    }
}
