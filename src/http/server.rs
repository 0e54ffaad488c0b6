//! Connections: accepted within a bound, served with time-outs, ended in peace.

use std::{convert::Infallible, io, sync::Arc};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{Duration, sleep, timeout},
};

use super::{
    body::Response,
    limits::{CONNECTION_BUFFER_BYTES, HEADER_BYTES_MAX, Limits},
};

/// After a failed accept, so that a lack of file descriptors does not become a busy loop.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// Serves until `shutdown` resolves, then lets what is being answered end within the grace.
pub(super) async fn run<A, F>(
    listener: TcpListener,
    limits: &Limits,
    answer: A,
    shutdown: impl Future<Output = ()>,
    close: impl FnOnce(),
) where
    A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let accepting = accept(&listener, limits, &answer, &graceful, &mut connections);
    tokio::select! {
        () = accepting => {}
        () = shutdown => {}
    }
    drop(listener);
    close();
    if timeout(limits.grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("connections were cut at the end of the grace for shutdown");
    }
    connections.shutdown().await;
}

/// Accepts for ever. A connection beyond the bound waits in the kernel's queue.
async fn accept<A, F>(
    listener: &TcpListener,
    limits: &Limits,
    answer: &A,
    graceful: &GracefulShutdown,
    connections: &mut JoinSet<()>,
) where
    A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    let slots = Arc::new(Semaphore::new(limits.connections));
    loop {
        let slot = slots.clone().acquire_owned().await.expect("the semaphore is never closed");
        match listener.accept().await {
            Ok((stream, _)) => {
                let served = serve(stream, limits, answer.clone(), graceful.watcher(), slot);
                connections.spawn(served);
            }
            Err(error) => {
                report(&error);
                sleep(ACCEPT_RETRY).await;
            }
        }
        // Ended ones are forgotten here, so that the set stays within the bound.
        while connections.try_join_next().is_some() {}
    }
}

/// A client that gave up while it waited is no news.
fn report(error: &io::Error) {
    if error.kind() != io::ErrorKind::ConnectionAborted {
        tracing::warn!(%error, "accepting a connection failed");
    }
}

fn serve<A, F>(
    stream: TcpStream,
    limits: &Limits,
    answer: A,
    watcher: Watcher,
    slot: OwnedSemaphorePermit,
) -> impl Future<Output = ()> + use<A, F>
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    set_options(&stream, limits.stall_time);
    let service = service_fn(move |request| {
        let answered = answer(request);
        // Every refusal is an answer.
        async move { Ok::<_, Infallible>(answered.await) }
    });
    let stream = TokioIo::new(stream);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_header_size(HEADER_BYTES_MAX)
        .max_buf_size(CONNECTION_BUFFER_BYTES)
        .serve_connection(stream, service);
    async move {
        // A client that breaks the protocol or goes away is no news either.
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%error, "a connection ended early");
        }
        drop(slot);
    }
}

/// Both options are refused by a dead socket alone, which ends by itself.
fn set_options(stream: &TcpStream, stall_time: Duration) {
    // Messages of the live feed are small and wanted at once.
    let _ = stream.set_nodelay(true);
    // hyper bounds the reading of a request, not the writing of its answer. The kernel ends a
    // connection whose other side takes nothing or acknowledges nothing for so long: a stalled
    // download, a computer that fell asleep.
    let stall_ms = u32::try_from(stall_time.as_millis()).unwrap_or(u32::MAX);
    let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, stall_ms);
}
