//! Opens a journal that a recorder may be appending to, rotating or wiping meanwhile.

use std::{path::Path, thread, time::Duration};

use crate::journal::{Error, Reader, Recovery};

/// A directory is looked at so often: what is there each time is no passing state.
pub const LOOKS: u32 = 3;

/// Between two looks at a directory: longer than the write of a batch.
const PAUSE: Duration = Duration::from_millis(200);

/// Opens a directory, one segment or a tar. All the files that were listed in a directory may be
/// gone when they are opened, since a wipe came between: then it is listed again.
///
/// # Errors
/// It cannot be read, or is no journal.
pub fn open(path: &Path) -> Result<(Reader, Recovery), Error> {
    let mut looks = 1;
    loop {
        match Reader::open(path) {
            Err(_) if path.is_dir() && looks < LOOKS => looks += 1,
            other => return other,
        }
        pause();
    }
}

/// Waits until what was under way has passed.
pub fn pause() {
    thread::sleep(PAUSE);
}

/// Says that what was read had holes, where a reading passed over damaged places.
pub fn tell_damage(reader: &Reader) {
    let damaged: u64 = reader.segments().iter().map(|segment| segment.damaged).sum();
    if damaged > 0 {
        eprintln!("{damaged} damaged places were passed over; `journal verify` says what is lost");
    }
}
