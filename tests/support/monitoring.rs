//! The real Prometheus and Alertmanager, each in a folder of its own and on a free port.

#[path = "monitoring_assets.rs"]
mod monitoring_assets;

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use monitor_backend::outside::Upstream;
use monitoring_assets::assets;
use tempfile::TempDir;

/// A running tool; it ends when this is dropped, and with the test's own thread at the latest.
pub struct Running {
    child: Child,
    address: String,
    _dir: TempDir,
}

impl Running {
    /// Prometheus, which watches itself. `more` are further flags.
    pub fn prometheus(more: &[&str]) -> Running {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let file = "global: {scrape_interval: 1s}\nscrape_configs: [{job_name: itself, \
                    static_configs: [{targets: [\"127.0.0.1:1\"]}]}]\n";
        let config = written(dir.path(), "prometheus.yml", file);
        let assets = assets();
        let mut args = vec![
            format!("--config.file={config}"),
            format!("--storage.tsdb.path={}", dir.path().join("data").display()),
            "--web.listen-address=127.0.0.1:0".into(),
        ];
        // One that brings its pages inside knows no such flag.
        let web = assets.join("web");
        if web.is_dir() {
            args.push(format!("--web.local-assets={}/", web.display()));
        }
        args.extend(more.iter().map(|flag| (*flag).to_owned()));
        Running::start(&assets.join("prometheus"), &args, dir)
    }

    /// Alertmanager, which tells nobody.
    pub fn alertmanager() -> Running {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let file = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n";
        let config = written(dir.path(), "alertmanager.yml", file);
        let args = [
            format!("--config.file={config}"),
            format!("--storage.path={}", dir.path().join("data").display()),
            "--web.listen-address=127.0.0.1:0".into(),
            "--cluster.listen-address=".into(),
        ];
        Running::start(&assets().join("alertmanager"), &args, dir)
    }

    fn start(binary: &Path, args: &[String], dir: TempDir) -> Running {
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(binary)
            .args(args)
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the tool starts");
        let mut said = String::new();
        let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            said.push_str(&line);
            said.push('\n');
            // It names the port that it was given after the one that it was told.
            let address = line.split("address=").nth(1)?.split([' ', '"']).next()?;
            let is_bound = line.contains("Listening on") && !address.ends_with(":0");
            is_bound.then(|| address.to_owned())
        });
        // Whatever it says later must find a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let address = address.unwrap_or_else(|| panic!("it did not listen:\n{said}"));
        Running { child, address, _dir: dir }
    }

    /// Where it is, below a path.
    pub fn url(&self, path: &str) -> Upstream {
        Upstream::parse(&format!("http://{}{path}", self.address)).expect("it is an address")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn written(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    std::fs::write(&path, text).expect("the folder is writable");
    path.display().to_string()
}
