//! The segments of a catalog, mapped and accounted for. Only reads.

use std::{io, sync::Arc};

use super::{
    account::{Account, Holding},
    breadcrumb::{Breadcrumb, Care},
    catalog::{Catalog, Found, LeftAlone},
    fs::{File, Fs},
    header::{self, Previous},
    pages::Withheld,
    recovery::Recovery,
    segment::Segment,
    survey::{Damage, Survey},
};

/// The segments of a journal, as far as opening it needs to know them.
#[derive(Debug, Default)]
pub struct Loaded {
    pub segments: Vec<Arc<Segment>>,
    pub account: Account,
    /// The newest segment was closed in order.
    pub sealed: bool,
    /// The newest segment was not read: nobody knows what numbers it holds.
    pub newest_unknown: bool,
    pub recovery: Recovery,
}

impl Loaded {
    /// Maps every segment. The newest is read through, and so is one whose end no other tells. What
    /// cannot be read is reported and left alone.
    pub fn of(fs: &dyn Fs, catalog: Catalog, breadcrumb: &Breadcrumb) -> Loaded {
        let mut loaded = Loaded::default();
        loaded.recovery.left_alone = catalog.left_alone;
        let mut holdings = Vec::new();
        for (index, found) in catalog.segments.iter().enumerate() {
            let next = catalog.segments.get(index + 1);
            let read = loaded.load(fs, found, next.map(|next| &next.header.prev), breadcrumb);
            let holding = read.unwrap_or_else(|reason| {
                let name = found.candidate.name.clone();
                loaded.recovery.left_alone.push(LeftAlone { name, reason });
                loaded.newest_unknown = next.is_none();
                Holding::default()
            });
            holdings.push((found.header, holding));
        }
        loaded.recovery.segments = loaded.segments.len() as u64;
        loaded.account = Account::of(&holdings);
        loaded.recovery.lost.clone_from(&loaded.account.lost);
        loaded.recovery.durable_seq = loaded.account.durable_seq;
        loaded
    }

    /// Takes in one segment. The error is the reason to leave it alone.
    fn load(
        &mut self,
        fs: &dyn Fs,
        found: &Found,
        told: Option<&Previous>,
        breadcrumb: &Breadcrumb,
    ) -> Result<Holding, String> {
        let name = found.header.name();
        let care = breadcrumb.care(&name);
        if care == Care::Skip {
            self.recovery.skipped.push(name);
            return Err("the last two starts died while they read it".to_owned());
        }
        let with_error = |error: io::Error| format!("cannot be read: {error}");
        let file = fs.open(&found.candidate.path).map_err(with_error)?;
        let (end, holding, survey) = match told.filter(|told| ends_as_told(found, told)) {
            Some(told) => (told.data_end, Holding::promised(&found.header, told), None),
            None => {
                breadcrumb.enter(&name);
                let survey = Survey::of(found.walk(file.clone())).map_err(with_error)?;
                (survey.end, Holding::surveyed(&survey), Some(survey))
            }
        };
        let (segment, unreadable) = opened(found, &*file, end, care).map_err(with_error)?;
        segment.set_last_seq(holding.last_seq.max(segment.last_seq()));
        self.note(found, care, &unreadable);
        if let Some(survey) = survey {
            self.note_survey(found, &segment, survey);
        }
        self.recovery.bytes += segment.end();
        self.segments.push(Arc::new(segment));
        Ok(holding)
    }

    fn note(&mut self, found: &Found, care: Care, unreadable: &[Withheld]) {
        let name = found.header.name();
        if care == Care::Copy {
            self.recovery.read_with_care.push(name.clone());
        }
        let file_name = &found.candidate.name;
        if header::is_segment_name(file_name) && *file_name != name {
            self.recovery.misnamed.push(format!("{file_name} is {name}"));
        }
        if found.header_lost {
            let what = "both copies of the segment's header are damaged".to_owned();
            self.recovery.damaged.push(Damage { offset: 0, what }.of(&name));
        }
        self.note_unreadable(&name, unreadable);
    }

    fn note_unreadable(&mut self, segment: &str, unreadable: &[Withheld]) {
        for lacks in unreadable {
            self.recovery.unreadable_bytes += lacks.range.end - lacks.range.start;
            self.recovery.damaged.push(lacks.damage().of(segment));
        }
    }

    fn note_survey(&mut self, found: &Found, segment: &Segment, survey: Survey) {
        self.sealed = survey.sealed;
        let recovery = &mut self.recovery;
        recovery.records_checked += survey.records;
        recovery.torn_tail = survey.torn;
        recovery.must_understand.extend(survey.must_understand);
        for damage in survey.damaged {
            segment.note_damage(damage.offset);
            recovery.damaged.push(damage.of(&segment.name));
        }
        self.note_unreadable(&found.header.name(), &survey.withheld);
    }
}

/// Whether the segment after it says where this one ends, and the file reaches that far.
fn ends_as_told(found: &Found, told: &Previous) -> bool {
    told.salt == found.header.salt && told.data_end <= found.candidate.len
}

/// The segment as readers see it, with what of it could not be read on the way.
fn opened(
    found: &Found,
    file: &dyn File,
    end: u64,
    care: Care,
) -> io::Result<(Segment, Vec<Withheld>)> {
    let candidate = &found.candidate;
    let (path, place) = (candidate.path.clone(), (candidate.base, candidate.len));
    match care {
        Care::None => Ok((Segment::of_file(found.header, path, file, place, end)?, Vec::new())),
        _ => Segment::copied(found.header, path, file, place, end),
    }
}
