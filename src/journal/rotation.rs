//! From one segment to the next: seal, sync, build, name. Decides when; appends nothing.

use std::{path::Path, sync::Arc};

use super::{
    control::{Control, SEAL_BYTES, Seal},
    draft::{self, Committed, Draft, NEXT_NAME, Site},
    error::Error,
    format::{self, Header},
    header::{Previous, SegmentHeader},
    index,
    keymap::KeyMap,
    record::Seq,
    segment::Segment,
    sizes, spare,
    writer::{self, Writer},
};

/// Upper bits of a salt count the segments; these lower ones are random.
const SALT_RANDOM_BITS: u32 = 40;

/// What a new segment begins with.
pub(super) struct Start<'a> {
    pub epoch: u64,
    pub prev: Previous,
    pub base_seq: Seq,
    pub time_ns: i64,
    /// Room for so many bytes of events, beside those given here.
    pub room: u64,
    pub wipe: Option<Control>,
    pub living: &'a KeyMap,
    pub events: &'a [(Header, &'a [u8])],
}

impl Writer {
    /// Sees to it that the open segment can take `bytes` more.
    pub(super) fn make_room(&mut self, bytes: u64, time_ns: i64) -> Result<(), Error> {
        if let Some(open) = &mut self.open {
            open.unsure |= open.segment.is_broken();
            let end = open.segment.end() + bytes;
            let end = end + index::bytes_max(end) + SEAL_BYTES;
            // A leap stands where a segment begins.
            let in_order = self.next_seq == self.last_seq + 1;
            if in_order && !open.unsure && !open.is_due && end <= open.segment.header.capacity {
                return Ok(());
            }
            self.finish_segment()?;
        }
        if self.open.is_some() {
            // Its sync failed, and the segment that took over has its place already.
            return self.make_room(bytes, time_ns);
        }
        // Taken out for the time, since building a segment changes the writer as well.
        let living = std::mem::take(&mut self.living);
        let committed = self.start_segment(&Start {
            epoch: self.epoch,
            prev: self.prev,
            base_seq: self.next_seq,
            time_ns,
            room: bytes,
            wipe: None,
            living: &living,
            events: &[],
        });
        self.living = living;
        self.take_over(committed?, self.published_segments());
        Ok(())
    }

    /// Seals and syncs the open segment. Afterwards none is open, or the one that took over from
    /// a segment whose sync failed.
    pub(super) fn finish_segment(&mut self) -> Result<(), Error> {
        let Some(open) = &mut self.open else { return Ok(()) };
        if !open.unsure {
            let mut bytes = Vec::new();
            let (header, payload) = open.index.encode(self.last_seq, self.last_time_ns);
            format::push(&mut bytes, &header, &payload, open.segment.salt);
            let seal = Control::Seal(Seal {
                last_seq: self.last_seq,
                events: open.events,
                living: self.living.len(),
                state_hash: self.living.hash(),
                index_offset: open.segment.end(),
            });
            let (header, payload) = seal.encode(self.last_seq, self.last_time_ns);
            format::push(&mut bytes, &header, &payload, open.segment.salt);
            // A segment without a seal is read like one that a crash has ended.
            if open.write(&bytes).is_ok() {
                open.segment.extend(&bytes, self.last_seq);
            }
        }
        let segment = open.segment.clone();
        self.sync_once()?;
        if let Some(open) = self.open.take_if(|open| Arc::ptr_eq(&open.segment, &segment)) {
            self.prev = previous(&segment, self.last_seq);
            open.release_rest();
        }
        Ok(())
    }

    /// Builds a segment and puts it in its place. Nothing is published yet.
    pub(super) fn start_segment(&mut self, start: &Start<'_>) -> Result<Committed, Error> {
        let salt = self.next_salt()?;
        let site = self.site_for(start)?;
        let path = site.path.clone();
        let header = self.header_of(&site, salt, start);
        let built = self.build(site, header, start);
        if built.is_err() {
            // Its blocks may be what the volume lacks.
            draft::remove_quietly(&*self.fs, &path);
            self.leftover = Some(self.dir.join(header.name()));
            // Where it cannot be taken away now, nothing is recorded before it can.
            let _: Result<(), Error> = self.remove_leftover();
        }
        built
    }

    fn header_of(&self, site: &Site, salt: u64, start: &Start<'_>) -> SegmentHeader {
        SegmentHeader {
            journal_id: self.journal_id,
            epoch: start.epoch,
            base_seq: start.base_seq,
            salt,
            created_ns: start.time_ns,
            capacity: site.len,
            prev: start.prev,
            boot_id: self.boot_id,
        }
    }

    fn build(
        &self,
        site: Site,
        header: SegmentHeader,
        start: &Start<'_>,
    ) -> Result<Committed, Error> {
        let mut draft = Draft::new(site, header);
        let last_seq = start.prev.last_seq;
        if let Some(wipe) = &start.wipe {
            draft.control(wipe, last_seq)?;
        }
        draft.keyframe(start.living, last_seq)?;
        if start.base_seq > last_seq + 1 {
            draft.control(&Control::Leap { from: last_seq, to: start.base_seq }, last_seq)?;
        }
        for (header, payload) in start.events {
            draft.event(header, payload)?;
        }
        draft.commit(&*self.fs, &self.dir)
    }

    /// A file for a new segment.
    fn site_for(&mut self, start: &Start<'_>) -> Result<Site, Error> {
        let keyframe_bytes = start.living.frame_bytes();
        let event_bytes: u64 = start.events.iter().map(|(h, _)| h.frame_bytes()).sum();
        let other_bytes = start.room + event_bytes + wipe_bytes(start);
        let len = self.sizes.capacity(keyframe_bytes, other_bytes);
        let needed = sizes::needed(keyframe_bytes, other_bytes);
        if let Some(spare) = self.spare.take(needed.max(spare::len_min(len))) {
            return Ok(spare);
        }
        let allocated = sizes::allocation(keyframe_bytes + other_bytes, len);
        let create = |w: &Writer| Site::create(&*w.fs, w.dir.join(NEXT_NAME), len, allocated);
        create(self).or_else(|error| {
            // The volume has no room, or no patience. What was kept back is there already.
            if let Some(spare) = self.spare.take(needed) {
                return Ok(spare);
            }
            if self.spare.discard(&*self.fs)
                && let Ok(site) = create(self)
            {
                return Ok(site);
            }
            let reserve = start.wipe.is_some().then(|| self.reserve_for(needed)).flatten();
            reserve.ok_or(error)
        })
    }

    fn next_salt(&mut self) -> Result<u64, Error> {
        let salt = salt(self.segment_number + 1, &self.dir)?;
        self.segment_number += 1;
        Ok(salt)
    }

    pub(super) fn published_segments(&self) -> Vec<Arc<Segment>> {
        self.shared.state.load().segments.to_vec()
    }

    /// Goes on in a segment that was just put in its place, and publishes it behind `older` ones.
    pub(super) fn take_over(&mut self, committed: Committed, older: Vec<Arc<Segment>>) {
        let Committed { open, living, .. } = committed;
        self.marked_seq = open.segment.header.prev.last_seq;
        let mut segments = older;
        segments.push(open.segment.clone());
        self.living = living;
        self.open = Some(open);
        self.segments_started += 1;
        self.publish(Arc::new(segments));
    }
}

/// What the next segment says of this one.
pub(super) fn previous(segment: &Segment, last_seq: Seq) -> Previous {
    Previous { salt: segment.header.salt, last_seq, data_end: segment.end() }
}

/// A new salt for the segment that has this number in its journal.
pub(super) fn salt(segment_number: u64, dir: &Path) -> Result<u64, Error> {
    let low = u64::from_le_bytes(writer::random::<8>(dir)?) >> (u64::BITS - SALT_RANDOM_BITS);
    Ok(segment_number << SALT_RANDOM_BITS | low)
}

/// The number of the segment that has this salt.
pub(super) fn segment_number(salt: u64) -> u64 {
    salt >> SALT_RANDOM_BITS
}

fn wipe_bytes(start: &Start<'_>) -> u64 {
    let encoded = |wipe: &Control| format::frame_bytes(wipe.encode(0, 0).1.len());
    start.wipe.as_ref().map_or(0, encoded)
}
