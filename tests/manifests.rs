//! The manifests as a real API server takes them, and the container build's view of this folder.
//!
//! Every object is sent to the server; what is asserted of it is asserted of the server's answer,
//! so that a field that the server does not know, or fills in otherwise, shows.

#[path = "support/cluster.rs"]
mod cluster;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cluster::Cluster;
use serde_json::{Value, json};

/// Verbs that change nothing. `list` and `watch` on Secrets would still show them; see below.
const READ_VERBS: [&str; 3] = ["get", "list", "watch"];
/// What is asked by creating it, and changes nothing either.
const QUESTIONS: [&str; 2] = ["tokenreviews", "subjectaccessreviews"];
/// How long the server may take to act on a new role; it takes some tens of milliseconds.
const GRANT_LIMIT: Duration = Duration::from_secs(10);
/// The namespace of the example overlay.
const NAMESPACE: &str = "monitor";

#[tokio::test]
async fn a_real_server_accepts_the_manifests_and_grants_what_they_say() {
    let cluster = Cluster::start().await;
    // Under the strictest policy that a namespace can ask for.
    cluster.kubectl(&["create", "namespace", NAMESPACE]).await;
    let policy = "pod-security.kubernetes.io/enforce=restricted";
    cluster.kubectl(&["label", "namespace", NAMESPACE, policy]).await;

    let base = Objects::accepted(&cluster, "manifests/base").await;
    assert_eq!(
        base.kinds(),
        [
            "ClusterRole",
            "ClusterRoleBinding",
            "Deployment",
            "PersistentVolumeClaim",
            "Service",
            "ServiceAccount",
        ]
    );
    check_deployment(base.one("Deployment"));
    check_service(base.one("Service"));
    check_base_only_reads(&base);

    let overlay = Objects::accepted(&cluster, "manifests/overlays/with-actions").await;
    let mut expected = base.kinds();
    expected.extend(["Role", "RoleBinding"]);
    expected.extend(["ClusterRole", "ClusterRoleBinding"].repeat(2));
    expected.sort_unstable();
    assert_eq!(overlay.kinds(), expected);
    check_bindings_name_the_account(&overlay);

    let pod = pod_of(overlay.one("Deployment"));
    create_in_dry_run(&cluster, &pod).await;
    check_rights_in_force(&cluster).await;
    check_exec_is_granted_by_its_component(&cluster).await;
}

/// What `kubectl apply -k` makes of a folder, as the server answers.
struct Objects(Vec<Value>);

impl Objects {
    /// Sends a folder to the server in a dry run; panics where it accepts less than all of it.
    async fn accepted(cluster: &Cluster, folder: &str) -> Objects {
        let folder = repository(folder).display().to_string();
        let rendered = cluster.kubectl(&["kustomize", &folder]).await;
        let answer = cluster
            .kubectl(&[
                "apply",
                "--dry-run=server",
                "--output=json",
                "--namespace",
                NAMESPACE,
                "--kustomize",
                &folder,
            ])
            .await;
        let answer: Value = serde_json::from_str(&answer).expect("kubectl prints JSON");
        let items = answer["items"].as_array().expect("several objects are a list").clone();
        let sent = rendered.split("\n---\n").count();
        assert_eq!(items.len(), sent, "each object of {folder} is accepted");
        Objects(items)
    }

    fn kinds(&self) -> Vec<&str> {
        let mut kinds: Vec<&str> = self.0.iter().map(|item| text(&item["kind"])).collect();
        kinds.sort_unstable();
        kinds
    }

    fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |item| item["kind"] == *kind)
    }

    fn one(&self, kind: &str) -> &Value {
        self.of_kind(kind).next().unwrap_or_else(|| panic!("there is no {kind}"))
    }
}

fn check_deployment(deployment: &Value) {
    let spec = &deployment["spec"];
    assert_eq!(spec["strategy"], json!({"type": "Recreate"}));
    assert_eq!(spec["replicas"], 1);

    let pod = &spec["template"]["spec"];
    assert_eq!(pod["enableServiceLinks"], false);
    let security = &pod["securityContext"];
    assert_eq!(security["runAsNonRoot"], true);
    assert_eq!(security["runAsUser"], 65532);
    assert_eq!(security["fsGroup"], 65532);
    assert_eq!(security["seccompProfile"], json!({"type": "RuntimeDefault"}));

    let containers = pod["containers"].as_array().expect("a pod has containers");
    let [container] = containers.as_slice() else { panic!("one container is enough") };
    assert_eq!(
        container["securityContext"],
        json!({
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]},
        })
    );
    assert_eq!(container["livenessProbe"]["httpGet"]["path"], "/healthz");
    assert_eq!(container["livenessProbe"]["httpGet"]["port"], 5130);
    assert_eq!(container["readinessProbe"]["httpGet"]["path"], "/readyz");
    assert_eq!(container["readinessProbe"]["httpGet"]["port"], 5130);
    assert!(container["startupProbe"].is_null(), "a slow start must not end in a kill");

    let writable = container["volumeMounts"].as_array().expect("the volume is mounted");
    assert_eq!(*writable, [json!({"name": "data", "mountPath": "/data"})]);
    let key = container["env"]
        .as_array()
        .and_then(|env| env.iter().find(|entry| entry["name"] == "MONITOR_BACKEND_ADMIN_KEY"))
        .expect("the admin key can come from a Secret");
    assert_eq!(key["valueFrom"]["secretKeyRef"]["optional"], true, "it starts without the Secret");
}

fn check_service(service: &Value) {
    assert_eq!(service["spec"]["publishNotReadyAddresses"], true);
    assert_eq!(service["spec"]["ports"][0]["port"], 5130);
}

fn check_base_only_reads(base: &Objects) {
    for role in base.of_kind("ClusterRole") {
        for rule in role["rules"].as_array().expect("a role has rules") {
            let asks = texts(&rule["resources"]).all(|resource| QUESTIONS.contains(&resource));
            for verb in texts(&rule["verbs"]).filter(|verb| !(asks && *verb == "create")) {
                assert!(READ_VERBS.contains(&verb), "the base grants `{verb}`: {rule}");
            }
            for resource in texts(&rule["resources"]) {
                assert!(!resource.contains("secrets"), "the base shows Secrets: {rule}");
                assert!(resource != "*" && resource != "nodes/proxy", "too much: {rule}");
            }
        }
    }
}

fn check_bindings_name_the_account(overlay: &Objects) {
    let bindings = overlay.of_kind("ClusterRoleBinding").chain(overlay.of_kind("RoleBinding"));
    // Those of people name no account.
    for binding in bindings.filter(|binding| binding["subjects"][0]["kind"] != "Group") {
        let account =
            json!([{"kind": "ServiceAccount", "name": "monitor-backend", "namespace": NAMESPACE}]);
        assert_eq!(binding["subjects"], account);
    }
}

/// A pod as the Deployment's controller would make it.
fn pod_of(deployment: &Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "monitor-backend-0", "namespace": NAMESPACE},
        "spec": deployment["spec"]["template"]["spec"],
    })
}

async fn create_in_dry_run(cluster: &Cluster, object: &Value) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("object.json");
    fs::write(&file, object.to_string()).expect("the folder can be written");
    let file = file.display().to_string();
    cluster.kubectl(&["create", "--dry-run=server", "--filename", &file]).await;
}

/// Installs the overlay and asks the server what its service account may do.
async fn check_rights_in_force(cluster: &Cluster) {
    let folder = repository("manifests/overlays/with-actions").display().to_string();
    cluster.kubectl(&["apply", "--kustomize", &folder]).await;
    // What is granted comes first: the server takes a moment to act on a new role, and only then
    // does a "no" say something about it.
    for (verb, resource, namespace) in [
        ("list", "pods", "kube-system"),
        ("watch", "nodes", NAMESPACE),
        ("list", "horizontalpodautoscalers.autoscaling", "kube-system"),
        ("get", "pods/log", "kube-system"),
        ("get", "nodes/stats", NAMESPACE),
        ("create", "tokenreviews.authentication.k8s.io", NAMESPACE),
        ("create", "subjectaccessreviews.authorization.k8s.io", NAMESPACE),
        ("delete", "pods", NAMESPACE),
        ("patch", "deployments.apps", NAMESPACE),
        ("patch", "deployments.apps/scale", NAMESPACE),
    ] {
        let deadline = Instant::now() + GRANT_LIMIT;
        while !may(cluster, verb, resource, namespace).await {
            assert!(Instant::now() < deadline, "{verb} {resource} in {namespace} is not granted");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    for (verb, resource, namespace) in [
        ("get", "secrets", NAMESPACE),
        ("list", "secrets", NAMESPACE),
        ("list", "configmaps", NAMESPACE),
        ("create", "pods/exec", NAMESPACE),
        ("get", "nodes/proxy", NAMESPACE),
        ("get", "/monitor-backend", NAMESPACE),
        ("get", "pods/exec", NAMESPACE),
        ("patch", "pods", NAMESPACE),
        ("delete", "deployments.apps", NAMESPACE),
        ("delete", "pods", "kube-system"),
        ("patch", "deployments.apps", "kube-system"),
        ("patch", "deployments.apps/scale", "kube-system"),
    ] {
        let allowed = may(cluster, verb, resource, namespace).await;
        assert!(!allowed, "{verb} {resource} in {namespace} is granted");
    }
}

/// Installs an overlay with the component `exec`, and asks the server again.
async fn check_exec_is_granted_by_its_component(cluster: &Cluster) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().canonicalize().expect("it is there");
    // Kustomize takes no absolute paths.
    let up = "../".repeat(path.components().count() - 1);
    let at = |part: &str| format!("{up}{}", &repository(part).display().to_string()[1..]);
    let text = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": NAMESPACE,
        "resources": [at("manifests/base")],
        "components": [at("manifests/components/actions"), at("manifests/components/exec")],
    });
    fs::write(path.join("kustomization.yaml"), text.to_string()).expect("it can be written");
    cluster.kubectl(&["apply", "--kustomize", &path.display().to_string()]).await;
    for verb in ["create", "get"] {
        let deadline = Instant::now() + GRANT_LIMIT;
        while !may(cluster, verb, "pods/exec", NAMESPACE).await {
            assert!(Instant::now() < deadline, "{verb} pods/exec is not granted");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(!may(cluster, verb, "pods/exec", "kube-system").await, "{verb} pods/exec");
    }
}

async fn may(cluster: &Cluster, verb: &str, resource: &str, namespace: &str) -> bool {
    let account = format!("system:serviceaccount:{NAMESPACE}:monitor-backend");
    // To kubectl, a slash leads to a name rather than to a subresource.
    let (resource, part) = match resource.split_once('/') {
        Some((resource, part)) if !resource.is_empty() => {
            (resource, format!("--subresource={part}"))
        }
        _ => (resource, "--subresource=".into()),
    };
    let asked = ["auth", "can-i", verb, resource, &part, "--as", &account, "-n", namespace];
    let answer = cluster.try_kubectl(&asked).await;
    match answer {
        Ok(_) => true,
        // The command fails to say no; any other failure is none of the server's answers.
        // Of nodes it says first that they are in no namespace.
        Err(error) if is_no(&error) => false,
        Err(error) => panic!("{error}"),
    }
}

fn is_no(complaint: &str) -> bool {
    let last = complaint.lines().last().unwrap_or_default();
    last == "no" || last.ends_with("failed: no")
}

#[test]
fn every_path_that_the_containerfile_copies_is_in_the_repository() {
    let text = fs::read_to_string(repository("Containerfile")).expect("there is a Containerfile");
    let sources: Vec<&str> = text.lines().flat_map(sources_in_the_context).collect();
    assert!(!sources.is_empty(), "the build copies something");
    for source in sources {
        assert!(repository(source).exists(), "the Containerfile copies {source}, which is missing");
    }
}

/// What a line of a Containerfile copies from the build context. The last word is where to.
fn sources_in_the_context(line: &str) -> Vec<&str> {
    assert!(!(line.starts_with("COPY") && line.ends_with('\\')), "keep a COPY on one line: {line}");
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["COPY", rest @ .., _] if !rest.iter().any(|word| word.starts_with("--from")) => {
            rest.iter().copied().filter(|word| !word.starts_with("--")).collect()
        }
        _ => Vec::new(),
    }
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn text(value: &Value) -> &str {
    value.as_str().expect("this is a string")
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().map(text)
}
