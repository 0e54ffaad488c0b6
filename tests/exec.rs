//! Commands in containers: the client against the simulated API server, which speaks the WebSocket
//! channel protocol, and against its failures.

use std::time::{Duration, Instant};

use monitor_backend::{
    cluster::{
        Access, Cluster,
        exec::{self, Error, Exit, LINE_BYTES_MAX, Limits, Output, Running, Said, Target},
    },
    sim::{End, Scenario, Script, Sim, Step},
};

/// Anything that is waited for must be there by then; a healthy run needs a fraction of it.
const PATIENCE: Duration = Duration::from_secs(30);

const LIMITS: Limits = Limits { time: PATIENCE, bytes: 1 << 20 };

struct Fixture {
    sim: Sim,
    cluster: Cluster,
    target: Target,
    _directory: tempfile::TempDir,
}

impl Fixture {
    async fn new() -> Fixture {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let sim = Sim::start(Scenario::Quiet, 1, directory.path()).await.expect("it starts");
        let access = Access { kubeconfig: Some(sim.kubeconfig().to_owned()) };
        let cluster = access.cluster().await.expect("a client");
        let pod = sim.cluster().all("Pod")[0].clone();
        let text = |name: &str| pod["metadata"][name].as_str().expect("a name").to_owned();
        let target = Target { namespace: text("namespace"), pod: text("name"), container: None };
        Fixture { sim, cluster, target, _directory: directory }
    }

    async fn start(&self, command: &[&str], limits: Limits) -> Result<Running, Error> {
        let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        exec::run(&self.cluster, &self.target, &command, limits).await
    }

    async fn run(&self, command: &[&str], limits: Limits) -> (Vec<(Output, String)>, End1) {
        match self.start(command, limits).await {
            Ok(running) => drain(running).await,
            Err(error) => (vec![], Err(error)),
        }
    }
}

type End1 = Result<Exit, Error>;

async fn drain(mut running: Running) -> (Vec<(Output, String)>, End1) {
    let mut lines = Vec::new();
    loop {
        match running.next().await {
            Ok(Said::Line { output, text }) => lines.push((output, text)),
            Ok(Said::Ended(exit)) => return (lines, Ok(exit)),
            Err(error) => return (lines, Err(error)),
        }
    }
}

fn out(text: &str) -> (Output, String) {
    (Output::Stdout, text.to_owned())
}

#[tokio::test]
async fn arguments_reach_the_program_as_they_are() {
    let fixture = Fixture::new().await;
    let (lines, exit) = fixture.run(&["echo", "a b", "&c=d", "$(x)"], LIMITS).await;
    assert_eq!(lines, [out("a b &c=d $(x)")]);
    assert!(exit.expect("it ends").is_success());
}

#[tokio::test]
async fn lines_come_while_the_command_runs() {
    let fixture = Fixture::new().await;
    let steps = vec![Step::Out(b"first\nsec".to_vec()), Step::Wait(PATIENCE)];
    fixture.sim.cluster().set_program("slow", Some(Script { steps, end: End::Exit(0) }));
    let began = Instant::now();
    let mut running = fixture.start(&["slow"], LIMITS).await.expect("it starts");
    let said = running.next().await.expect("it says something");
    assert_eq!(said, Said::Line { output: Output::Stdout, text: "first".into() });
    assert!(began.elapsed() < PATIENCE, "the line came before the end");
}

#[tokio::test]
async fn both_outputs_and_the_exit_status_are_told() {
    let fixture = Fixture::new().await;
    let steps = vec![
        Step::Out(b"one\r\ntwo\n\nfour without an end".to_vec()),
        Step::Err(b"oh\n".to_vec()),
        Step::Err(vec![b'x', 0xff, b'\n']),
    ];
    fixture.sim.cluster().set_program("mixed", Some(Script { steps, end: End::Exit(3) }));
    let (lines, exit) = fixture.run(&["mixed"], LIMITS).await;
    let of = |wanted| {
        let lines = lines.iter().filter(move |(output, _)| *output == wanted);
        lines.map(|(_, text)| text.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(of(Output::Stdout), ["one", "two", "", "four without an end"]);
    assert_eq!(of(Output::Stderr), ["oh", "x\u{fffd}"]);
    let exit = exit.expect("it ends");
    assert_eq!((exit.code, exit.is_success()), (Some(3), false));
    assert!(exit.message.contains("exit code 3"), "{}", exit.message);
}

#[tokio::test]
async fn a_program_that_is_not_there_is_told_without_a_status() {
    let fixture = Fixture::new().await;
    let (lines, exit) = fixture.run(&["no-such-program"], LIMITS).await;
    let exit = exit.expect("it ends");
    assert_eq!((lines, exit.code), (vec![], None));
    assert!(exit.message.contains("executable file not found"), "{}", exit.message);
}

#[tokio::test]
async fn a_long_line_comes_in_parts_that_cut_no_character() {
    let fixture = Fixture::new().await;
    let line = "aä".repeat(LINE_BYTES_MAX);
    let steps = vec![Step::Out(line.clone().into_bytes())];
    fixture.sim.cluster().set_program("long", Some(Script { steps, end: End::Exit(0) }));
    let (lines, exit) = fixture.run(&["long"], LIMITS).await;
    assert!(exit.expect("it ends").is_success());
    assert!(lines.len() > 2 && lines.iter().all(|(_, text)| text.len() <= LINE_BYTES_MAX));
    assert_eq!(lines.into_iter().map(|(_, text)| text).collect::<String>(), line);
}

#[tokio::test]
async fn a_command_without_an_end_and_one_without_measure_are_left() {
    let fixture = Fixture::new().await;
    let short = Limits { time: Duration::from_millis(300), ..LIMITS };
    let (_, exit) = fixture.run(&["sleep", "infinity"], short).await;
    assert!(matches!(exit, Err(Error::Time { .. })), "{exit:?}");
    let steps = vec![Step::Out(vec![b'y'; 100_000])];
    fixture.sim.cluster().set_program("yes", Some(Script { steps, end: End::Never }));
    let few = Limits { bytes: 50_000, ..LIMITS };
    let (_, exit) = fixture.run(&["yes"], few).await;
    assert!(matches!(exit, Err(Error::Bytes { limit: 50_000, .. })), "{exit:?}");
}

#[tokio::test]
async fn a_connection_that_ends_early_keeps_what_came_and_says_so() {
    let fixture = Fixture::new().await;
    let steps = vec![Step::Out(b"half\nof a li".to_vec())];
    fixture.sim.cluster().set_program("broken", Some(Script { steps, end: End::BreaksOff }));
    let (lines, exit) = fixture.run(&["broken"], LIMITS).await;
    assert_eq!(lines, [out("half"), out("of a li")]);
    let told = exit.expect_err("it broke").to_string();
    assert!(told.contains("whether it goes on there is not known"), "{told}");
}

#[tokio::test]
async fn a_connection_that_is_cut_while_the_command_runs_is_told() {
    let fixture = Fixture::new().await;
    let steps = vec![Step::Out(b"one\n".to_vec())];
    fixture.sim.cluster().set_program("forever", Some(Script { steps, end: End::Never }));
    let mut running = fixture.start(&["forever"], LIMITS).await.expect("it starts");
    running.next().await.expect("it says something");
    fixture.sim.cluster().break_commands();
    let (lines, exit) = drain(running).await;
    assert!(lines.is_empty() && matches!(exit, Err(Error::Broken { .. })), "{exit:?}");
}

#[tokio::test]
async fn refusals_say_what_was_attempted_and_what_to_do() {
    let mut fixture = Fixture::new().await;
    let pod = std::mem::replace(&mut fixture.target.pod, "no-such-pod".into());
    let told = fixture.run(&["echo"], LIMITS).await.1.expect_err("no pod").to_string();
    assert!(told.contains("no-such-pod") && told.contains("not there any more"), "{told}");
    fixture.target = Target { pod, container: Some("other".into()), ..fixture.target };
    let told = fixture.run(&["echo"], LIMITS).await.1.expect_err("no container").to_string();
    assert!(told.contains("which container?"), "{told}");
    fixture.target.container = None;
    fixture.sim.cluster().stop_listening().await.expect("it stops");
    let told = fixture.run(&["echo"], LIMITS).await.1.expect_err("refused").to_string();
    assert!(told.contains("is the API server running"), "{told}");
}

#[tokio::test]
async fn what_is_no_name_reaches_no_path() {
    let mut fixture = Fixture::new().await;
    for name in ["", "..", "a/b", "a?x=", "../../nodes", "A", &"a".repeat(254)] {
        fixture.target.pod = name.into();
        let refused = fixture.run(&["echo"], LIMITS).await.1;
        assert!(matches!(refused, Err(Error::Name { .. })), "{name:?}: {refused:?}");
    }
}
