//! Pure folds of events into answers.

/// Everything that is alive at one moment.
#[derive(Debug, Clone, Default)]
pub struct State {}
