//! The HTTP surface: bare hyper, HTTP/1.1. `routes.rs` lists the routes.
//!
//! Answers come from [`Published`] and are made on bounded reader threads, since they touch maps.
//! The surface listens before the journal is open: what needs no views answers at once, the rest
//! says that it is starting. It knows no collector and no cluster.

pub mod limits;

pub mod metrics;

pub mod openapi;

pub mod wire;

mod access;

mod answer;

mod body;

mod convert;

mod download;

mod error;

mod live;

mod moment;

mod outside;

mod params;

mod pool;

mod range;

mod read;

mod routes;

mod server;

mod site;

mod write;

mod wrong_keys;

use std::{path::PathBuf, sync::Arc};

use hyper::StatusCode;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    time::{MissedTickBehavior, interval},
};

use self::{
    access::Access,
    body::Response,
    error::Error,
    limits::{DOWNLOADS_MAX, Limits, QUERY_THREADS_MAX, STREAM_THREADS_MAX},
    metrics::{Meters, MetricsDesk},
    moment::{Moment, Moments},
    outside::Passes,
    pool::Pool,
    read::{Call, problems::Board},
    wire::Mode,
};
pub use self::{access::AdminKey, outside::ToolsDesk};
use crate::{
    actions::Actions,
    cluster::Reviewer,
    journal::Reader,
    recorder::{Published, Recorder},
    views::problems::Thresholds,
};

/// What the surface is given.
#[derive(Debug)]
pub struct Desk {
    /// Live, demo or replay.
    pub mode: Mode,
    /// The program's version.
    pub version: String,
    /// The read side of the recorder.
    pub published: Arc<Published>,
    /// The write side; `None` in a replay.
    pub recorder: Option<Recorder>,
    /// What an admin can do; `None` in a replay.
    pub actions: Option<Actions>,
    /// `None` in a replay, which is open to whoever reaches its loopback address.
    pub admin_key: Option<AdminKey>,
    /// Other tools, and the port that shows their pages.
    pub outside: Option<ToolsDesk>,
    /// Where `/metrics` is served; `None`: nowhere.
    pub metrics: Option<MetricsDesk>,
    /// Asks the cluster about tokens; `None` where only the admin key counts.
    pub reviewer: Option<Reviewer>,
    /// Where a gateway puts this surface: empty, or as [`base_path`] gives it.
    pub base_path: String,
    /// Where the journal is; its volume is shown. `None` in a replay.
    pub data_dir: Option<PathBuf>,
    /// When something counts as a problem.
    pub thresholds: Thresholds,
    /// The bounds.
    pub limits: Limits,
}

/// Brings a base path into its form: empty, or beginning with a slash and ending without one.
/// `None` where it holds something else than words of unreserved characters.
pub fn base_path(given: &str) -> Option<String> {
    let words: Vec<&str> = given.split('/').filter(|word| !word.is_empty()).collect();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    let is_sound = words.iter().all(|w| w.chars().all(plain) && !w.chars().all(|c| c == '.'));
    is_sound.then(|| words.iter().map(|word| format!("/{word}")).collect())
}

/// Serves until `shutdown` resolves and what was being answered has ended, within a grace.
pub async fn serve(listener: TcpListener, mut desk: Desk, shutdown: impl Future<Output = ()>) {
    let (close, closing) = watch::channel(false);
    let tools = desk.outside.as_mut().and_then(|tools| tools.listener.take());
    let metrics = desk.metrics.take();
    let surface = Arc::new(Surface::new(desk, closing.clone()));
    let metrics =
        metrics.map(|desk| tokio::spawn(metrics::serve(desk, surface.clone(), closing.clone())));
    let tools = tools.map(|tools| tokio::spawn(outside::serve(tools, surface.clone(), closing)));
    let reporting = surface.clone();
    let reports = tokio::spawn(async move { reporting.report_wrong_keys().await });
    let forgetting = surface.clone();
    let forgets = tokio::spawn(async move { forgetting.forget_moments().await });
    let answering = surface.clone();
    let answer = move |request| {
        let surface = answering.clone();
        async move { routes::answer(&surface, request).await }
    };
    server::run(listener, &surface.desk.limits, answer, shutdown, || {
        close.send_replace(true);
    })
    .await;
    for other in [metrics, tools].into_iter().flatten() {
        // A panic in it was reported where it happened.
        let _ = other.await;
    }
    reports.abort();
    forgets.abort();
    if let Some(recorder) = &surface.desk.recorder {
        surface.access.wrong_keys.report(recorder).await;
    }
}

/// What every connection shares.
#[derive(Debug)]
struct Surface {
    desk: Desk,
    access: Access,
    /// For answers.
    queries: Pool,
    /// For feeds and downloads.
    streams: Pool,
    feeds: Arc<Semaphore>,
    downloads: Arc<Semaphore>,
    moments: Moments,
    /// Of the second port.
    passes: Passes,
    board: Board,
    meters: Meters,
    /// True once the server shuts down: feeds end.
    closing: watch::Receiver<bool>,
}

impl Surface {
    fn new(mut desk: Desk, closing: watch::Receiver<bool>) -> Surface {
        let access = Access::new(desk.admin_key.take(), desk.reviewer.take());
        Surface {
            access,
            queries: Pool::new(QUERY_THREADS_MAX),
            streams: Pool::new(STREAM_THREADS_MAX),
            feeds: Arc::new(Semaphore::new(desk.limits.feeds)),
            downloads: Arc::new(Semaphore::new(DOWNLOADS_MAX)),
            moments: Moments::default(),
            passes: Passes::new(),
            board: Board::default(),
            meters: Meters::new(routes::COUNT),
            closing,
            desk,
        }
    }

    /// The path below the base path; `None` for the base path itself, which lacks its slash:
    /// relative addresses of the page would miss it.
    fn below_base<'a>(&self, path: &'a str) -> Option<&'a str> {
        match path.strip_prefix(self.desk.base_path.as_str()) {
            Some("") if !self.desk.base_path.is_empty() => None,
            Some(below) if below.starts_with('/') => Some(below),
            _ => Some(path),
        }
    }

    /// The journal, also while the views are not complete: a backup needs none.
    fn journal(&self) -> Result<Arc<Reader>, Error> {
        self.desk.published.reader.load_full().ok_or(Error::Starting)
    }

    /// Answers from the moment that a call names.
    async fn of_moment(
        self: &Arc<Self>,
        call: Call,
        handler: impl FnOnce(&Surface, &Moment, &Call) -> Result<Response, Error> + Send + 'static,
    ) -> Result<Response, Error> {
        let at = call.params.at()?;
        moment::reader(&self.desk.published)?;
        let surface = self.clone();
        let answer = move || {
            let moment = surface.moments.get(&surface.desk.published, at)?;
            handler(&surface, &moment, &call)
        };
        self.queries.run(answer).await?
    }

    fn ready(&self) -> Response {
        if self.desk.published.health.load().replayed {
            answer::text(StatusCode::OK, "ready\n")
        } else {
            answer::text(StatusCode::SERVICE_UNAVAILABLE, "starting\n")
        }
    }

    /// Lets go of past moments that the journal no longer reaches, also while nobody asks for one.
    async fn forget_moments(&self) {
        let mut positions = self.desk.published.positions.clone();
        // An error means that the recorder has stopped.
        while positions.changed().await.is_ok() {
            let now = *positions.borrow_and_update();
            self.moments.keep_within(&now);
        }
    }

    async fn report_wrong_keys(&self) {
        let Some(recorder) = &self.desk.recorder else { return };
        let mut reports = interval(self.desk.limits.wrong_key_report);
        reports.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            reports.tick().await;
            self.access.wrong_keys.report(recorder).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_takes_one_form() {
        for given in ["", "/", "//"] {
            assert_eq!(base_path(given).as_deref(), Some(""));
        }
        for given in ["monitor", "/monitor", "/monitor/", "//monitor"] {
            assert_eq!(base_path(given).as_deref(), Some("/monitor"));
        }
        assert_eq!(base_path("/a/b_c.d").as_deref(), Some("/a/b_c.d"));
        for given in ["/a;b", "/a\r\nb", "/..", "/a b", "/\u{e4}"] {
            assert_eq!(base_path(given), None, "{given:?}");
        }
    }
}
