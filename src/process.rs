//! What the kernel counts of this process. Knows nothing of who asks.

use std::io;

/// What this process uses.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// User and system time since its start, seconds.
    pub cpu_seconds: f64,
    /// Memory that nothing but this process needs, bytes; segments in maps are not among it.
    pub private_bytes: u64,
    /// All of it that is in memory, bytes, mapped segments included.
    pub resident_bytes: u64,
    /// Its threads.
    pub threads: u64,
}

/// Reads it.
///
/// # Errors
/// `/proc` cannot be read, or has another form.
pub fn usage() -> io::Result<Usage> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let unreadable = || io::Error::new(io::ErrorKind::InvalidData, "it has another form");
    let field = |name: &str| number_in(&status, name).ok_or_else(unreadable);
    let ticks = cpu_ticks(&stat).ok_or_else(unreadable)?;
    Ok(Usage {
        cpu_seconds: ticks as f64 / rustix::param::clock_ticks_per_second() as f64,
        private_bytes: field("RssAnon:")? << 10,
        resident_bytes: field("VmRSS:")? << 10,
        threads: field("Threads:")?,
    })
}

/// Files, sockets and what else it has open.
///
/// # Errors
/// `/proc` cannot be read.
pub fn open_fds() -> io::Result<usize> {
    Ok(std::fs::read_dir("/proc/self/fd")?.count())
}

/// The number behind a name in `/proc/self/status`.
fn number_in(status: &str, name: &str) -> Option<u64> {
    let rest = status.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// User and system time from `/proc/self/stat`, whose second field may hold spaces and brackets.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    Some(next()? + next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_can_be_read() {
        let before = usage().expect("/proc is mounted");
        assert!(before.private_bytes > 0 && before.resident_bytes >= before.private_bytes);
        assert!(before.threads > 0);
        assert!(open_fds().expect("/proc is mounted") > 2);
        let mut sum = 0_u64;
        while usage().expect("/proc is mounted").cpu_seconds <= before.cpu_seconds {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
    }

    #[test]
    fn a_name_with_brackets_does_not_confuse_the_fields() {
        let stat = "1 (a ) b) S 0 1 1 0 -1 4194560 5 6 7 8 30 12 0 0 20 0 9 0 1 2 3";
        assert_eq!(cpu_ticks(stat), Some(42));
        assert_eq!(cpu_ticks("1 (a) S"), None);
    }
}
