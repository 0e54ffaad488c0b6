//! The segments of a catalog, mapped and accounted for. Only reads.

use std::{io, sync::Arc};

use super::{
    account::{Account, Holding},
    catalog::{Catalog, Found, LeftAlone},
    fs::Fs,
    header::Previous,
    recovery::{Damaged, Recovery},
    segment::Segment,
    survey::Survey,
};

/// The segments of a journal, as far as opening it needs to know them.
#[derive(Debug, Default)]
pub struct Loaded {
    pub segments: Vec<Arc<Segment>>,
    pub account: Account,
    /// The newest segment was closed in order.
    pub sealed: bool,
    /// The newest segment could not be read at all: nobody knows what numbers it holds.
    pub newest_unknown: bool,
    pub recovery: Recovery,
}

impl Loaded {
    /// Maps every segment. The newest is read through, and so is one whose end no other tells. What
    /// cannot be read is reported and left alone.
    pub fn of(fs: &dyn Fs, catalog: Catalog) -> Loaded {
        let mut loaded = Loaded::default();
        loaded.recovery.left_alone = catalog.left_alone;
        let mut holdings = Vec::new();
        for (index, found) in catalog.segments.iter().enumerate() {
            let next = catalog.segments.get(index + 1);
            match loaded.load(fs, found, next.map(|next| &next.header.prev)) {
                Ok((segment, holding)) => {
                    loaded.recovery.bytes += segment.end();
                    loaded.segments.push(Arc::new(segment));
                    holdings.push((found.header, holding));
                }
                Err(error) => {
                    let reason = format!("cannot be read: {error}");
                    let name = found.candidate.name.clone();
                    loaded.recovery.left_alone.push(LeftAlone { name, reason });
                    loaded.newest_unknown = next.is_none();
                    holdings.push((found.header, Holding::default()));
                }
            }
        }
        loaded.recovery.segments = loaded.segments.len() as u64;
        loaded.account = Account::of(&holdings);
        loaded.recovery.lost.clone_from(&loaded.account.lost);
        loaded
    }

    fn load(
        &mut self,
        fs: &dyn Fs,
        found: &Found,
        told: Option<&Previous>,
    ) -> io::Result<(Segment, Holding)> {
        let candidate = &found.candidate;
        let file = fs.open(&candidate.path)?;
        let told = told.filter(|p| p.salt == found.header.salt && p.data_end <= candidate.len);
        let place = (candidate.base, candidate.len);
        let path = candidate.path.clone();
        let (segment, holding) = match told {
            Some(prev) => {
                let segment = Segment::of_file(found.header, path, &*file, place, prev.data_end)?;
                (segment, Holding::promised(&found.header, prev))
            }
            None => {
                let survey = Survey::of(found.walk(file.clone()))?;
                let segment = Segment::of_file(found.header, path, &*file, place, survey.end)?;
                self.note(found, &segment, &survey);
                (segment, Holding::surveyed(&survey))
            }
        };
        segment.set_last_seq(holding.last_seq.max(segment.last_seq()));
        Ok((segment, holding))
    }

    fn note(&mut self, found: &Found, segment: &Segment, survey: &Survey) {
        let recovery = &mut self.recovery;
        recovery.records_checked += survey.records;
        recovery.torn_tail = survey.torn;
        self.sealed = survey.sealed;
        let name = &found.candidate.name;
        let mut damaged = |offset, what| {
            recovery.damaged.push(Damaged { segment: name.clone(), offset, what });
        };
        if found.header_lost {
            damaged(0, "both copies of the segment's header are damaged".to_owned());
        }
        for damage in &survey.damaged {
            segment.note_damage(damage.offset);
            damaged(damage.offset, damage.what.clone());
        }
    }
}
