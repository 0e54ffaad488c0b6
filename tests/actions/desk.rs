//! A recorder over a journal of its own, and what tests ask of it.

use std::{ops::ControlFlow, path::Path, sync::Arc, time::Duration};

use monitor_backend::{
    actions::{Actions, Procedures},
    cluster::Access,
    event::{ActionIntent, ActionOutcome, Event, Observed, kind},
    journal::{
        self, Range, Seq,
        fs::{Disk, Fs},
    },
    recorder::{self, Published, Setup},
};
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::PATIENCE;

/// A recorder over a journal of its own.
pub struct Desk {
    pub recorder: recorder::Recorder,
    pub published: Arc<Published>,
    /// Where collectors put what they observe.
    pub queue: mpsc::Sender<Observed>,
    pub dir: TempDir,
}

impl Desk {
    pub async fn start() -> Desk {
        Desk::on(Arc::new(Disk)).await
    }

    pub async fn on(fs: Arc<dyn Fs>) -> Desk {
        let dir = TempDir::new().expect("a folder");
        let started = recorder::start_with(
            Setup {
                journal: journal::Options {
                    dir: dir.path().into(),
                    segment_bytes: 1 << 20,
                    keep: journal::Retention::default(),
                },
                version: "test".into(),
                host: "test".into(),
                mode: "live".into(),
                config_faults: vec![],
                source_bytes_per_day: None,
                wipe_on_start: None,
            },
            fs,
        );
        let started = started.expect("a thread starts");
        assert!(started.published.replayed().await);
        Desk { recorder: started.recorder, published: started.published, queue: started.queue, dir }
    }

    pub fn actions(&self, kubeconfig: &Path) -> Actions {
        let access = Access { kubeconfig: Some(kubeconfig.into()) };
        self.actions_of(Some(access), Procedures::default())
    }

    pub fn actions_without_cluster(&self) -> Actions {
        self.actions_of(None, Procedures::default())
    }

    pub fn actions_of(&self, cluster: Option<Access>, procedures: Procedures) -> Actions {
        let published = Arc::clone(&self.published);
        Actions::new(self.recorder.clone(), published, cluster, procedures)
    }

    /// Every event of a kind, with its number.
    pub fn events(&self, kind: u16) -> Vec<(Seq, Event)> {
        let reader = self.published.reader.load_full().expect("the journal is open");
        let mut found = Vec::new();
        let range = Range { kinds: &[kind], ..Range::ALL };
        reader
            .scan(range, &mut |record| {
                let event = Event::decode(record.kind, record.payload).expect("it decodes");
                found.extend(event.map(|event| (record.seq, event)));
                ControlFlow::Continue(())
            })
            .expect("the journal is read");
        found
    }

    pub fn intents(&self) -> Vec<(Seq, ActionIntent)> {
        let intents = self.events(kind::ACTION_INTENT).into_iter();
        intents
            .map(|(seq, event)| match event {
                Event::ActionIntent(intent) => (seq, intent),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    pub fn outcomes(&self) -> Vec<(Seq, ActionOutcome)> {
        let outcomes = self.events(kind::ACTION_OUTCOME).into_iter();
        outcomes
            .map(|(seq, event)| match event {
                Event::ActionOutcome(outcome) => (seq, outcome),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    /// The output of an action, with the numbers of its records.
    pub fn progress(&self, id: &str) -> Vec<(Seq, String)> {
        let lines = self.events(kind::ACTION_PROGRESS).into_iter();
        lines
            .filter_map(|(seq, event)| match event {
                Event::ActionProgress(progress) if progress.id == id => Some((seq, progress.line)),
                _ => None,
            })
            .collect()
    }

    /// Waits until a line of an action's output holds a text.
    pub async fn line(&self, id: &str, text: &str) -> String {
        let poll = async {
            loop {
                let lines = self.progress(id);
                if let Some((_, line)) = lines.into_iter().find(|(_, line)| line.contains(text)) {
                    return line;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, poll).await;
        found.unwrap_or_else(|_| panic!("no line has {text:?}: {:?}", self.progress(id)))
    }

    /// Waits until there are as many outcomes, and returns the last one.
    pub async fn outcome(&self, count: usize) -> (Seq, ActionOutcome) {
        let poll = async {
            loop {
                let outcomes = self.outcomes();
                if outcomes.len() >= count {
                    return outcomes.last().expect("there is one").clone();
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, poll).await.expect("the action ends")
    }
}

/// A kubeconfig that leads to a port.
pub fn write_kubeconfig(dir: &TempDir, port: u16) -> std::path::PathBuf {
    let path = dir.path().join("kubeconfig");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
         clusters: [{{name: c, cluster: {{server: 'http://127.0.0.1:{port}'}}}}]\n\
         contexts: [{{name: c, context: {{cluster: c, user: u}}}}]\nusers: []\n"
    );
    std::fs::write(&path, text).expect("the folder can be written");
    path
}
