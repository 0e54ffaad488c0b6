//! Follows a directory that another process appends to: what was appended since the last look, also
//! past the end of a segment, a retirement and a wipe. Takes no lock, writes nothing.
//!
//! A batch may be looked at while it is being written. What cannot be read at the end of the newest
//! segment is therefore looked at again before it is taken for damage.

use std::{
    io,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    catalog::{Catalog, Found},
    error::{Attempt, Error},
    format::Salt,
    fs::{Disk, File, Fs},
    header,
    record::{Record, Seq},
    walk::{Step, Walk, Windows},
};

/// A place that could not be read is passed over after so many looks: no write takes that long.
const LOOKS_MAX: u32 = 50;

type Feed<'a> = dyn FnMut(Record<'_>) -> ControlFlow<()> + 'a;

/// Where a follower is in a directory.
#[derive(Debug)]
pub struct Follower {
    dir: PathBuf,
    at: Option<At>,
    last_seq: Seq,
}

/// What a look found beside events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Looked {
    /// The journal was wiped; it goes on in this epoch.
    pub wiped: Option<u64>,
    /// These events, both inclusive, were gone before they were looked at.
    pub missed: Option<(Seq, Seq)>,
    /// Places that were passed over, since they are damaged.
    pub damaged: u64,
}

/// A place in a segment.
#[derive(Debug)]
struct At {
    found: Found,
    file: Arc<dyn File>,
    offset: u64,
    /// How often this place was looked at in vain.
    looks: u32,
}

impl Follower {
    /// Begins behind the event `after`.
    pub fn new(dir: &Path, after: Seq) -> Follower {
        Follower { dir: dir.to_owned(), at: None, last_seq: after }
    }

    /// Feeds the events that were appended since the last look.
    ///
    /// # Errors
    /// The directory or a segment cannot be read now; a later look may find it again.
    pub fn look(&mut self, f: &mut Feed<'_>) -> Result<Looked, Error> {
        let mut looked = Looked::default();
        if self.at.is_none() {
            self.enter()?;
        }
        while let Some(at) = &mut self.at {
            let next = next_segment(&self.dir, &at.found)?;
            let read = at.read(next.as_ref(), &mut self.last_seq, &mut looked.damaged, f);
            if read.attempting("following", &at.found.candidate.path)?.is_break() {
                break;
            }
            let Some(next) = next else { break };
            self.pass_to(next, &mut looked)?;
        }
        Ok(looked)
    }

    /// The segment that the next event stands in, or will stand in.
    fn enter(&mut self) -> Result<(), Error> {
        let catalog = Catalog::of_dir(&Disk, &self.dir)?;
        let holding = |f: &&Found| f.header.base_seq <= self.last_seq.saturating_add(1);
        let mut segments = catalog.segments.iter();
        let found = segments.rfind(holding).or(catalog.segments.first());
        self.at = found.map(At::start_of).transpose()?;
        Ok(())
    }

    fn pass_to(&mut self, next: Found, looked: &mut Looked) -> Result<(), Error> {
        let header = next.header;
        if self.at.as_ref().is_some_and(|at| at.found.header.epoch != header.epoch) {
            looked.wiped = Some(header.epoch);
        } else if header.prev.last_seq > self.last_seq {
            looked.missed = Some((self.last_seq + 1, header.prev.last_seq));
        }
        self.last_seq = self.last_seq.max(header.prev.last_seq);
        self.at = Some(At::start_of(&next)?);
        Ok(())
    }
}

impl At {
    fn start_of(found: &Found) -> Result<At, Error> {
        Ok(At { found: found.clone(), file: found.open(&Disk)?, offset: 0, looks: 0 })
    }

    /// Feeds what stands from here on, up to where the next segment says that the data ends.
    fn read(
        &mut self,
        next: Option<&Found>,
        last_seq: &mut Seq,
        damaged: &mut u64,
        f: &mut Feed<'_>,
    ) -> io::Result<ControlFlow<()>> {
        let prev = next.map(|next| next.header.prev);
        let told = prev.filter(|prev| prev.salt == self.found.header.salt);
        let len = self.file.length()?.min(told.map_or(u64::MAX, |prev| prev.data_end));
        let windows = Windows::new(self.file.clone(), 0, len);
        let mut walk = Walk::new(windows, Salt::new(self.found.header.salt), self.offset);
        let is_final = next.is_some() || self.looks >= LOOKS_MAX;
        while is_final || !walk.is_blank()? {
            let to = match walk.next()? {
                Step::Frame(frame) => match walk.payload(&frame)? {
                    Some(payload) => {
                        let header = frame.header;
                        if header.is_event() && header.seq > *last_seq {
                            *last_seq = header.seq;
                            if f(header.record(payload)).is_break() {
                                return Ok(ControlFlow::Break(()));
                            }
                        }
                        frame.end()
                    }
                    None if is_final => {
                        *damaged += 1;
                        frame.end()
                    }
                    None => return Ok(self.look_again()),
                },
                Step::Damage { to, .. } if is_final => {
                    *damaged += 1;
                    to
                }
                Step::End { torn, .. } if is_final || !torn => {
                    self.looks = 0;
                    break;
                }
                Step::Damage { .. } | Step::End { .. } => return Ok(self.look_again()),
            };
            (self.offset, self.looks) = (to, 0);
        }
        Ok(ControlFlow::Continue(()))
    }

    fn look_again(&mut self) -> ControlFlow<()> {
        self.looks += 1;
        ControlFlow::Continue(())
    }
}

/// The segment behind this one, in the journal that goes on.
fn next_segment(dir: &Path, found: &Found) -> Result<Option<Found>, Error> {
    let is_later = |name: &str| header::is_segment_name(name) && *name > *found.candidate.name;
    // Most looks find no other name, and need not open every file.
    if !Disk.list(dir).attempting("listing", dir)?.iter().any(|entry| is_later(&entry.name)) {
        return Ok(None);
    }
    let later = |f: &Found| f.header.order() > found.header.order();
    Ok(Catalog::of_dir(&Disk, dir)?.segments.into_iter().find(later))
}
