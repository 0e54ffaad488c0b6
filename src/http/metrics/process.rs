//! What the kernel counts of this process, the usual numbers under their usual names.

use std::fmt::Error;

use super::page::Page;
use crate::process;

/// Writes what can be read; where `/proc` cannot be, nothing is claimed.
pub(super) fn write(page: &mut Page<'_>) -> Result<(), Error> {
    if let Ok(usage) = process::usage() {
        let help = "User and system time of the process";
        page.seconds("process_cpu_seconds", help, usage.cpu_seconds)?;
        let help = "Memory of the process, mapped segments included";
        page.gauge("process_resident_memory_bytes", help, usage.resident_bytes as f64)?;
        let help = "Memory that nothing but this process needs, without mapped segments";
        page.gauge("monitor_backend_private_memory_bytes", help, usage.private_bytes as f64)?;
        page.gauge("monitor_backend_threads", "Threads of the process", usage.threads as f64)?;
    }
    match process::open_fds() {
        Ok(open) => page.gauge("process_open_fds", "Open file descriptors", open as f64),
        Err(_) => Ok(()),
    }
}
