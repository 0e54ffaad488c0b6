//! The recorder's start: open the journal, replay it, and record what the stop left unfinished.

use std::{fs, io, path::Path, sync::Arc, time::Duration};

use tokio::sync::mpsc;

use super::{
    Request, Setup, WipeOnStart,
    core::{Core, Inputs, Opened, Outputs},
    with_causes,
};
use crate::{
    event::{
        ActionOutcome, Boot, Event, Extensions, Outcome, SourceState, State as SourceWord, now,
        now_ns,
    },
    journal::{self, Reader, Recovery, WipeNote, Writer, fs::Fs},
    views::{fold::Fold, read},
};

/// Between two attempts to open the journal: short, since another pod may be about to let it go.
const OPEN_RETRY: Duration = Duration::from_millis(500);

/// What a list in the boot record names at most: a directory with a hundred thousand strange files
/// must not make a record that the journal refuses.
const LISTED_MAX: usize = 1000;

/// Runs the recorder until it is asked to stop.
pub(super) async fn run(setup: Setup, fs: Arc<dyn Fs>, mut inputs: Inputs, outputs: Outputs) {
    let opened = open(&setup, &fs, &mut inputs, &outputs).await;
    let Some((mut writer, reader, recovery)) = opened else {
        return;
    };
    let mut faults = setup.config_faults.clone();
    faults.extend(recovery.skipped.iter().map(|segment| left_out(segment)));
    if let Some(wipe) = &setup.wipe_on_start
        && let Err(error) = wipe_once(&mut writer, &reader, wipe)
    {
        faults.push(format!("the wipe on start failed: {error:#}"));
    }
    // Before the reader: who has it compares what it knows with the positions, and those of no
    // journal would look like a loss or a wipe.
    outputs.positions.send_replace(reader.positions());
    outputs.published.reader.store(Some(Arc::new(reader.clone())));
    let fold = replay(&reader, &outputs, &mut faults);
    writer.started();
    let boot = boot_event(&setup, &recovery, &faults, &fold);
    let opened = Opened { writer, reader, fold, faults, recovery: Arc::new(recovery) };
    let mut core = Core::new(&setup, fs, opened, outputs);
    core.begin(unfinished(&core, boot));
    core.run(inputs).await;
}

fn left_out(segment: &str) -> String {
    format!(
        "segment {segment} was left out, since the last two starts died while they read it: what it \
         holds is not shown; the next start tries again"
    )
}

/// Opens the journal, again and again until it can be; `None` when asked to stop before.
async fn open(
    setup: &Setup,
    fs: &Arc<dyn Fs>,
    inputs: &mut Inputs,
    outputs: &Outputs,
) -> Option<(Writer, Reader, Recovery)> {
    loop {
        let reason = match journal::open_with(setup.journal.clone(), fs.clone()) {
            Ok(opened) => return Some(opened),
            Err(error) => format!("the journal is not open: {}", with_causes(&error)),
        };
        let faults = setup.config_faults.iter().cloned();
        outputs.degrade(faults.chain([reason.clone()]).collect());
        let refusing = refuse(&mut inputs.requests, &reason);
        if tokio::time::timeout(OPEN_RETRY, refusing).await.is_ok() {
            return None;
        }
    }
}

/// Refuses what admins ask while the journal is not open; ends when asked to stop.
async fn refuse(requests: &mut mpsc::Receiver<Request>, reason: &str) {
    let refusal = || super::Error::NotRecorded { reason: reason.to_owned() };
    while let Some(request) = requests.recv().await {
        // Whoever asked may have gone; nothing was done.
        match request {
            Request::Record { done, .. } => drop(done.send(Err(refusal()))),
            Request::Wipe { done, .. } => drop(done.send(Err(refusal()))),
            Request::Stop => return,
        }
    }
}

fn replay(reader: &Reader, outputs: &Outputs, faults: &mut Vec<String>) -> Fold {
    match read::fold_at(reader, None, &mut |applied| outputs.progress(applied)) {
        Ok(fold) => fold,
        Err(error) => {
            faults.push(format!("the views are incomplete: {}", with_causes(&error)));
            Fold::default()
        }
    }
}

/// Wipes unless the token is the one that the last such wipe had.
fn wipe_once(writer: &mut Writer, reader: &Reader, wipe: &WipeOnStart) -> anyhow::Result<()> {
    let known = match fs::read_to_string(&wipe.memory) {
        Ok(token) => Some(token),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    if known.as_deref() == Some(wipe.token.as_str()) {
        return Ok(());
    }
    let note = WipeNote {
        actor: "wipe on start".into(),
        reason: "the start was asked to wipe".into(),
        time_ns: now_ns(),
    };
    super::core::wipe(writer, reader, &note)?;
    remember(&wipe.memory, &wipe.token)?;
    Ok(())
}

/// Written beside and renamed, so that a crash leaves the old token or the new one.
fn remember(memory: &Path, token: &str) -> io::Result<()> {
    let fresh = memory.with_extension("new");
    fs::write(&fresh, token)?;
    fs::File::open(&fresh)?.sync_all()?;
    fs::rename(&fresh, memory)
}

fn boot_event(setup: &Setup, recovery: &Recovery, faults: &[String], fold: &Fold) -> Event {
    let mut report = serde_json::to_value(recovery).unwrap_or_default();
    if let Some(fields) = report.as_object_mut() {
        fields.insert("config_faults".into(), faults.into());
        fields.insert("passed_over".into(), fold.unread.lines().into());
        bound(fields);
    }
    Event::Boot(Boot {
        version: setup.version.clone(),
        host: setup.host.clone(),
        mode: setup.mode.clone(),
        recovery: report.to_string(),
        ext: Extensions::default(),
    })
}

/// Cuts lists that are too long for a record, and says how long they were.
fn bound(fields: &mut serde_json::Map<String, serde_json::Value>) {
    let mut counts = Vec::new();
    for (name, field) in fields.iter_mut() {
        if let Some(list) = field.as_array_mut()
            && list.len() > LISTED_MAX
        {
            counts.push((format!("{name}_count"), list.len()));
            list.truncate(LISTED_MAX);
        }
    }
    fields.extend(counts.into_iter().map(|(name, count)| (name, count.into())));
}

/// The boot record, and the ends of what the last run left open: nobody was looking.
fn unfinished(core: &Core, boot: Event) -> Vec<Event> {
    let mut events = vec![boot];
    for source in core.state().sources.values() {
        if source.state.state == SourceWord::Up {
            events.push(not_observed(core, &source.state));
            let open = read::unended_traces(core.state(), &source.state.name);
            events.extend(open.into_iter().map(Event::Trace));
        }
    }
    let running = core.state().running_actions.values();
    events.extend(running.map(|running| unknown_outcome(&running.intent)));
    events
}

fn not_observed(core: &Core, source: &SourceState) -> Event {
    let heard = read::heard_until(core.reader(), core.state(), &source.name);
    Event::SourceState(SourceState {
        state: SourceWord::Down,
        reason: "the recorder was not running".into(),
        since: heard.ok().flatten().unwrap_or(source.since),
        malformed: 0,
        last_malformed: String::new(),
        ..source.clone()
    })
}

fn unknown_outcome(intent: &crate::event::ActionIntent) -> Event {
    Event::ActionOutcome(ActionOutcome {
        id: intent.id.clone(),
        actor: intent.actor.clone(),
        action: intent.action.clone(),
        args: intent.args.clone(),
        started: intent.started,
        ended: now(),
        outcome: Outcome::Unknown,
        detail: "the recorder stopped before the outcome was recorded; see what followed".into(),
        ext: Extensions::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_without_end_are_cut_and_counted() {
        let many: Vec<u64> = (0..100_000).collect();
        let mut report = serde_json::json!({ "lost": many, "damaged": [1, 2], "segments": 3 });
        bound(report.as_object_mut().expect("it is an object"));
        assert_eq!(report["lost"].as_array().map(Vec::len), Some(LISTED_MAX));
        assert_eq!(report["lost_count"], 100_000);
        assert_eq!((&report["damaged"][1], report.get("damaged_count")), (&2.into(), None));
    }
}
