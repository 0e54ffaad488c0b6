//! A loopback port that can be closed and opened again, as a server that goes away and comes back.
//!
//! While it is closed the port stays bound without listening: connecting is refused, and no other
//! process can be given the number in the meantime.

use std::{
    future::{Future, pending},
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{mpsc, oneshot},
    task::JoinSet,
};

/// Connections that the kernel keeps while the accepting task is busy.
const BACKLOG: u32 = 64;
/// Orders come from tests and the scenario, one at a time.
const ORDERS_MAX: usize = 8;

/// Dropping it closes the port and ends every connection.
#[derive(Debug)]
pub(super) struct Port {
    address: SocketAddr,
    orders: mpsc::Sender<(Order, oneshot::Sender<io::Result<()>>)>,
    _task: JoinSet<()>,
}

#[derive(Debug)]
enum Order {
    Close,
    Open,
    DropConnections,
}

enum Socket {
    Listening(TcpListener),
    Held(TcpSocket),
    /// Between two states; stays only if binding the port again failed.
    Lost,
}

struct Acceptor<F> {
    address: SocketAddr,
    socket: Socket,
    connections: JoinSet<()>,
    serve: Arc<F>,
}

impl Port {
    /// Listens on a free port of 127.0.0.1; each connection is one call of `serve`.
    ///
    /// # Errors
    /// No port could be bound.
    pub(super) async fn open<F, S>(serve: F) -> io::Result<Port>
    where
        F: Fn(TcpStream) -> S + Send + Sync + 'static,
        S: Future<Output = ()> + Send + 'static,
    {
        let held = hold(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = held.local_addr()?;
        let socket = Socket::Listening(held.listen(BACKLOG)?);
        let connections = JoinSet::new();
        let (orders, inbox) = mpsc::channel(ORDERS_MAX);
        let mut task = JoinSet::new();
        let acceptor = Acceptor { address, socket, connections, serve: Arc::new(serve) };
        task.spawn(acceptor.run(inbox));
        Ok(Port { address, orders, _task: task })
    }

    /// Where it listens; the same after it was closed and opened.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Refuses connections from now on and ends those that there are. Returns when it is done.
    pub(super) async fn close(&self) -> io::Result<()> {
        self.order(Order::Close).await
    }

    /// Accepts connections again.
    pub(super) async fn reopen(&self) -> io::Result<()> {
        self.order(Order::Open).await
    }

    /// Ends every connection and goes on accepting new ones.
    pub(super) async fn drop_connections(&self) -> io::Result<()> {
        self.order(Order::DropConnections).await
    }

    async fn order(&self, order: Order) -> io::Result<()> {
        let (done, answer) = oneshot::channel();
        let gone = || io::Error::other("the task of the simulated port has ended");
        self.orders.send((order, done)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl<F, S> Acceptor<F>
where
    F: Fn(TcpStream) -> S + Send + Sync + 'static,
    S: Future<Output = ()> + Send + 'static,
{
    async fn run(mut self, mut inbox: mpsc::Receiver<(Order, oneshot::Sender<io::Result<()>>)>) {
        loop {
            tokio::select! {
                stream = accept(&self.socket) => self.connect(stream),
                Some(_) = self.connections.join_next() => {}
                order = inbox.recv() => {
                    let Some((order, done)) = order else { return };
                    // A test that gave up waiting does not need the answer.
                    let _ = done.send(self.obey(order).await);
                }
            }
        }
    }

    fn connect(&mut self, stream: TcpStream) {
        // Small frames must not wait for a full packet; without it they only come later.
        let _ = stream.set_nodelay(true);
        self.connections.spawn((self.serve)(stream));
    }

    async fn obey(&mut self, order: Order) -> io::Result<()> {
        match order {
            Order::DropConnections => self.connections.shutdown().await,
            Order::Close => {
                self.socket = Socket::Lost;
                self.connections.shutdown().await;
                self.socket = Socket::Held(hold(self.address)?);
            }
            Order::Open => {
                self.socket = match std::mem::replace(&mut self.socket, Socket::Lost) {
                    Socket::Listening(listener) => Socket::Listening(listener),
                    Socket::Held(held) => Socket::Listening(held.listen(BACKLOG)?),
                    Socket::Lost => Socket::Listening(hold(self.address)?.listen(BACKLOG)?),
                };
            }
        }
        Ok(())
    }
}

/// Binds without listening. The address may be reused, so that old connections do not hinder it.
fn hold(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn accept(socket: &Socket) -> TcpStream {
    let Socket::Listening(listener) = socket else { return pending().await };
    loop {
        // An error is that of one connection that ended before it was accepted.
        if let Ok((stream, _)) = listener.accept().await {
            return stream;
        }
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn greeted(address: SocketAddr) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(address).await?;
        let mut greeting = [0; 2];
        stream.read_exact(&mut greeting).await?;
        Ok(stream)
    }

    #[tokio::test]
    async fn a_closed_port_refuses_and_comes_back_with_its_number() {
        let port = Port::open(|mut stream: TcpStream| async move {
            let _ = stream.write_all(b"hi").await;
            let _ = stream.read_u8().await;
        })
        .await
        .expect("open");
        let mut first = greeted(port.address()).await.expect("greeted");

        port.close().await.expect("close");
        assert_eq!(first.read_u8().await.ok(), None, "the connection must be ended");
        let refused = TcpStream::connect(port.address()).await.expect_err("must be refused");
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);

        port.reopen().await.expect("reopen");
        let mut second = greeted(port.address()).await.expect("greeted again");
        port.drop_connections().await.expect("drop");
        assert_eq!(second.read_u8().await.ok(), None, "the connection must be ended");
        greeted(port.address()).await.expect("greeted a third time");
    }
}
