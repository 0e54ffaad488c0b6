//! Counts of what the HTTP surface does.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Instant,
};

use hyper::StatusCode;

use crate::recorder::Timings;

/// Names of the classes of statuses.
pub(super) const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// What was done since the start.
#[derive(Debug, Default)]
pub(in crate::http) struct Meters {
    /// One for each route, in their order, and one for all else.
    routes: Vec<RouteMeter>,
    in_flight: AtomicU64,
    /// Batches that feeds sent.
    pub(in crate::http) live_batches: AtomicU64,
    /// How often a client of a feed had to fetch again.
    pub(in crate::http) live_resets: AtomicU64,
    /// How often a client of a feed was too slow.
    pub(in crate::http) live_sheds: AtomicU64,
    /// Records that such clients were not told.
    pub(in crate::http) live_shed_records: AtomicU64,
}

/// Of one route.
#[derive(Debug, Default)]
pub(super) struct RouteMeter {
    pub(super) classes: [AtomicU64; CLASSES.len()],
    /// Up to the head of the answer; what follows in a feed or a download takes as long as it takes.
    pub(super) durations: Timings,
}

impl Meters {
    /// Meters of so many routes.
    pub(in crate::http) fn new(routes: usize) -> Meters {
        let routes = (0..=routes).map(|_| RouteMeter::default()).collect();
        Meters { routes, ..Meters::default() }
    }

    /// Begins to count a request of a route, or of none.
    pub(in crate::http) fn begin(&self, route: Option<usize>) -> Doing<'_> {
        self.in_flight.fetch_add(1, Relaxed);
        Doing { meters: self, route, began: Instant::now() }
    }

    pub(super) fn in_flight(&self) -> u64 {
        self.in_flight.load(Relaxed)
    }

    pub(super) fn routes(&self) -> &[RouteMeter] {
        &self.routes
    }
}

/// A request that is being answered. One whose client goes away before is in flight no more, and
/// counts in no class.
#[derive(Debug)]
pub(in crate::http) struct Doing<'a> {
    meters: &'a Meters,
    route: Option<usize>,
    began: Instant,
}

impl Doing<'_> {
    /// It is answered.
    pub(in crate::http) fn done(self, status: StatusCode) {
        let routes = &self.meters.routes;
        let of_route = self.route.and_then(|route| routes.get(route)).or(routes.last());
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(meter) = of_route
            && let Some(count) = meter.classes.get(class)
        {
            count.fetch_add(1, Relaxed);
            meter.durations.add(self.began.elapsed());
        }
    }
}

impl Drop for Doing<'_> {
    fn drop(&mut self) {
        self.meters.in_flight.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_in_flight_until_it_is_answered_or_given_up() {
        let meters = Meters::new(2);
        let (first, second) = (meters.begin(Some(1)), meters.begin(None));
        assert_eq!(meters.in_flight(), 2);
        first.done(StatusCode::NOT_FOUND);
        drop(second);
        assert_eq!(meters.in_flight(), 0);
        let counts: Vec<u64> = meters
            .routes()
            .iter()
            .flat_map(|route| &route.classes)
            .map(|count| count.load(Relaxed))
            .collect();
        assert_eq!(counts.iter().sum::<u64>(), 1);
        assert_eq!(counts[CLASSES.len() + 3], 1, "4xx of the second route");
    }
}
