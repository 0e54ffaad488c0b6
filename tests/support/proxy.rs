//! A proxy before an API server that can be cut, so that a collector is deaf while things happen.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Hands connections on to the API server, until it is cut.
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    server: String,
    is_open: Arc<watch::Sender<bool>>,
}

impl Proxy {
    /// A proxy before the server at `url`.
    pub async fn start(url: &str) -> Proxy {
        let server: SocketAddr =
            url.trim_start_matches("https://").parse().expect("an address and a port");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let is_open = Arc::new(watch::Sender::new(true));
        let open = Arc::clone(&is_open);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(hand_on(stream, server, open.subscribe()));
            }
        });
        Proxy { address, server: url.to_owned(), is_open }
    }

    /// Cuts every connection and each new one, or lets them through again.
    pub fn set_open(&self, is_open: bool) {
        self.is_open.send_replace(is_open);
    }

    /// A kubeconfig that leads through the proxy.
    pub fn kubeconfig(&self, direct: &Path) -> PathBuf {
        let text = std::fs::read_to_string(direct).expect("the kubeconfig can be read");
        let through = text.replace(&self.server, &format!("https://{}", self.address));
        assert_ne!(text, through);
        let path = direct.with_extension("proxied");
        std::fs::write(&path, through).expect("the folder can be written");
        path
    }
}

/// Ends, and so closes both connections, as soon as the proxy is cut.
async fn hand_on(mut stream: TcpStream, server: SocketAddr, mut open: watch::Receiver<bool>) {
    let handing = async {
        let mut onward = TcpStream::connect(server).await?;
        copy_bidirectional(&mut stream, &mut onward).await
    };
    tokio::select! {
        biased;
        _ = open.wait_for(|is_open| !is_open) => {}
        // Either side may hang up.
        _ = handing => {}
    }
}
