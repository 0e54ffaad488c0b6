//! The logs of pods. No kubelet runs here, so what is granted ends at a node that nobody answers for.

use std::time::Duration;

use monitor_backend::{
    cluster::Access,
    collect::{Config, Pace, PodLogs, Resume},
    event::State,
};

use crate::{
    Applied,
    collected::{Collected, fast},
    role::{BASE, NAMESPACE, Right},
};

const SOURCE: &str = "pod-logs/web";
const QUEUE_MESSAGES: usize = 64;

pub async fn the_missing_right_is_the_reason_of_the_source(applied: &Applied) {
    let config = Config {
        cluster: Some(Access { kubeconfig: Some(applied.kubeconfig.clone()) }),
        pod_logs: vec![PodLogs {
            name: "web".into(),
            namespace: Some(NAMESPACE.into()),
            label_selector: "app=web".into(),
            containers: vec![],
            previous: true,
        }],
        pace: Pace { greeting_max: Duration::from_millis(100), ..fast() },
        ..Config::default()
    };
    let shipped = BASE.take_away(&applied.cluster, &Right::of("get", "pods/log")).await;
    let mut collected = Collected::start(&config, &Resume::default(), QUEUE_MESSAGES);
    collected.only = SOURCE;
    let refused = collected.state(SOURCE, State::Down).await.reason;
    for part in ["403", "reading the logs of pod-logs/web", "grant get on pods/log"] {
        assert!(refused.contains(part), "{part}: {refused}");
    }

    BASE.grant(&applied.cluster, &shipped).await;
    let granted = loop {
        let reason = collected.state(SOURCE, State::Down).await.reason;
        if !reason.contains("403") {
            break reason;
        }
    };
    assert!(granted.contains("127.0.0.1:1") && granted.contains("refused"), "{granted}");
    collected.stop().await;
}
