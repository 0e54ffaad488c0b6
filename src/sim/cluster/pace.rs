//! How fast the simulated cluster does things.

use std::time::Duration;

use crate::event::Millis;

/// Ranges of times in milliseconds; each time is drawn from its range.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// How often the controller looks.
    pub(crate) tick: Duration,
    /// Until a new pod has its node.
    pub(super) schedule: (Millis, Millis),
    /// Until its image is there, or is known not to be.
    pub(super) pull: (Millis, Millis),
    /// From its start until it is ready.
    pub(super) ready: (Millis, Millis),
    /// From its deletion until it is gone.
    pub(super) terminate: (Millis, Millis),
    /// The first wait after a failure; each further one is twice as long, up to eight times.
    pub(super) back_off: Millis,
}

impl Pace {
    /// As a small real cluster, with waits that a spectator can sit through.
    pub(crate) const DEMO: Pace = Pace {
        tick: Duration::from_millis(200),
        schedule: (100.0, 500.0),
        pull: (1_000.0, 3_000.0),
        ready: (1_500.0, 3_000.0),
        terminate: (1_000.0, 2_500.0),
        back_off: 3_000.0,
    };

    /// The demo's, for those who cannot sit through it.
    pub(crate) const DEMO_FAST: Pace = Pace {
        tick: Duration::from_millis(50),
        schedule: (50.0, 150.0),
        pull: (300.0, 800.0),
        ready: (400.0, 800.0),
        terminate: (300.0, 700.0),
        back_off: 1_000.0,
    };

    /// As fast as a test can see each step.
    pub(crate) const QUICK: Pace = Pace {
        tick: Duration::from_millis(10),
        schedule: (10.0, 20.0),
        pull: (10.0, 30.0),
        ready: (10.0, 30.0),
        terminate: (10.0, 30.0),
        back_off: 50.0,
    };
}
