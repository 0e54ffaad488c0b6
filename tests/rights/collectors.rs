//! The lists and watches of the cluster collector.

use std::{collections::BTreeMap, path::Path};

use monitor_backend::{
    cluster::Access,
    collect::{Config, Kinds, Resume},
    event::{Event, State},
};

use crate::{
    Applied,
    collected::{Collected, Seen, fast},
    role::{BASE, Right},
};

const QUEUE_MESSAGES: usize = 64;

/// Leaves the role without the last of its rights.
pub async fn each_missing_right_is_the_reason_of_its_source(applied: &Applied) {
    let with_all = states(&applied.kubeconfig).await;
    assert!(with_all.values().all(|(state, _)| *state == State::Up), "{with_all:?}");

    // What the collector does not use is taken away for good: the rest has to do.
    let shipped = BASE.rights(&applied.cluster).await;
    let used: Vec<Right> = shipped.into_iter().filter(is_used).collect();
    assert_eq!(used.len(), 2 * with_all.len(), "to list and to watch each kind: {used:?}");
    for missing in &used {
        BASE.grant_but(&applied.cluster, &used, missing).await;
        let states = states(&applied.kubeconfig).await;
        let Right { group, resource, verb } = missing;
        let down: Vec<_> = states.iter().filter(|(_, (state, _))| *state != State::Up).collect();
        let [(source, (State::Down, reason))] = down.as_slice() else {
            panic!("without {missing:?} one source is down: {down:?}")
        };
        let kind = source.trim_start_matches("cluster/").to_lowercase();
        assert!(resource.starts_with(kind.trim_end_matches('s')), "{source} {resource}");
        let permission = format!("grant {verb} on the resource {resource} of ");
        assert!(reason.contains(&permission) && reason.contains(group), "{reason}");
    }
}

fn is_used(Right { resource, verb, .. }: &Right) -> bool {
    verb != "get" && verb != "create" && !resource.contains('/')
}

/// Starts every watch and returns what it came to: up, or not and why.
async fn states(kubeconfig: &Path) -> BTreeMap<String, (State, String)> {
    let cluster = Some(Access { kubeconfig: Some(kubeconfig.to_owned()) });
    let config = Config { cluster, pace: fast(), ..Config::default() };
    let mut collected = Collected::start(&config, &Resume::default(), QUEUE_MESSAGES);
    let wanted = Kinds::default().iter().count();
    let mut states = BTreeMap::new();
    while states.len() < wanted {
        let (name, state) = collected
            .wait(|seen| match seen {
                Seen::Event(Event::SourceState(s))
                    if s.name.starts_with("cluster/") && s.state != State::Connecting =>
                {
                    Some((s.name.clone(), (s.state, s.reason.clone())))
                }
                _ => None,
            })
            .await;
        states.insert(name, state);
    }
    collected.stop().await;
    states
}
