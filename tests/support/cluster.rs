//! A real Kubernetes API server on loopback: etcd and kube-apiserver as child processes, RBAC on.
//!
//! There is no controller, scheduler or kubelet, so nothing happens that a test does not do:
//! a Deployment makes no pods, a pod stays Pending until the test writes its status, a deleted
//! namespace stays Terminating, and the roles `view`, `edit` and `admin`, which a controller would
//! fill, are empty. Who may use it:
//!
//! - [`ADMIN_TOKEN`]: in the group `system:masters`, may do everything;
//! - [`USER_TOKEN`]: the user [`USER`], may do nothing until a test binds a role to it;
//! - service accounts: `kubectl create token NAME` works.
//!
//! The binaries come from `KUBEBUILDER_ASSETS`, else from the cache that `tests/cluster/build.sh`
//! fills. Where there are none a test fails and says so; it is never skipped in silence.
//! The children die with the [`Cluster`], and with the test process however it ends. Its folder
//! goes when it is dropped, so keep one in a variable rather than in a static.

#![allow(dead_code, reason = "every test binary compiles this file and uses its own part of it")]

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The bearer token of the administrator.
pub const ADMIN_TOKEN: &str = "admin-token";
/// The bearer token of [`USER`].
pub const USER_TOKEN: &str = "user-token";
/// A user without rights, for tests that grant some by RBAC.
pub const USER: &str = "someone";

/// How long a server may take to answer. Some ten times what two busy cores need.
const START_LIMIT: Duration = Duration::from_secs(60);
/// The pause between two looks at whether something has come about.
const POLL_PAUSE: Duration = Duration::from_millis(100);
/// How often the first start is tried, as the port may be taken between the choice and the use.
const START_TRIES_MAX: u32 = 3;
/// What a server's log says in that case.
const PORT_TAKEN: &str = "address already in use";
/// A socket in the folder that the servers run in: unlike a port, it can be no other test's etcd.
const ETCD_URL: &str = "unix://etcd.socket";
/// How much of a server's log goes into the message of a failure.
const LOG_TAIL_LINES: usize = 20;

/// A running etcd and API server, with a folder of their own that goes when this is dropped.
pub struct Cluster {
    // The servers stand before the folder, since fields are dropped in order and they write to it.
    apiserver: Option<Server>,
    etcd: Server,
    port: u16,
    assets: PathBuf,
    admin: PathBuf,
    dir: TempDir,
}

impl Cluster {
    /// Starts both servers and returns when the API server calls itself ready.
    pub async fn start() -> Cluster {
        let assets = assets().unwrap_or_else(|error| panic!("{error}"));
        let mut tries = 1;
        loop {
            match Cluster::try_start(&assets).await {
                Ok(cluster) => return cluster,
                Err(error) if tries < START_TRIES_MAX && error.contains(PORT_TAKEN) => tries += 1,
                Err(error) => panic!("{error}"),
            }
        }
    }

    async fn try_start(assets: &Path) -> Result<Cluster, String> {
        let dir = tempfile::Builder::new()
            .prefix("cluster-")
            .tempdir()
            .map_err(|error| format!("cannot create a folder for the cluster: {error}"))?;
        write_credentials(dir.path())?;
        let etcd = Server::start(dir.path(), "etcd", etcd_command(assets, dir.path()))?;
        let mut cluster = Cluster {
            apiserver: None,
            etcd,
            port: free_port(),
            assets: assets.to_owned(),
            admin: dir.path().join("admin.kubeconfig"),
            dir,
        };
        cluster.try_start_apiserver().await?;
        Ok(cluster)
    }

    /// Kills the API server, as a crash would. Its port refuses connections; etcd keeps its state.
    pub fn stop_apiserver(&mut self) {
        self.apiserver = None;
    }

    /// Starts the API server again, on the same port, state and certificate, and waits for it.
    pub async fn start_apiserver(&mut self) {
        self.try_start_apiserver().await.unwrap_or_else(|error| panic!("{error}"));
    }

    async fn try_start_apiserver(&mut self) -> Result<(), String> {
        self.stop_apiserver();
        let command = apiserver_command(&self.assets, self.dir.path(), self.port);
        let mut server = Server::start(self.dir.path(), "kube-apiserver", command)?;
        let deadline = Instant::now() + START_LIMIT;
        while !self.is_ready().await {
            self.wait_a_moment(&mut server, deadline).await?;
        }
        self.apiserver = Some(server);
        Ok(())
    }

    /// Whether the server presents the certificate that it wrote, and calls itself ready.
    async fn is_ready(&self) -> bool {
        // Written anew at each look, since the first may find half of the certificate.
        self.write_kubeconfig(&self.admin, ADMIN_TOKEN).is_ok()
            && self.try_kubectl(&["get", "--raw", "/readyz"]).await.is_ok()
    }

    /// Lets a little time pass, or says why there is no use in waiting on for `server`.
    async fn wait_a_moment(&mut self, server: &mut Server, limit: Instant) -> Result<(), String> {
        self.etcd.check_alive()?;
        server.check_alive()?;
        if Instant::now() > limit {
            let waited = format!("was not ready after {} s", START_LIMIT.as_secs());
            return Err(server.complaint(&waited));
        }
        tokio::time::sleep(POLL_PAUSE).await;
        Ok(())
    }

    /// The address of the API server.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The kubeconfig of the administrator.
    pub fn kubeconfig(&self) -> &Path {
        &self.admin
    }

    /// The private key that the API server signs the tokens of service accounts with.
    pub fn service_account_key(&self) -> PathBuf {
        self.dir.path().join("service-account.key")
    }

    /// A kubeconfig that presents `token`.
    pub fn kubeconfig_for(&self, token: &str) -> PathBuf {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = self.dir.path().join(format!("token-{count}.kubeconfig"));
        self.write_kubeconfig(&path, token).unwrap_or_else(|error| panic!("{error}"));
        path
    }

    /// Runs kubectl as the administrator and returns what it printed; panics where it fails.
    pub async fn kubectl(&self, args: &[&str]) -> String {
        self.try_kubectl(args).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Runs kubectl as the administrator and returns what it printed, or what it complained of.
    pub async fn try_kubectl(&self, args: &[&str]) -> Result<String, String> {
        let mut command = Command::new(self.assets.join("kubectl"));
        command.arg("--kubeconfig").arg(&self.admin).args(args).stdin(Stdio::null());
        // kubectl keeps what it discovers of a server's kinds; that of a port must not outlive it.
        command.env("KUBECACHEDIR", self.dir.path().join("kubectl-cache"));
        // Nor may the preferences of whoever runs the tests take part in them.
        command.env("KUBERC", "off");
        let line = args.join(" ");
        let output = tokio::task::spawn_blocking(move || command.output())
            .await
            .expect("waiting for a process does not panic")
            .map_err(|error| format!("cannot run `kubectl {line}`: {error}"))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            // Some refusals, such as the "no" of `auth can-i`, stand on stdout.
            let complaint = [output.stderr, output.stdout].concat();
            let complaint = String::from_utf8_lossy(&complaint);
            Err(format!("`kubectl {line}` failed: {}", complaint.trim_end()))
        }
    }

    fn write_kubeconfig(&self, path: &Path, token: &str) -> Result<(), String> {
        let chain = self.dir.path().join("certs/apiserver.crt");
        let chain = fs::read_to_string(&chain).map_err(|error| cannot("read", &chain, &error))?;
        let authority = self.dir.path().join("certs/authority.crt");
        write(&authority, last_certificate(&chain))?;
        write(path, &kubeconfig_yaml(&self.url(), &authority, token))
    }
}

/// One child process. It is killed when this is dropped, and when the test process ends.
struct Server {
    name: &'static str,
    log: PathBuf,
    guard: Child,
    /// Held open as the sign of life that the guard waits on.
    life: Option<ChildStdin>,
}

/// Runs `"$@"` until it ends or standard input does, which it does with the process that holds the
/// other end, SIGKILL included. A shell can do this without `unsafe`, which `pre_exec` would need.
const GUARD: &str = r#"
exec 3<&0
"$@" 3<&- </dev/null & server=$!
(read -r line <&3; kill -KILL $server) 2>/dev/null & watch=$!
wait $server; code=$?
kill -KILL $watch 2>/dev/null
exit $code
"#;

impl Server {
    fn start(dir: &Path, name: &'static str, command: Vec<OsString>) -> Result<Server, String> {
        let log = dir.join(format!("{name}.log"));
        let file = File::create(&log).map_err(|error| cannot("create", &log, &error))?;
        let errors = file.try_clone().map_err(|error| cannot("open", &log, &error))?;
        let mut guard = Command::new("/bin/sh")
            .args(["-c", GUARD, "guard"])
            .args(command)
            .current_dir(dir)
            .stdin(Stdio::piped())
            .stdout(file)
            .stderr(errors)
            .spawn()
            .map_err(|error| format!("cannot start {name}: {error}"))?;
        let life = guard.stdin.take();
        Ok(Server { name, log, guard, life })
    }

    fn check_alive(&mut self) -> Result<(), String> {
        match self.guard.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(self.complaint(&format!("ended with {status}"))),
            Err(error) => Err(self.complaint(&format!("cannot be waited for: {error}"))),
        }
    }

    /// A message that says what is wrong, with the end of the server's log.
    fn complaint(&self, wrong: &str) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n");
        format!("{} {wrong}; the end of its log:\n{tail}", self.name)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The guard kills the server at the end of its input, then ends itself.
        drop(self.life.take());
        // An error would mean that it was waited for already.
        let _ = self.guard.wait();
    }
}

fn etcd_command(assets: &Path, dir: &Path) -> Vec<OsString> {
    let mut command = vec![assets.join("etcd").into_os_string()];
    command.extend(
        [
            format!("--data-dir={}", dir.join("etcd").display()),
            format!("--listen-client-urls={ETCD_URL}"),
            format!("--advertise-client-urls={ETCD_URL}"),
            // Nobody joins, so any port will do.
            "--listen-peer-urls=http://127.0.0.1:0".to_owned(),
            // The folder is thrown away; only the process may die, never the machine.
            "--unsafe-no-fsync".to_owned(),
            "--log-level=warn".to_owned(),
        ]
        .map(OsString::from),
    );
    command
}

fn apiserver_command(assets: &Path, dir: &Path, port: u16) -> Vec<OsString> {
    let at = |name: &str| dir.join(name).display().to_string();
    let mut command = vec![assets.join("kube-apiserver").into_os_string()];
    command.extend(
        [
            format!("--etcd-servers={ETCD_URL}"),
            "--bind-address=127.0.0.1".to_owned(),
            "--advertise-address=127.0.0.1".to_owned(),
            format!("--secure-port={port}"),
            format!("--cert-dir={}", at("certs")),
            "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
            // The service `kubernetes` may not point at loopback, and nothing here uses it.
            "--endpoint-reconciler-type=none".to_owned(),
            "--authorization-mode=RBAC".to_owned(),
            format!("--token-auth-file={}", at("tokens.csv")),
            "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
            format!("--service-account-key-file={}", at("service-account.key")),
            format!("--service-account-signing-key-file={}", at("service-account.key")),
            // The first wants service accounts made by a controller before a pod may be made; the
            // second sets finalizers on claims that only a controller takes off.
            "--disable-admission-plugins=ServiceAccount,StorageObjectInUseProtection".to_owned(),
            "--profiling=false".to_owned(),
        ]
        .map(OsString::from),
    );
    command
}

/// What the API server needs to find in its folder: who has which token, and the key that it
/// signs service account tokens with.
fn write_credentials(dir: &Path) -> Result<(), String> {
    let tokens = format!("{ADMIN_TOKEN},admin,admin,system:masters\n{USER_TOKEN},{USER},{USER}\n");
    write(&dir.join("tokens.csv"), &tokens)?;
    let key = dir.join("service-account.key");
    let output = Command::new("openssl")
        .args(["genpkey", "-algorithm", "RSA", "-out"])
        .arg(&key)
        .output()
        .map_err(|error| format!("cannot run openssl to make a service account key: {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!(
            "openssl could not make a service account key: {}",
            String::from_utf8_lossy(&output.stderr).trim_end()
        ))
    }
}

/// The folder that holds the binaries, or how to come by them.
fn assets() -> Result<PathBuf, String> {
    let (assets, whence) = match std::env::var_os("KUBEBUILDER_ASSETS") {
        Some(assets) if !assets.is_empty() => (PathBuf::from(assets), "KUBEBUILDER_ASSETS"),
        _ => (default_assets()?, "the default"),
    };
    let missing: Vec<&str> = ["etcd", "kube-apiserver", "kubectl"]
        .into_iter()
        .filter(|name| !assets.join(name).is_file())
        .collect();
    if missing.is_empty() {
        return Ok(assets);
    }
    let how = if std::env::var_os("CI").is_some() {
        "Run tests/cluster/build.sh before the tests, as .ci/run does"
    } else {
        "Build them from source once by `make cluster-binaries` (needs Go; takes some minutes)"
    };
    Err(format!(
        "this test runs a real Kubernetes API server, but {} ({whence}) lacks {}.\n\
         {how}, or set KUBEBUILDER_ASSETS to a folder with binaries of your own.",
        assets.display(),
        missing.join(", ")
    ))
}

/// Where `tests/cluster/build.sh` puts what it builds; it names the folder in the same way.
fn default_assets() -> Result<PathBuf, String> {
    let cache = match (std::env::var_os("XDG_CACHE_HOME"), std::env::var_os("HOME")) {
        (Some(cache), _) if !cache.is_empty() => PathBuf::from(cache),
        (_, Some(home)) => Path::new(&home).join(".cache"),
        _ => return Err("neither KUBEBUILDER_ASSETS, XDG_CACHE_HOME nor HOME is set".to_owned()),
    };
    let go_mod = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/go.mod");
    let text = fs::read_to_string(&go_mod).map_err(|error| cannot("read", &go_mod, &error))?;
    let version = |module| {
        required_version(&text, module)
            .ok_or_else(|| format!("{} requires no {module}", go_mod.display()))
    };
    let kubernetes = version("k8s.io/kubernetes")?;
    let etcd = version("go.etcd.io/etcd/server/v3")?;
    Ok(cache.join(format!("monitor-backend/cluster/kubernetes-{kubernetes}-etcd-{etcd}")))
}

fn required_version<'a>(go_mod: &'a str, module: &str) -> Option<&'a str> {
    go_mod.lines().find_map(|line| {
        let mut words = line.split_whitespace().filter(|word| *word != "require");
        let found = words.next() == Some(module);
        words.next().filter(|word| found && word.starts_with('v'))
    })
}

/// A port that nobody listens on, from below the range that the system gives to outgoing
/// connections. A client that keeps calling a stopped server on a port of that range is in the
/// end given the very port that it calls, is connected to itself, and keeps the server off it.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    const FIRST: u32 = 20_000;
    const COUNT: u32 = 10_000;
    // Test processes that run at once start their search at different places.
    let start = std::process::id().wrapping_mul(37);
    (0..COUNT)
        .map(|_| start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)))
        .map(|place| u16::try_from(FIRST + place % COUNT).expect("the range ends below 65536"))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("one of ten thousand ports is free")
}

/// The server's certificate file holds its own certificate, then that of the authority behind it.
fn last_certificate(chain: &str) -> &str {
    let begin = chain.rfind("-----BEGIN CERTIFICATE-----").unwrap_or(0);
    &chain[begin..]
}

fn kubeconfig_yaml(url: &str, authority: &Path, token: &str) -> String {
    let authority = authority.display();
    format!(
        "apiVersion: v1
kind: Config
current-context: test
clusters:
  - name: test
    cluster: {{server: \"{url}\", certificate-authority: \"{authority}\"}}
users:
  - name: test
    user: {{token: \"{token}\"}}
contexts:
  - name: test
    context: {{cluster: test, user: test}}
"
    )
}

/// Writes a file that others may be reading: they find the old text or the new one.
fn write(path: &Path, text: &str) -> Result<(), String> {
    let unfinished = path.with_extension("unfinished");
    fs::write(&unfinished, text)
        .and_then(|()| fs::rename(&unfinished, path))
        .map_err(|error| cannot("write", path, &error))
}

fn cannot(verb: &str, path: &Path, error: &std::io::Error) -> String {
    format!("cannot {verb} {}: {error}", path.display())
}
