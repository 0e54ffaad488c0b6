//! Stands between a client and a server, and hangs up when it has passed on enough.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

/// A relay on a port of its own.
pub struct Relay {
    pub address: SocketAddr,
    /// Bytes of answers that each connection may still bring.
    pub allowance: Arc<AtomicU64>,
    /// Bytes of answers that were passed on.
    pub passed: Arc<AtomicU64>,
    to: Arc<Mutex<SocketAddr>>,
}

impl Relay {
    /// A relay to `http://ADDRESS`.
    pub async fn start(to: &str) -> Relay {
        Relay::with_tls(to, None).await
    }

    /// A relay that speaks TLS with its clients.
    pub async fn with_tls(to: &str, tls: Option<TlsAcceptor>) -> Relay {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let relay = Relay {
            address: listener.local_addr().expect("it is bound"),
            allowance: Arc::new(AtomicU64::new(u64::MAX)),
            passed: Arc::default(),
            to: Arc::new(Mutex::new(plain(to))),
        };
        let (allowance, passed) = (relay.allowance.clone(), relay.passed.clone());
        let to = relay.to.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let to = *to.lock().expect("nobody panics with it");
                let (allowed, passed) = (allowance.load(Ordering::Relaxed), passed.clone());
                let tls = tls.clone();
                tokio::spawn(async move {
                    match tls {
                        None => pass_on(client, to, allowed, &passed).await,
                        Some(tls) => match tls.accept(client).await {
                            Ok(client) => pass_on(client, to, allowed, &passed).await,
                            Err(error) => Err(error),
                        },
                    }
                });
            }
        });
        relay
    }

    /// Sends later connections to another server.
    pub fn lead_to(&self, to: &str) {
        *self.to.lock().expect("nobody panics with it") = plain(to);
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn plain(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").parse().expect("an address and a port")
}

/// Ends, and so hangs up on both, when the allowance is used up or one of them hung up.
async fn pass_on(
    client: impl AsyncRead + AsyncWrite,
    to: SocketAddr,
    mut allowed: u64,
    passed: &AtomicU64,
) -> std::io::Result<()> {
    let (mut from_server, mut to_server) = TcpStream::connect(to).await?.into_split();
    let (mut from_client, mut to_client) = tokio::io::split(client);
    let asking = tokio::io::copy(&mut from_client, &mut to_server);
    let answering = async {
        let mut piece = [0; 4096];
        while allowed > 0 {
            let wanted = piece.len().min(usize::try_from(allowed).unwrap_or(usize::MAX));
            let count = from_server.read(&mut piece[..wanted]).await?;
            if count == 0 {
                break;
            }
            to_client.write_all(&piece[..count]).await?;
            allowed -= count as u64;
            passed.fetch_add(count as u64, Ordering::Relaxed);
        }
        to_client.shutdown().await
    };
    tokio::select! {
        asked = asking => asked.map(drop),
        answered = answering => answered,
    }
}

/// A certificate for 127.0.0.1 in `dir/cert.pem`, and the server side that has it.
pub fn certificate(dir: &Path) -> TlsAcceptor {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(dir)
        .output()
        .expect("openssl runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let cert = CertificateDer::from_pem_file(dir.join("cert.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(dir.join("key.pem")).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has them")
        .with_no_client_auth()
        .with_single_cert(vec![cert], key)
        .expect("key and certificate belong together");
    TlsAcceptor::from(Arc::new(config))
}
