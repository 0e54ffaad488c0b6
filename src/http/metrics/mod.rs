//! `/metrics` on a listener of its own. It asks for no key: it holds numbers, and the names of
//! routes and sources, but nothing that was recorded.

mod encode;

mod meters;

mod page;

mod process;

use std::sync::{Arc, atomic::AtomicU64};

use hyper::{Method, Request, StatusCode, body::Incoming};
use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};

pub(super) use self::meters::Meters;
use super::{
    Surface, answer,
    body::{Body, Response},
    limits::Limits,
    server,
};
use crate::event::Observed;

/// Scrapers are one or two, each with one connection.
const CONNECTIONS_MAX: usize = 16;

/// What the listener is given.
#[derive(Debug)]
pub struct MetricsDesk {
    /// Where it is served.
    pub listener: TcpListener,
    /// The collectors' way to the recorder.
    pub intake: Intake,
}

/// The collectors' way to the recorder, as far as it can be counted.
#[derive(Debug, Clone)]
pub struct Intake {
    /// The queue. Weak: whoever counts does not keep it open.
    pub queue: mpsc::WeakSender<Observed>,
    /// How often a collector had to wait for room in it.
    pub waits: Arc<AtomicU64>,
}

/// Serves until `closing` turns true.
pub(super) async fn serve(
    desk: MetricsDesk,
    surface: Arc<Surface>,
    mut closing: watch::Receiver<bool>,
) {
    let limits = Limits { connections: CONNECTIONS_MAX, ..surface.desk.limits.clone() };
    let MetricsDesk { listener, intake } = desk;
    let answer = move |request: Request<Incoming>| {
        let (surface, intake) = (surface.clone(), intake.clone());
        async move { answered(&surface, &intake, &request).await }
    };
    let shutdown = async move {
        // A server that is gone can say nothing else.
        let _ = closing.wait_for(|closing| *closing).await;
    };
    server::run(listener, &limits, answer, shutdown, || {}).await;
}

async fn answered(
    surface: &Arc<Surface>,
    intake: &Intake,
    request: &Request<Incoming>,
) -> Response {
    let is_head = request.method() == Method::HEAD;
    let mut response = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => page_of(surface, intake).await,
        (_, "/metrics") => answer::text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n"),
        _ => answer::text(StatusCode::NOT_FOUND, "there is only /metrics here\n"),
    };
    if is_head {
        *response.body_mut() = Body::Whole(None);
    }
    answer::harden(response.headers_mut(), None);
    response
}

async fn page_of(surface: &Arc<Surface>, intake: &Intake) -> Response {
    let (asked, intake) = (surface.clone(), intake.clone());
    let made = surface.queries.run(move || encode::page(&asked, &intake)).await;
    match made {
        Ok(Ok(text)) => answer::of_bytes(StatusCode::OK, CONTENT_TYPE, text.into_bytes()),
        Ok(Err(_)) => answer::text(StatusCode::INTERNAL_SERVER_ERROR, "no page could be made\n"),
        Err(error) => error.into_response(),
    }
}

impl Intake {
    /// Messages that wait and how many may; `None` once the recorder has stopped.
    fn messages(&self) -> Option<(u64, u64)> {
        let queue = self.queue.upgrade()?;
        let max = queue.max_capacity();
        Some(((max - queue.capacity()) as u64, max as u64))
    }
}
