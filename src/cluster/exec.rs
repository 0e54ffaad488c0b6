//! Commands in containers, through the cluster API: lines of output as they come, then how it ended.
//!
//! Speaks the WebSocket protocol `v5.channel.k8s.io`, or v4, without an input. The command is a list
//! of arguments that no shell reads. Needs `get` and `create` on `pods/exec`: which of them a server
//! asks for depends on its version.

use std::{collections::VecDeque, pin::Pin, time::Duration};

use futures_util::FutureExt;
use k8s_openapi::{api::core::v1::Pod, apimachinery::pkg::apis::meta::v1::Status};
use kube::{
    Api,
    api::{AttachParams, AttachedProcess},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time::{Instant, timeout, timeout_at},
};

pub use super::lines::LINE_BYTES_MAX;
use super::{Cluster, explain, lines::Lines};

/// A server that has not answered by then hangs: it asks the node's kubelet, which asks its runtime.
const START_TIME_MAX: Duration = Duration::from_secs(15);

/// Output that waits to be read; more waits in the container.
const AHEAD_BYTES: usize = 64 << 10;

/// Names of pods and namespaces are DNS names of at most so many characters.
const NAME_CHARS_MAX: usize = 253;

/// Where a command runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The pod's namespace.
    pub namespace: String,
    /// The pod.
    pub pod: String,
    /// Which of its containers; `None` for the only one, or for the one that it names as default.
    pub container: Option<String>,
}

/// How much is waited for and taken.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From the start to the end.
    pub time: Duration,
    /// Bytes of output.
    pub bytes: u64,
}

/// Which output a line is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What a running command tells next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A line, without its end.
    Line {
        /// Of which output.
        output: Output,
        /// What is not UTF-8 is replaced.
        text: String,
    },
    /// It ended; nothing follows.
    Ended(Exit),
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// Its exit status; `None` where it could not be started in the container.
    pub code: Option<i32>,
    /// What the cluster says about it; empty for a success.
    pub message: String,
}

impl Exit {
    /// Whether it did what it was asked to.
    pub fn is_success(&self) -> bool {
        self.code == Some(0)
    }
}

/// Why a command was not started, or is not known to have ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// That is no name, and must not become a part of a path.
    #[error("{name:?} is no name of a pod or namespace; names hold small letters, digits, - and .")]
    Name {
        /// What was given.
        name: String,
    },
    /// The cluster API did not start it.
    #[error("exec in pod {pod} at {address} failed: {}; {}", explain(source), advice(source))]
    Refused {
        /// Namespace and name.
        pod: String,
        /// The address of the cluster API.
        address: String,
        /// What it said.
        source: Box<kube::Error>,
    },
    /// The cluster API did not answer.
    #[error(
        "exec in pod {pod} at {address} failed: no answer within {} s; does its node's kubelet hang?",
        waited.as_secs()
    )]
    Silent {
        /// Namespace and name.
        pod: String,
        /// The address of the cluster API.
        address: String,
        /// How long.
        waited: Duration,
    },
    /// It takes too long.
    #[error("the command in pod {pod} did not end within {} s and was left", limit.as_secs_f64())]
    Time {
        /// Namespace and name.
        pod: String,
        /// How long it may take.
        limit: Duration,
    },
    /// It says too much.
    #[error("the command in pod {pod} put out more than {limit} bytes and was left")]
    Bytes {
        /// Namespace and name.
        pod: String,
        /// How much it may put out.
        limit: u64,
    },
    /// The connection ended before it told how the command did.
    #[error(
        "the connection to the command in pod {pod} ended before the command did; whether it goes \
         on there is not known"
    )]
    Broken {
        /// Namespace and name.
        pod: String,
    },
}

fn advice(error: &kube::Error) -> &'static str {
    match error {
        kube::Error::Api(status) => match status.code {
            403 => {
                "grant get and create on pods/exec, as the components `exec` and `exec-df` of the manifests do"
            }
            401 => "renew the credentials",
            404 => "the pod is not there any more",
            400 => "which container? does the pod run?",
            _ => "is the kubelet of its node well?",
        },
        _ => "is the API server running and reachable?",
    }
}

type Pipe = Pin<Box<dyn AsyncRead + Send>>;

/// An output that has not ended.
struct Told {
    output: Output,
    pipe: Pipe,
    lines: Lines,
}

type StatusFuture = Pin<Box<dyn Future<Output = Option<Status>> + Send>>;

/// A running command. Dropping it closes the connection: a runtime ends the process then, or lets it
/// go on until it writes again.
pub struct Running {
    pod: String,
    limits: Limits,
    deadline: Instant,
    bytes: u64,
    /// Ends with this.
    _process: AttachedProcess,
    status: StatusFuture,
    /// `None` until the command's end is known; then what the cluster said, if it did.
    ended: Option<Option<Status>>,
    pipes: [Option<Told>; 2],
    said: VecDeque<Said>,
}

/// Starts a command: its program and arguments.
///
/// # Errors
/// The cluster API does not start it, or does not answer.
pub async fn run(
    cluster: &Cluster,
    target: &Target,
    command: &[String],
    limits: Limits,
) -> Result<Running, Error> {
    for name in [&target.namespace, &target.pod] {
        check_name(name)?;
    }
    let deadline = Instant::now() + limits.time;
    let pod = format!("{}/{}", target.namespace, target.pod);
    let address = cluster.address.clone();
    let pods: Api<Pod> = Api::namespaced(cluster.client.clone(), &target.namespace);
    let params = AttachParams {
        container: target.container.clone(),
        max_stdout_buf_size: Some(AHEAD_BYTES),
        max_stderr_buf_size: Some(AHEAD_BYTES),
        ..AttachParams::default()
    };
    let waited = START_TIME_MAX.min(limits.time);
    let started = timeout(waited, pods.exec(&target.pod, command, &params)).await;
    let process = match started {
        Err(_) => return Err(Error::Silent { pod, address, waited }),
        Ok(Err(source)) => return Err(Error::Refused { pod, address, source: Box::new(source) }),
        Ok(Ok(process)) => process,
    };
    Ok(Running::new(pod, limits, deadline, process))
}

/// A name becomes a part of the path, so nothing else may stand in it.
fn check_name(name: &str) -> Result<(), Error> {
    let is_fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let is_name = !name.is_empty()
        && name.len() <= NAME_CHARS_MAX
        && !name.starts_with('.')
        && name.chars().all(is_fine);
    if is_name { Ok(()) } else { Err(Error::Name { name: name.into() }) }
}

impl Running {
    fn new(
        pod: String,
        limits: Limits,
        deadline: Instant,
        mut process: AttachedProcess,
    ) -> Running {
        let status: StatusFuture = match process.take_status() {
            Some(status) => Box::pin(status),
            None => Box::pin(std::future::ready(None)),
        };
        let stdout = process.stdout().map(|pipe| -> Pipe { Box::pin(pipe) });
        let stderr = process.stderr().map(|pipe| -> Pipe { Box::pin(pipe) });
        let pipes = [(Output::Stdout, stdout), (Output::Stderr, stderr)]
            .map(|(output, pipe)| pipe.map(|pipe| Told { output, pipe, lines: Lines::default() }));
        let said = VecDeque::new();
        Running {
            pod,
            limits,
            deadline,
            bytes: 0,
            _process: process,
            status,
            ended: None,
            pipes,
            said,
        }
    }

    /// The next line, or how the command ended. May be dropped while it waits, and called again.
    ///
    /// # Errors
    /// It takes too long, says too much, or the connection ended. Nothing follows.
    pub async fn next(&mut self) -> Result<Said, Error> {
        loop {
            if let Some(said) = self.said.pop_front() {
                return Ok(said);
            }
            if self.pipes.iter().all(Option::is_none) {
                return self.end().await;
            }
            let deadline = self.deadline;
            let limit = self.limits.time;
            let read = timeout_at(deadline, self.read()).await;
            read.map_err(|_| Error::Time { pod: self.pod.clone(), limit })??;
        }
    }

    /// Reads once from whichever output has something.
    async fn read(&mut self) -> Result<(), Error> {
        let mut chunk = Chunk::default();
        let [stdout, stderr] = &mut self.pipes;
        let (number, count) = tokio::select! {
            status = &mut self.status, if self.ended.is_none() => {
                let is_told = status.is_some();
                self.ended = Some(status);
                if !is_told {
                    self.read_what_came();
                }
                return Ok(());
            }
            count = read_some(stdout, &mut chunk.0), if stdout.is_some() => (0, count),
            count = read_some(stderr, &mut chunk.1), if stderr.is_some() => (1, count),
        };
        let bytes = if number == 0 { &chunk.0[..count] } else { &chunk.1[..count] };
        self.take(number, bytes)
    }

    /// A connection that broke leaves its outputs open, and in them what had come.
    fn read_what_came(&mut self) {
        for number in 0..self.pipes.len() {
            let mut chunk = Chunk::default();
            while let Some(count) =
                read_some(&mut self.pipes[number], &mut chunk.0).now_or_never().filter(|n| *n > 0)
            {
                if self.take(number, &chunk.0[..count]).is_err() {
                    break;
                }
            }
            // The last line has no end, and is told all the same.
            let _ = self.take(number, &[]);
        }
    }

    /// Takes in what an output said; nothing is its end.
    fn take(&mut self, number: usize, bytes: &[u8]) -> Result<(), Error> {
        let Some(Told { output, lines, .. }) = &mut self.pipes[number] else { return Ok(()) };
        let output = *output;
        let line = |text| Said::Line { output, text };
        if bytes.is_empty() {
            self.said.extend(lines.end().map(line));
            self.pipes[number] = None;
            return Ok(());
        }
        self.said.extend(lines.take(bytes).into_iter().map(line));
        self.bytes += bytes.len() as u64;
        if self.bytes > self.limits.bytes {
            return Err(Error::Bytes { pod: self.pod.clone(), limit: self.limits.bytes });
        }
        Ok(())
    }

    async fn end(&mut self) -> Result<Said, Error> {
        if self.ended.is_none() {
            let limit = self.limits.time;
            let status = timeout_at(self.deadline, &mut self.status).await;
            let status = status.map_err(|_| Error::Time { pod: self.pod.clone(), limit })?;
            self.ended = Some(status);
        }
        match self.ended.as_ref().and_then(Option::as_ref) {
            Some(status) => Ok(Said::Ended(exit(status))),
            None => Err(Error::Broken { pod: self.pod.clone() }),
        }
    }
}

/// Two places to read into, so that one read does not wait for the other's.
struct Chunk([u8; 4096], [u8; 4096]);

impl Default for Chunk {
    fn default() -> Chunk {
        Chunk([0; 4096], [0; 4096])
    }
}

/// Reads; an output that fails has ended.
async fn read_some(told: &mut Option<Told>, into: &mut [u8]) -> usize {
    match told {
        Some(told) => told.pipe.read(into).await.unwrap_or(0),
        None => 0,
    }
}

fn exit(status: &Status) -> Exit {
    if status.status.as_deref() == Some("Success") {
        return Exit { code: Some(0), message: String::new() };
    }
    let causes = status.details.iter().flat_map(|details| details.causes.iter().flatten());
    let code = causes
        .filter(|cause| cause.reason.as_deref() == Some("ExitCode"))
        .find_map(|cause| cause.message.as_deref()?.parse().ok());
    Exit { code, message: status.message.clone().unwrap_or_default() }
}
