//! What the benchmarks share: realistic events, bare reference loops, journals to measure on, and
//! the table of budgets. Knows the product as a library and as a binary; the product knows nothing
//! of it.

pub mod rng;

pub mod events;

pub mod records;

pub mod bare;

pub mod journals;

pub mod process;

pub mod app_server;

pub mod nginx;

pub mod figures;

pub mod budgets;
