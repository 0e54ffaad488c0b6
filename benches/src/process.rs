//! The real binary, started on a journal and asked over HTTP by a client that costs next to
//! nothing. Knows routes, no types.

use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

/// The key of every process that is started here.
const KEY: &str = "the-admin-key-of-the-benches";

/// Nothing that is waited for takes longer.
const WAIT_MAX: Duration = Duration::from_secs(120);

/// Pause between two questions whether something is so.
const POLL: Duration = Duration::from_millis(1);

/// A running `serve`; killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    spawned: Instant,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Bytes of the body; kept only where they were asked for.
    pub body: Vec<u8>,
    /// How many there were.
    pub bytes: u64,
    /// From the request to the last byte.
    pub took: Duration,
}

/// Whether a body is kept or thrown away as it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// Kept.
    Keep,
    /// Counted.
    Count,
}

impl Server {
    /// Starts the binary on a data directory, with nothing to observe.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(binary: &Path, data_dir: &Path) -> anyhow::Result<Server> {
        Server::start_with(binary, data_dir, "[cluster]\nenabled = false\n")
    }

    /// As [`Server::start`], with this configuration.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_with(binary: &Path, data_dir: &Path, toml: &str) -> anyhow::Result<Server> {
        let config = data_dir.join(".bench.toml");
        fs::write(&config, toml)?;
        let spawned = Instant::now();
        let mut child = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data_dir)
            .arg("--config")
            .arg(&config)
            .env_clear()
            .env("MONITOR_BACKEND_ADMIN_KEY", KEY)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("starting {} failed", binary.display()))?;
        let stdout = child.stdout.take().context("its output is piped")?;
        let mut lines = BufReader::new(stdout).lines();
        let told = lines.find_map(|line| Some(line.ok()?.split_once("http://")?.1.to_owned()));
        // Whatever it prints later must find a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let address = told.context("it ended before it listened")?.parse()?;
        Ok(Server { child, address, spawned })
    }

    /// How long it took from the start of the process until this route answered 200.
    ///
    /// # Errors
    /// It never did.
    pub fn until_ok(&self, route: &str) -> anyhow::Result<Duration> {
        while self.spawned.elapsed() < WAIT_MAX {
            if self.get(route, Body::Count).is_ok_and(|answer| answer.status == 200) {
                return Ok(self.spawned.elapsed());
            }
            std::thread::sleep(POLL);
        }
        bail!("{route} did not answer 200 within {WAIT_MAX:?}")
    }

    /// Asks for a route with the key.
    ///
    /// # Errors
    /// The connection failed.
    pub fn get(&self, route: &str, body: Body) -> io::Result<Answer> {
        get(self.address, route, body)
    }

    /// A body that goes on: its lines, as they come.
    ///
    /// # Errors
    /// The connection failed, or the answer is no success.
    pub fn follow(&self, route: &str) -> anyhow::Result<impl BufRead + Send + use<>> {
        let mut reader = ask(self.address, route)?;
        let (status, _) = head(&mut reader)?;
        anyhow::ensure!(status == 200, "{route} answered {status}");
        Ok(Chunks { reader, left: 0 }.buffered())
    }

    /// Time of processors that it has used, seconds.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn cpu_seconds(&self) -> anyhow::Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields = stat.rsplit_once(')').map(|(_, fields)| fields.split_whitespace());
        let times: Option<Vec<f64>> =
            fields.map(|fields| fields.skip(11).take(2).filter_map(|t| t.parse().ok()).collect());
        let ticks: f64 = times.context("the system does not tell its time")?.iter().sum();
        Ok(ticks / rustix::param::clock_ticks_per_second() as f64)
    }

    /// Bytes of memory that only this process has and that no file backs.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn private_bytes(&self) -> anyhow::Result<u64> {
        let path = format!("/proc/{}/smaps_rollup", self.child.id());
        let text = fs::read_to_string(path)?;
        let line = text.lines().find(|line| line.starts_with("Anonymous:"));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        Ok(kib.context("the system does not tell its memory")? << 10)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks a server for a route, on a connection of its own.
///
/// # Errors
/// The connection failed, or the answer is no HTTP.
pub fn get(address: SocketAddr, route: &str, body: Body) -> io::Result<Answer> {
    let started = Instant::now();
    let mut reader = ask(address, route)?;
    let (status, length) = head(&mut reader)?;
    let mut kept = Vec::new();
    let bytes = match (body, length) {
        (Body::Keep, _) => reader.read_to_end(&mut kept)? as u64,
        (Body::Count, _) => count(&mut reader)?,
    };
    if length.is_some_and(|length| length != bytes) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Answer { status, body: kept, bytes, took: started.elapsed() })
}

fn ask(address: SocketAddr, route: &str) -> io::Result<BufReader<TcpStream>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(WAIT_MAX))?;
    let request = format!(
        "GET {route} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {KEY}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    Ok(BufReader::with_capacity(256 << 10, stream))
}

/// A body in chunks, without what parts them.
struct Chunks {
    reader: BufReader<TcpStream>,
    /// Of the present chunk.
    left: usize,
}

impl Chunks {
    fn buffered(self) -> BufReader<Chunks> {
        BufReader::with_capacity(256 << 10, self)
    }

    /// Reads the length of the next chunk, behind the end of the one before.
    fn next_length(&mut self) -> io::Result<usize> {
        let mut line = String::new();
        while line.trim().is_empty() {
            line.clear();
            if self.reader.read_line(&mut line)? == 0 {
                return Ok(0);
            }
        }
        let length = usize::from_str_radix(line.trim(), 16);
        length.map_err(|_| io::ErrorKind::InvalidData.into())
    }
}

impl Read for Chunks {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            self.left = self.next_length()?;
        }
        let wanted = self.left.min(out.len());
        let read = self.reader.read(&mut out[..wanted])?;
        self.left -= read;
        Ok(read)
    }
}

fn head(reader: &mut impl BufRead) -> io::Result<(u16, Option<u64>)> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
    let status = status.ok_or(io::ErrorKind::InvalidData)?;
    let mut length = None;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok();
        }
    }
    Ok((status, length))
}

fn count(reader: &mut impl BufRead) -> io::Result<u64> {
    let mut bytes = 0;
    loop {
        let piece = reader.fill_buf()?.len();
        if piece == 0 {
            return Ok(bytes);
        }
        bytes += piece as u64;
        reader.consume(piece);
    }
}
