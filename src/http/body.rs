//! Bodies of answers, and the reading of a request's body within its bounds.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use super::{
    error::Error,
    limits::{BODY_BYTES_MAX, BODY_DRAIN_BYTES_MAX},
};

/// An answer.
pub(super) type Response = hyper::Response<Body>;

/// The body of an answer: at hand, or made while it is being sent.
#[derive(Debug)]
pub(super) enum Body {
    /// `None` once it has been sent, and for no body at all.
    Whole(Option<Bytes>),
    /// Ends when the senders are gone; an error cuts the connection, so that the client knows.
    Stream(mpsc::Receiver<io::Result<Bytes>>),
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Body {
        Body::Whole((!bytes.is_empty()).then(|| bytes.into()))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let next = match self.get_mut() {
            Body::Whole(bytes) => bytes.take().map(Ok),
            Body::Stream(chunks) => ready!(chunks.poll_recv(cx)),
        };
        Poll::Ready(next.map(|chunk| chunk.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Body::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64))
            }
            Body::Stream(_) => SizeHint::default(),
        }
    }
}

/// Reads a request's body as JSON. The refusal repeats nothing of the body: it may hold the key.
pub(super) async fn read_json<T: DeserializeOwned>(
    body: Incoming,
    time: Duration,
    expected: &'static str,
) -> Result<T, Error> {
    let bytes = tokio::time::timeout(time, read(body)).await.map_err(|_| Error::BodyTooSlow)??;
    serde_json::from_slice(&bytes).map_err(|_| Error::BadBody { expected })
}

/// Reads to the end, also past the bound: a client that is still sending would not read the answer.
async fn read(mut body: Incoming) -> Result<Vec<u8>, Error> {
    let too_large = Error::BodyTooLarge { max: BODY_BYTES_MAX };
    if body.size_hint().lower() > BODY_DRAIN_BYTES_MAX as u64 {
        return Err(too_large);
    }
    let mut kept = Vec::new();
    let mut seen = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Error::BadBody { expected: "a whole one" })?;
        let Ok(data) = frame.into_data() else { continue };
        seen += data.len();
        if seen <= BODY_BYTES_MAX {
            kept.extend_from_slice(&data);
        } else if seen > BODY_DRAIN_BYTES_MAX {
            break;
        }
    }
    if seen > BODY_BYTES_MAX { Err(too_large) } else { Ok(kept) }
}
