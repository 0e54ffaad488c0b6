//! Every checksum and every sequence number of a journal, looked at once.

use super::{
    account::{Account, Holding},
    error::{Attempt, Error},
    reader::Reader,
    recovery::Damaged,
    survey::Survey,
};

/// What a journal holds and what it lacks.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Verification {
    /// Segments that were read.
    pub segments: u64,
    /// Records whose checksums hold, of every sort.
    pub records: u64,
    /// Places that are no record, or whose checksum does not hold.
    pub damaged: Vec<Damaged>,
    /// Every sequence number, accounted for.
    pub account: Account,
}

impl Reader {
    /// Reads everything up to the present end. Takes as long as reading that many bytes.
    ///
    /// # Errors
    /// A segment cannot be read.
    pub fn verify(&self) -> Result<Verification, Error> {
        let state = self.state();
        let mut verification = Verification::default();
        let mut holdings = Vec::with_capacity(state.segments.len());
        for segment in state.segments.iter() {
            let surveyed = Survey::of(segment.walk(0));
            let survey = surveyed.attempting("verifying", &segment.path)?;
            verification.segments += 1;
            verification.records += survey.records;
            for damage in &survey.damaged {
                segment.note_damage(damage.offset);
                verification.damaged.push(Damaged {
                    segment: segment.name.clone(),
                    offset: damage.offset,
                    what: damage.what.clone(),
                });
            }
            holdings.push((segment.header, Holding::surveyed(&survey)));
        }
        verification.account = Account::of(&holdings);
        Ok(verification)
    }
}
