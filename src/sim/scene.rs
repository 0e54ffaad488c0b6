//! What the story does to the cluster and the app-server, and when: for whoever watches the demo,
//! and for tests that compare it with what the recorder says is wrong.

use tokio::sync::watch;

use crate::event::{Millis, now};

/// Scenes that are remembered: those of some rounds.
const SCENES_MAX: usize = 64;

/// A trouble of the story.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// The word of the kind of problem that it is, as the recorder's interface has it.
    pub problem: &'static str,
    /// What happens, in a sentence.
    pub what: &'static str,
    /// When the cluster or the app-server showed it.
    pub began: Millis,
    /// When its cause was taken away; `None` while it lasts.
    pub ended: Option<Millis>,
    /// Whether an admin did that.
    pub by_admin: bool,
}

/// The scenes of this run, oldest first.
#[derive(Debug, Default)]
pub(super) struct Scenes(watch::Sender<Vec<Scene>>);

impl Scenes {
    /// What there was, and what comes.
    pub(super) fn watch(&self) -> watch::Receiver<Vec<Scene>> {
        self.0.subscribe()
    }

    /// Something went wrong.
    pub(super) fn begin(&self, problem: &'static str, what: &'static str) {
        let scene = Scene { problem, what, began: now(), ended: None, by_admin: false };
        self.0.send_modify(|scenes| {
            if scenes.len() >= SCENES_MAX {
                scenes.remove(0);
            }
            scenes.push(scene);
        });
    }

    /// Everything that goes on ends, by itself or by an admin.
    pub(super) fn end_all(&self, by_admin: bool) {
        self.0.send_modify(|scenes| {
            let open = scenes.iter_mut().filter(|scene| scene.ended.is_none());
            for scene in open {
                scene.ended = Some(now());
                scene.by_admin = by_admin;
            }
        });
    }
}
