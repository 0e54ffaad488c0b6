//! The last file of a backup says how long each segment is and what its checksum is: holds a tar to
//! that, so that a transfer that was cut off or changed one bit is told apart from a damaged journal.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read},
    path::Path,
};

use super::{
    backup::CHECKSUMS_NAME,
    error::{Attempt, Error},
    header,
    open_backup::is_tar,
};

/// No backup has more segments than fit into this: a hundred bytes each, a million of them.
const CHECKSUMS_BYTES_MAX: u64 = 100 << 20;

/// A segment is read in pieces of this size.
const PIECE_BYTES: usize = 1 << 20;

/// A segment of a tar that is not as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Mismatch {
    /// The segment's name, or the tar's.
    pub name: String,
    /// What differs.
    pub what: String,
}

/// The length and the CRC-32 of a file in a tar.
type Sum = (u64, u32);

/// Compares the segments in a tar with its checksums; nothing to compare in anything else.
///
/// # Errors
/// The file cannot be read. That it ends too early is no error, but a mismatch.
pub fn checksum_mismatches(path: &Path) -> Result<Vec<Mismatch>, Error> {
    let about = std::fs::metadata(path).attempting("opening", path)?;
    if about.is_dir() || !is_tar(path).attempting("reading", path)? {
        return Ok(Vec::new());
    }
    sums(path).attempting("reading", path).map(|(found, told)| mismatches(path, &found, told))
}

/// What the segments in a tar add up to, and what its checksums tell, if the transfer got that far.
fn sums(path: &Path) -> io::Result<(HashMap<String, Sum>, Option<String>)> {
    let mut archive = tar::Archive::new(File::open(path)?);
    let (mut found, mut told) = (HashMap::new(), None);
    for entry in archive.entries()? {
        // A tar that was cut off ends in something that is no entry.
        let Ok(mut entry) = entry else { break };
        let name = entry.path()?.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name == CHECKSUMS_NAME {
            let mut text = String::new();
            let read = entry.by_ref().take(CHECKSUMS_BYTES_MAX).read_to_string(&mut text);
            told = read.is_ok().then_some(text);
        } else if header::is_segment_name(&name) {
            found.insert(name, sum(&mut entry)?);
        }
    }
    Ok((found, told))
}

fn sum(entry: &mut impl Read) -> io::Result<Sum> {
    let mut hasher = crc32fast::Hasher::new();
    let mut piece = vec![0; PIECE_BYTES];
    let mut len = 0;
    loop {
        match entry.read(&mut piece) {
            Ok(0) => return Ok((len, hasher.finalize())),
            Ok(count) => {
                hasher.update(&piece[..count]);
                len += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn mismatches(path: &Path, found: &HashMap<String, Sum>, told: Option<String>) -> Vec<Mismatch> {
    let whole = |what: &str| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        vec![Mismatch { name, what: what.to_owned() }]
    };
    let Some(told) = told else {
        return whole("the tar ends before its checksums: the transfer was cut off; resume it");
    };
    let mut mismatches = Vec::new();
    for line in told.lines() {
        let Some((sum, name)) = parse(line) else {
            return whole("the checksums are no list of segments: download it again");
        };
        let what = match found.get(name) {
            None => "is missing".to_owned(),
            Some((len, _)) if *len != sum.0 => format!("has {len} bytes, not {}", sum.0),
            Some((_, crc)) if *crc != sum.1 => {
                format!("has the checksum {crc:08x}, not {:08x}: it was changed on the way", sum.1)
            }
            Some(_) => continue,
        };
        mismatches.push(Mismatch { name: name.to_owned(), what });
    }
    mismatches
}

fn parse(line: &str) -> Option<(Sum, &str)> {
    let mut parts = line.split_whitespace();
    let crc = u32::from_str_radix(parts.next()?, 16).ok()?;
    let len = parts.next()?.parse().ok()?;
    Some(((len, crc), parts.next()?))
}
