//! nginx with sendfile on loopback, serving one folder: what a download is compared with.

use std::{
    fs, io,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::bail;

use crate::process::{self, Body};

/// It starts in some milliseconds.
const START_MAX: Duration = Duration::from_secs(10);

/// A running nginx; killed when dropped.
#[derive(Debug)]
pub struct Nginx {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Nginx {
    /// Serves the files of a folder; `None` where nginx is not installed.
    ///
    /// # Errors
    /// It is installed and does not start.
    pub fn serve(folder: &Path, scratch: &Path) -> anyhow::Result<Option<Nginx>> {
        let address = free_address()?;
        let config = scratch.join("nginx.conf");
        let (root, scratch) = (folder.display(), scratch.display());
        fs::write(
            &config,
            format!(
                "daemon off; worker_processes 1; pid {scratch}/nginx.pid; error_log stderr;
                 user root;
                 events {{}}
                 http {{
                   access_log off; sendfile on; tcp_nopush on; default_type application/x-tar;
                   client_body_temp_path {scratch}/body; proxy_temp_path {scratch}/proxy;
                   fastcgi_temp_path {scratch}/fastcgi; uwsgi_temp_path {scratch}/uwsgi;
                   scgi_temp_path {scratch}/scgi;
                   server {{ listen {address}; root {root}; }}
                 }}"
            ),
        )?;
        let spawned = Command::new("nginx")
            .arg("-c")
            .arg(&config)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = match spawned {
            Ok(child) => child,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let nginx = Nginx { child, address };
        let started = Instant::now();
        while process::get(address, "/", Body::Count).is_err() {
            if started.elapsed() > START_MAX {
                bail!("nginx did not answer within {START_MAX:?}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(Some(nginx))
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its worker ends with it only when it is asked to stop; SIGKILL would leave it behind.
        let id = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}
