//! A bound on the threads that touch maps: a page fault may hold up one of these, never the server.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::error::Error;

/// Runs work on blocking threads, so many at once.
#[derive(Debug, Clone)]
pub(super) struct Pool(Arc<Semaphore>);

impl Pool {
    pub(super) fn new(threads: usize) -> Pool {
        Pool(Arc::new(Semaphore::new(threads)))
    }

    /// Waits for a turn, then runs the work to its end, even if nobody waits for it any more.
    ///
    /// # Errors
    /// The work panicked, or the process is shutting down.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let turn = self.0.clone().acquire_owned().await.map_err(|e| Error::Internal(e.into()))?;
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(turn);
            result
        });
        done.await.map_err(|e| Error::Internal(e.into()))
    }
}
