//! Which kinds of objects are observed: those of every cluster, less what an admin switched off, and
//! what the configuration names beside them.

use std::sync::Arc;

use serde::Deserialize;

/// Kinds that the configuration may add. Each costs a watch and its reconnects.
const MORE_MAX: usize = 64;

/// A label of DNS is so long at most, a name of a group so long (RFC 1035).
const LABEL_CHARS_MAX: usize = 63;
const GROUP_CHARS_MAX: usize = 253;

/// The kinds that are always of use, in the order of their sources' start.
const USUAL: [Usual; 15] = [
    of_core("Pod", "pods").always(),
    of_core("Node", "nodes").always(),
    of_core("Event", "events").history(),
    of("apps", "Deployment", "deployments"),
    of("apps", "ReplicaSet", "replicasets"),
    of("apps", "StatefulSet", "statefulsets"),
    of("apps", "DaemonSet", "daemonsets"),
    of("batch", "Job", "jobs"),
    of("batch", "CronJob", "cronjobs"),
    of_core("Namespace", "namespaces"),
    of_core("Service", "services"),
    of_core("PersistentVolumeClaim", "persistentvolumeclaims"),
    of_core("PersistentVolume", "persistentvolumes"),
    of("networking.k8s.io", "Ingress", "ingresses"),
    of("autoscaling", "HorizontalPodAutoscaler", "horizontalpodautoscalers").version("v2"),
];

/// A kind that is observed unless it is switched off.
struct Usual {
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    is_history: bool,
    /// Problems, logs and volumes are about these.
    is_needed: bool,
}

const fn of(group: &'static str, kind: &'static str, plural: &'static str) -> Usual {
    Usual { group, version: "v1", kind, plural, is_history: false, is_needed: false }
}

const fn of_core(kind: &'static str, plural: &'static str) -> Usual {
    of("", kind, plural)
}

impl Usual {
    const fn version(mut self, version: &'static str) -> Usual {
        self.version = version;
        self
    }

    const fn history(mut self) -> Usual {
        self.is_history = true;
        self
    }

    const fn always(mut self) -> Usual {
        self.is_needed = true;
        self
    }

    fn kind(&self) -> Kind {
        Kind {
            source: format!("cluster/{}", self.kind),
            group: self.group.into(),
            version: self.version.into(),
            kind: self.kind.into(),
            plural: Some(self.plural.into()),
            is_history: self.is_history,
        }
    }
}

/// A kind of object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// The name of the source.
    pub source: String,
    /// Empty for the core group.
    pub group: String,
    /// For example `v1`.
    pub version: String,
    /// For example `Pod`.
    pub kind: String,
    /// The resource's name in paths; `None`: the cluster has to tell.
    pub plural: Option<String>,
    /// Its objects report what happened. They are not things that live, and that the cluster
    /// forgets them means nothing.
    pub is_history: bool,
}

impl Kind {
    /// Group and version, as an object names them.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// The path of what the group and version have.
    pub fn group_path(&self) -> String {
        let root = if self.group.is_empty() { "api" } else { "apis" };
        format!("/{root}/{}", self.api_version())
    }
}

/// A kind that the configuration adds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct More {
    #[serde(default)]
    group: String,
    version: String,
    kind: String,
    plural: Option<String>,
}

impl More {
    fn kind(&self) -> Kind {
        let of_group = if self.group.is_empty() { "" } else { "." };
        Kind {
            // Two groups may have a kind of the same name.
            source: format!("cluster/{}{of_group}{}", self.kind, self.group),
            group: self.group.clone(),
            version: self.version.clone(),
            kind: self.kind.clone(),
            plural: self.plural.clone(),
            is_history: false,
        }
    }

    fn fault(&self) -> Option<String> {
        let More { group, version, kind, plural } = self;
        let is_label = |text: &str| {
            let is_sound = |c: char| c.is_ascii_alphanumeric() || c == '-';
            (1..=LABEL_CHARS_MAX).contains(&text.len()) && text.chars().all(is_sound)
        };
        let is_group =
            group.is_empty() || (group.len() <= GROUP_CHARS_MAX && group.split('.').all(is_label));
        if !is_group || !is_label(version) || !is_label(kind) {
            return Some(format!("{kind:?} of {group:?}, {version:?}: that can be no kind"));
        }
        if let Some(plural) = plural.as_deref().filter(|plural| !is_label(plural)) {
            return Some(format!("{plural:?} can be no plural of {kind}"));
        }
        let is = |name: &str| {
            kind.eq_ignore_ascii_case(name)
                || plural.as_ref().is_some_and(|p| p.eq_ignore_ascii_case(&format!("{name}s")))
        };
        if group.is_empty() && is("Secret") {
            return Some("Secrets are never recorded".into());
        }
        let is_usual = |one: &Usual| one.group == group && one.kind.eq_ignore_ascii_case(kind);
        USUAL.iter().any(is_usual).then(|| format!("{kind} is observed anyway"))
    }
}

/// The kinds that are observed. The default is what every cluster has.
#[derive(Debug, Clone)]
pub struct Kinds(Vec<Arc<Kind>>);

impl Default for Kinds {
    fn default() -> Kinds {
        Kinds(USUAL.iter().map(|one| Arc::new(one.kind())).collect())
    }
}

impl Kinds {
    /// All but `without`, and `more`.
    ///
    /// # Errors
    /// What is wrong with one of them, for an admin.
    pub fn new(without: &[String], more: &[More]) -> Result<Kinds, String> {
        if let Some(wrong) = without.iter().find_map(|name| fault_without(name)) {
            return Err(wrong);
        }
        if more.len() > MORE_MAX {
            return Err(format!("at most {MORE_MAX} kinds can be added"));
        }
        if let Some(wrong) = more.iter().find_map(More::fault) {
            return Err(wrong);
        }
        let kept = USUAL.iter().filter(|one| !without.iter().any(|name| name == one.kind));
        let kinds: Vec<_> = kept.map(Usual::kind).chain(more.iter().map(More::kind)).collect();
        let mut sources: Vec<&str> = kinds.iter().map(|kind| kind.source.as_str()).collect();
        sources.sort_unstable();
        if let Some(twice) = sources.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("{} is named twice", twice[0].trim_start_matches("cluster/")));
        }
        Ok(Kinds(kinds.into_iter().map(Arc::new).collect()))
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.0.iter()
    }
}

fn fault_without(name: &str) -> Option<String> {
    match USUAL.iter().find(|one| one.kind == name) {
        Some(one) if one.is_needed => Some(format!("{name} cannot be left out: all else needs it")),
        Some(_) => None,
        None => {
            let can: Vec<&str> =
                USUAL.iter().filter(|one| !one.is_needed).map(|one| one.kind).collect();
            Some(format!("{name:?} cannot be left out; what can is {}", can.join(", ")))
        }
    }
}

/// One of the usual kinds, for tests.
#[cfg(test)]
pub fn usual(kind: &str) -> Kind {
    USUAL.iter().find(|one| one.kind == kind).expect("it is one of them").kind()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn more(group: &str, kind: &str, plural: Option<&str>) -> More {
        let plural = plural.map(str::to_owned);
        More { group: group.into(), version: "v1".into(), kind: kind.into(), plural }
    }

    fn sources(kinds: &Kinds) -> Vec<&str> {
        kinds.iter().map(|kind| kind.source.as_str()).collect()
    }

    #[test]
    fn what_an_admin_leaves_out_and_adds_is_observed_or_not() {
        let without = ["ReplicaSet".to_owned(), "Event".to_owned()];
        let added = [more("example.com", "Service", None), more("", "ConfigMap", None)];
        let kinds = Kinds::new(&without, &added).expect("these are good");
        let sources = sources(&kinds);
        assert_eq!(sources.len(), USUAL.len());
        assert!(!sources.contains(&"cluster/ReplicaSet") && !sources.contains(&"cluster/Event"));
        assert!(sources.contains(&"cluster/Service"));
        assert_eq!(
            sources[sources.len() - 2..],
            ["cluster/Service.example.com", "cluster/ConfigMap"]
        );
    }

    #[test]
    fn no_spelling_of_secrets_is_observed() {
        for (kind, plural) in [
            ("Secret", None),
            ("secret", None),
            ("Other", Some("secrets")),
            ("Other", Some("SECRETS")),
        ] {
            let wrong = Kinds::new(&[], &[more("", kind, plural)]).expect_err(kind);
            assert_eq!(wrong, "Secrets are never recorded");
        }
    }

    #[test]
    fn what_is_no_kind_is_named() {
        let wrong = |one: More| Kinds::new(&[], &[one]).expect_err("a fault");
        assert!(wrong(more("a/b", "K", None)).contains("no kind"));
        assert!(wrong(more("", "", None)).contains("no kind"));
        assert!(wrong(more("", "../x", None)).contains("no kind"));
        assert!(wrong(more("", "K", Some("a?b"))).contains("no plural"));
        assert!(wrong(more("apps", "Deployment", None)).contains("anyway"));
        let twice = [more("a.b", "K", None), more("a.b", "K", Some("ks"))];
        assert!(Kinds::new(&[], &twice).expect_err("twice").contains("K.a.b is named twice"));
    }

    #[test]
    fn what_cannot_be_left_out_is_told() {
        let wrong = |name: &str| Kinds::new(&[name.to_owned()], &[]).expect_err("a fault");
        assert!(wrong("Pod").contains("all else needs it"));
        assert!(wrong("Secret").contains("what can is Event, Deployment"));
    }
}
