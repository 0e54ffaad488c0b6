//! Which kinds the simulated API serves, and how its paths name them.

/// A kind of object and its place in the API.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    /// Group and version, for example `apps/v1` or `v1`.
    pub(crate) group_version: &'static str,
    /// As paths name it; unique among those served here.
    pub(crate) plural: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) namespaced: bool,
}

/// Every kind that is served. Of those after the deployments there is none unless somebody puts one,
/// but a cluster has them.
static RESOURCES: &[Resource] = &[
    namespaced("v1", "pods", "Pod"),
    of_cluster("v1", "nodes", "Node"),
    namespaced("v1", "events", "Event"),
    of_cluster("v1", "namespaces", "Namespace"),
    namespaced("v1", "persistentvolumeclaims", "PersistentVolumeClaim"),
    of_cluster("v1", "persistentvolumes", "PersistentVolume"),
    namespaced("apps/v1", "deployments", "Deployment"),
    namespaced("apps/v1", "replicasets", "ReplicaSet"),
    namespaced("apps/v1", "statefulsets", "StatefulSet"),
    namespaced("apps/v1", "daemonsets", "DaemonSet"),
    namespaced("batch/v1", "jobs", "Job"),
    namespaced("batch/v1", "cronjobs", "CronJob"),
    namespaced("v1", "services", "Service"),
    namespaced("networking.k8s.io/v1", "ingresses", "Ingress"),
    namespaced("autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"),
];

const fn namespaced(
    group_version: &'static str,
    plural: &'static str,
    kind: &'static str,
) -> Resource {
    Resource { group_version, plural, kind, namespaced: true }
}

const fn of_cluster(
    group_version: &'static str,
    plural: &'static str,
    kind: &'static str,
) -> Resource {
    Resource { group_version, plural, kind, namespaced: false }
}

/// Names one object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ObjectKey {
    /// The plural of its resource.
    pub(crate) plural: &'static str,
    /// Empty for objects of the whole cluster.
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// What a path names: a kind, in one namespace or all, and perhaps one object.
#[derive(Debug, PartialEq)]
pub(crate) struct Target {
    pub(crate) resource: &'static Resource,
    pub(crate) namespace: Option<String>,
    pub(crate) name: Option<String>,
}

impl Resource {
    /// The resource of a kind, for example `Pod`.
    pub(crate) fn of_kind(kind: &str) -> Option<&'static Resource> {
        RESOURCES.iter().find(|resource| resource.kind == kind)
    }

    pub(crate) fn key(&self, namespace: &str, name: &str) -> ObjectKey {
        let namespace = if self.namespaced { namespace.to_owned() } else { String::new() };
        ObjectKey { plural: self.plural, namespace, name: name.to_owned() }
    }
}

impl Target {
    /// Reads a request's path; `None` for what is not served.
    pub(crate) fn parse(path: &str) -> Option<Target> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (group_version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] => ((*version).to_owned(), rest),
            ["apis", group, version, rest @ ..] => (format!("{group}/{version}"), rest),
            _ => return None,
        };
        let (namespace, plural, name) = match rest {
            [plural] => (None, *plural, None),
            [plural, name] => (None, *plural, Some(*name)),
            ["namespaces", namespace, plural] => (Some(*namespace), *plural, None),
            ["namespaces", namespace, plural, name] => (Some(*namespace), *plural, Some(*name)),
            _ => return None,
        };
        let served = |r: &&Resource| r.group_version == group_version && r.plural == plural;
        let resource = RESOURCES.iter().find(served)?;
        // One object of a namespaced kind needs its namespace; a cluster-wide kind has none.
        let named_fully = name.is_none() || resource.namespaced == namespace.is_some();
        let has_namespaces = resource.namespaced || namespace.is_none();
        (named_fully && has_namespaces).then(|| Target {
            resource,
            namespace: namespace.map(str::to_owned),
            name: name.map(str::to_owned),
        })
    }

    /// The object that the path names, if it names one.
    pub(crate) fn key(&self) -> Option<ObjectKey> {
        let namespace = self.namespace.as_deref().unwrap_or_default();
        self.name.as_ref().map(|name| self.resource.key(namespace, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(path: &str) -> Option<(&'static str, Option<String>, Option<String>)> {
        Target::parse(path).map(|t| (t.resource.kind, t.namespace, t.name))
    }

    #[test]
    fn paths_name_kinds_namespaces_and_objects() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(named("/api/v1/pods"), Some(("Pod", None, None)));
        assert_eq!(named("/api/v1/namespaces/a/pods"), Some(("Pod", some("a"), None)));
        assert_eq!(named("/api/v1/namespaces/a/pods/b"), Some(("Pod", some("a"), some("b"))));
        assert_eq!(named("/api/v1/nodes/n"), Some(("Node", None, some("n"))));
        assert_eq!(named("/api/v1/namespaces"), Some(("Namespace", None, None)));
        assert_eq!(named("/api/v1/namespaces/a"), Some(("Namespace", None, some("a"))));
        assert_eq!(
            named("/apis/apps/v1/namespaces/a/deployments/d"),
            Some(("Deployment", some("a"), some("d")))
        );
    }

    #[test]
    fn what_is_not_served_is_not_found() {
        for path in [
            "/",
            "/api",
            "/api/v1/secrets",
            "/api/v1/deployments",
            "/apis/apps/v1/pods",
            "/api/v1/pods/b",
            "/api/v1/namespaces/a/nodes",
            "/api/v1/namespaces/a/pods/b/log",
        ] {
            assert_eq!(Target::parse(path), None, "{path}");
        }
    }
}
