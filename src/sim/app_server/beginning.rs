//! What a connection asks for, told by how its request begins: the link and plain requests share one
//! port.

use std::{io, time::Duration};

use tokio::{net::TcpStream, time::timeout};

/// A client that sends no whole beginning in this time is taken for one of the link.
const TIME_MAX: Duration = Duration::from_secs(5);

/// Whether a connection's request begins so. Takes nothing from the stream.
pub(super) async fn is(stream: &TcpStream, beginning: &[u8]) -> bool {
    let seen = timeout(TIME_MAX, async {
        let mut seen = vec![0; beginning.len()];
        loop {
            let length = stream.peek(&mut seen).await?;
            let is_whole = length == beginning.len();
            if length == 0 || is_whole || !beginning.starts_with(&seen[..length]) {
                return io::Result::Ok(seen == beginning);
            }
            // What was seen stays readable, so nothing tells when more has come.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    matches!(seen.await, Ok(Ok(true)))
}
