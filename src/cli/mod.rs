//! The command line: what can be asked of the program, and with which words.

use std::{
    ffi::OsString,
    net::{SocketAddr, ToSocketAddrs},
    path::PathBuf,
};

use clap::{
    Args, Parser, Subcommand,
    builder::{OsStringValueParser, TypedValueParser},
};

use crate::tools::{JournalCommand, PullArgs};

/// Exit code of a command line or configuration that cannot be understood (`EX_USAGE`).
pub const EXIT_USAGE: u8 = 64;

/// The flight recorder and admin desk of a Kubernetes cluster and its app-server.
#[derive(Debug, Parser)]
#[command(name = "monitor-backend", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be asked of the program.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Records, and serves what was recorded.
    Serve(ServeArgs),
    /// The same against a simulated cluster and app-server, with incidents unfolding.
    Demo(DemoArgs),
    /// Opens a backup in the same interface, read-only.
    Replay(ReplayArgs),
    /// Works on a journal's files: a directory, one .seg file or a backup's .tar.
    #[command(subcommand)]
    Journal(JournalCommand),
    /// Brings a backup in a directory up to date over HTTP, and checks it.
    Pull(PullArgs),
}

/// Flags of `serve`; each is also an environment variable, and the flag wins.
#[derive(Debug, Clone, Default, Args)]
pub struct ServeArgs {
    /// Where the journal is kept.
    #[arg(long, env = "DATA_DIR", default_value = "data")]
    pub data_dir: PathBuf,
    /// Address and port to serve on [default: 0.0.0.0:5130].
    #[arg(long, env = "LISTEN", value_parser = address)]
    pub listen: Option<SocketAddr>,
    /// Address and port for the pages of proxied tools [default: 0.0.0.0:5131 when one is
    /// configured].
    #[arg(long, env = "TOOLS_LISTEN", value_parser = address)]
    pub tools_listen: Option<SocketAddr>,
    /// File that holds the admin key; MONITOR_BACKEND_ADMIN_KEY wins over it. With neither, a key
    /// is generated into DATA_DIR/admin-key.
    #[arg(long, env = "ADMIN_KEY_FILE", value_parser = path())]
    pub admin_key_file: Option<PathBuf>,
    /// The app-server's link, for example ws://app-server:5110.
    #[arg(long, env = "APP_SERVER_URL")]
    pub app_server_url: Option<String>,
    /// The cluster's access [default: ~/.kube/config, then the pod's service account].
    #[arg(long, env = "KUBECONFIG", value_parser = path())]
    pub kubeconfig: Option<PathBuf>,
    /// Address and port of /metrics, which asks for no key and holds only numbers [default: none].
    #[arg(long, env = "METRICS_LISTEN", value_parser = address)]
    pub metrics_listen: Option<SocketAddr>,
    /// Path under which a gateway serves this process, for example /monitor.
    #[arg(long, env = "BASE_PATH")]
    pub base_path: Option<String>,
    /// Wipes the journal before anything is replayed, once for each new token.
    #[arg(long, env = "WIPE_ON_START", value_name = "TOKEN")]
    pub wipe_on_start: Option<String>,
    /// Configuration file (TOML).
    #[arg(long, env = "CONFIG", value_parser = path())]
    pub config: Option<PathBuf>,
    /// Checks the configuration and ends: 0 when it is sound, 64 when it is not.
    #[arg(long)]
    pub check_config: bool,
}

/// Flags of `demo`.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// Where the journal is kept [default: a temporary folder, removed at the end].
    #[arg(long)]
    pub data_dir: Option<PathBuf>,
    /// Address and port to serve on.
    #[arg(long, value_parser = address, default_value = "127.0.0.1:5130")]
    pub listen: SocketAddr,
    /// Tells the story four times as fast.
    #[arg(long)]
    pub fast: bool,
}

/// Flags of `replay`.
#[derive(Debug, Clone, Args)]
pub struct ReplayArgs {
    /// A downloaded backup: a directory, a .tar, or one .seg file.
    pub path: PathBuf,
    /// Loopback address and port to serve on.
    #[arg(long, value_parser = address, default_value = "127.0.0.1:5130")]
    pub listen: SocketAddr,
}

/// A path that may be empty, which means the same as none: a manifest cannot unset a variable.
fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// An address or a host name, and a port; all addresses where only `:PORT` is given.
fn address(text: &str) -> Result<SocketAddr, String> {
    let text = if text.starts_with(':') { format!("0.0.0.0{text}") } else { text.to_owned() };
    let found = text.to_socket_addrs().map_err(|error| {
        format!("not an address and a port, such as 127.0.0.1:5130 or localhost:5130: {error}")
    })?;
    let found: Vec<SocketAddr> = found.collect();
    let first = found.iter().find(|address| address.is_ipv4()).or(found.first());
    first.copied().ok_or_else(|| "this name has no address".into())
}

/// Reads a command line.
///
/// # Errors
/// The text to print and the exit code: 0 for help and version, [`EXIT_USAGE`] otherwise.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, (clap::Error, u8)> {
    Cli::try_parse_from(args).map_err(|error| {
        let code = if error.use_stderr() { EXIT_USAGE } else { 0 };
        (error, code)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(args: &[&str]) -> u8 {
        let args = std::iter::once("monitor-backend").chain(args.iter().copied());
        parse(args.map(OsString::from)).err().map_or(0, |(_, code)| code)
    }

    #[test]
    fn an_unknown_flag_ends_with_64_and_its_name() {
        let args = ["monitor-backend", "serve", "--no-such-flag"].map(OsString::from);
        let (error, code) = parse(args).expect_err("the flag is unknown");
        assert_eq!(code, EXIT_USAGE);
        assert!(error.to_string().contains("--no-such-flag"));
    }

    #[test]
    fn an_address_may_be_a_name_or_a_port_alone() {
        assert_eq!(address("localhost:80"), Ok(SocketAddr::from(([127, 0, 0, 1], 80))));
        assert_eq!(address(":5130"), Ok(SocketAddr::from(([0, 0, 0, 0], 5130))));
        assert!(address("5130").is_err());
    }

    #[test]
    fn help_and_version_are_no_errors() {
        assert_eq!(code(&["--help"]), 0);
        assert_eq!(code(&["--version"]), 0);
        assert_eq!(code(&["serve", "--listen", "nonsense"]), EXIT_USAGE);
    }
}
