//! The law of sequence numbers: recorded + lost + left out = last - first + 1. Pure arithmetic over
//! what segments hold and promise.

use super::{
    header::{Previous, SegmentHeader},
    record::Seq,
    survey::Survey,
};

/// Events that were given a number and cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Lost {
    /// The first of them.
    pub first_seq: Seq,
    /// The last of them.
    pub last_seq: Seq,
    /// They had been synced: this is a loss. Otherwise it is the tail that a power cut may take,
    /// which was never said to be durable.
    pub durable: bool,
}

/// What one segment contributes.
#[derive(Debug, Default)]
pub struct Holding {
    /// Readable events, as ranges of consecutive numbers.
    pub present: Vec<(Seq, Seq)>,
    /// The largest number in any header.
    pub last_seq: Seq,
    /// What it says is durable.
    pub durable_seq: Seq,
}

/// Every sequence number, accounted for.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Account {
    /// The oldest number.
    pub first_seq: Seq,
    /// The newest number; `first_seq - 1` where there is none.
    pub last_seq: Seq,
    /// Numbers of readable events.
    pub recorded: u64,
    /// Numbers that were left out on purpose.
    pub leapt: u64,
    /// Numbers that cannot be read.
    pub lost: Vec<Lost>,
    /// Everything up to here is said to be durable.
    pub durable_seq: Seq,
}

impl Holding {
    /// What a survey found.
    pub fn surveyed(survey: &Survey) -> Holding {
        Holding {
            present: survey.present.clone(),
            last_seq: survey.last_seq,
            durable_seq: survey.durable_seq,
        }
    }

    /// What the segment after it says of it.
    pub fn promised(header: &SegmentHeader, by: &Previous) -> Holding {
        let range = (header.base_seq, by.last_seq);
        Holding {
            present: if range.0 <= range.1 { vec![range] } else { Vec::new() },
            last_seq: by.last_seq,
            durable_seq: by.last_seq,
        }
    }
}

impl Account {
    /// Accounts for segments in order, the oldest first.
    pub fn of(segments: &[(SegmentHeader, Holding)]) -> Account {
        let Some((first, _)) = segments.first() else {
            return Account { first_seq: 1, ..Account::default() };
        };
        let promised = |(header, holding): &(SegmentHeader, Holding)| {
            header.prev.last_seq.max(holding.durable_seq)
        };
        let mut account = Account {
            first_seq: first.base_seq,
            last_seq: first.base_seq.saturating_sub(1),
            durable_seq: segments.iter().map(promised).max().unwrap_or(0),
            ..Account::default()
        };
        for (index, (header, holding)) in segments.iter().enumerate() {
            let next = segments.get(index + 1);
            let limit = next.map_or(Seq::MAX, |(next, _)| next.base_seq.saturating_sub(1));
            account.reach_segment(header);
            account.take(holding, limit);
        }
        account
    }

    /// Numbers between the last segment and this one: left out where the header says that the
    /// events before ended earlier, lost otherwise.
    fn reach_segment(&mut self, header: &SegmentHeader) {
        let before = header.base_seq.saturating_sub(1);
        let header_is_lost = header.prev == Previous::default() && header.created_ns == 0;
        if !header_is_lost {
            self.lose_to(header.prev.last_seq.min(before));
            self.leapt += before.saturating_sub(self.last_seq);
            self.last_seq = self.last_seq.max(before);
        }
        self.lose_to(before);
    }

    fn take(&mut self, holding: &Holding, limit: Seq) {
        for &(first, last) in &holding.present {
            let (first, last) = (first.max(self.last_seq + 1), last.min(limit));
            if first <= last {
                self.lose_to(first - 1);
                self.recorded += last - first + 1;
                self.last_seq = last;
            }
        }
        self.lose_to(holding.last_seq.min(limit));
    }

    /// Everything after the last number and up to `to` is lost.
    fn lose_to(&mut self, to: Seq) {
        let durable_to = to.min(self.durable_seq);
        for (last_seq, durable) in [(durable_to, true), (to, false)] {
            if last_seq > self.last_seq {
                self.lost.push(Lost { first_seq: self.last_seq + 1, last_seq, durable });
                self.last_seq = last_seq;
            }
        }
    }
}
