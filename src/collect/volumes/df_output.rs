//! The output of `df -P` to numbers.
//!
//! One row: file system, blocks, used, available, percent, mount point. The name of the file system
//! and the mount point may hold spaces; some versions break the line after a long name.
//! <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/df.html>

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// Blocks, or inodes.
    pub(super) all: u64,
    pub(super) used: u64,
    pub(super) available: u64,
    pub(super) mount: String,
}

/// The last row of an output; `None` where there is none.
pub(super) fn row(lines: &[String]) -> Option<Row> {
    let words: Vec<&str> = lines.iter().flat_map(|line| line.split_whitespace()).collect();
    let at = words.windows(4).rposition(|four| numbers(four).is_some())?;
    let [all, used, available] = numbers(&words[at..])?;
    let mount = words[at + 4..].join(" ");
    mount.starts_with('/').then_some(Row { all, used, available, mount })
}

/// Three numbers before a percentage.
fn numbers(words: &[&str]) -> Option<[u64; 3]> {
    let [all, used, available, percent, ..] = words else { return None };
    let is_percentage = *percent == "-"
        || percent.strip_suffix('%').is_some_and(|number| number.parse::<u32>().is_ok());
    if !is_percentage {
        return None;
    }
    Some([all.parse().ok()?, used.parse().ok()?, available.parse().ok()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(u64, u64, u64, String)> {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        row(&lines).map(|row| (row.all, row.used, row.available, row.mount))
    }

    #[test]
    fn usual_outputs_are_read() {
        let head = "Filesystem     1024-blocks    Used Available Capacity Mounted on\n";
        let row = "/dev/sdb           10255636 4145000   5568100      43% /var/lib/postgresql/data";
        let expected = (10_255_636, 4_145_000, 5_568_100, "/var/lib/postgresql/data".to_owned());
        assert_eq!(parsed(&format!("{head}{row}")), Some(expected));
        let inodes =
            "Filesystem Inodes IUsed IFree IUse% Mounted on\n/dev/sdb 655360 900 654460 1% /d";
        assert_eq!(parsed(inodes), Some((655_360, 900, 654_460, "/d".to_owned())));
        let none = "Filesystem Inodes IUsed IFree IUse% Mounted on\nbtrfs 0 0 0 - /d";
        assert_eq!(parsed(none), Some((0, 0, 0, "/d".to_owned())));
    }

    #[test]
    fn spaces_and_broken_lines_are_read() {
        let head = "Filesystem           1K-blocks      Used Available Use% Mounted on\n";
        let broken = "/dev/mapper/a-very-long-name-of-a-volume\n    100   40   60  40% /data";
        assert_eq!(parsed(&format!("{head}{broken}")), Some((100, 40, 60, "/data".to_owned())));
        let spaces = "//nas/share 1 2 3 100 40 60 40% /mnt/my data";
        assert_eq!(parsed(spaces), Some((100, 40, 60, "/mnt/my data".to_owned())));
    }

    #[test]
    fn what_is_no_row_is_none() {
        for text in [
            "",
            "df: /data: No such file or directory",
            "Filesystem 1024-blocks Used Available Capacity Mounted on",
            "/dev/sdb 100 40 60 40%",
            "/dev/sdb 100 -40 60 40% /d",
            "/dev/sdb 99999999999999999999999 40 60 40% /d",
            "/dev/sdb 100 40 60 x% /d",
        ] {
            assert_eq!(parsed(text), None, "{text:?}");
        }
    }
}
