//! Which events a tool is asked for.

use clap::Args;

use super::{Moment, show::Decoded};
use crate::{
    event::{Key, Level, WORDS, kind_of},
    journal::{Range, Reader, Record, Seq, Text},
};

/// Which events.
#[derive(Debug, Clone, Default, Args)]
pub struct FilterArgs {
    /// Only events after this number.
    #[arg(long, value_name = "SEQ")]
    pub after: Option<Seq>,
    /// Only events before this number.
    #[arg(long, value_name = "SEQ")]
    pub before: Option<Seq>,
    /// From this event or time on, inclusive: a number, or a time such as 2026-01-31T06:12:03Z.
    #[arg(long, value_name = "SEQ|TIME")]
    pub from: Option<Moment>,
    /// Up to this event or time, inclusive.
    #[arg(long, value_name = "SEQ|TIME")]
    pub to: Option<Moment>,
    /// Only events of these kinds, for example log_line,gap or 0x0120.
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = parse_kind)]
    pub kind: Vec<u16>,
    /// Only the entity with this key, 16 hex digits.
    #[arg(long, value_name = "HEX", value_parser = parse_key)]
    pub key: Option<u64>,
    /// Only the cluster object with this uid.
    #[arg(long, conflicts_with = "key")]
    pub uid: Option<String>,
    /// Only log lines and cluster events of this level or worse: error, warn, info, debug or trace.
    #[arg(long, value_parser = parse_level)]
    pub level: Option<Level>,
    /// Only events whose line contains this, in any case.
    #[arg(long = "q", value_name = "TEXT", value_parser = parse_text)]
    pub text: Option<Text>,
}

fn parse_text(text: &str) -> Result<Text, String> {
    Text::new(text).ok_or_else(|| "is empty, or too long to search for".to_owned())
}

fn parse_kind(word: &str) -> Result<u16, String> {
    let number = word.strip_prefix("0x").and_then(|hex| u16::from_str_radix(hex, 16).ok());
    number.or_else(|| kind_of(word)).ok_or_else(|| {
        let words: Vec<&str> = WORDS.iter().map(|(_, word)| *word).collect();
        format!("is none of {}", words.join(", "))
    })
}

fn parse_key(hex: &str) -> Result<u64, String> {
    u64::from_str_radix(hex, 16).map_err(|_| "is no key: 16 hex digits".to_owned())
}

fn parse_level(word: &str) -> Result<Level, String> {
    Level::parse(word).ok_or_else(|| "is none of error, warn, info, debug, trace".to_owned())
}

/// The events that are wanted of one journal.
#[derive(Debug)]
pub struct Filter {
    /// Exclusive.
    pub after: Seq,
    /// Exclusive.
    pub before: Seq,
    kinds: Vec<u16>,
    key: Option<u64>,
    /// Empty for all.
    classes: Vec<u8>,
    text: Option<Text>,
}

impl Filter {
    /// Finds the numbers that belong to the times.
    pub fn new(args: &FilterArgs, reader: &Reader) -> Filter {
        let from = args.from.map_or(0, |from| from.first(reader).saturating_sub(1));
        let to = args.to.map_or(Seq::MAX, |to| to.last(reader).saturating_add(1));
        Filter {
            after: args.after.unwrap_or(0).max(from),
            before: args.before.unwrap_or(Seq::MAX).min(to),
            kinds: args.kind.clone(),
            key: args.key.or_else(|| args.uid.as_deref().map(|uid| Key::object(uid).0)),
            classes: args.level.map_or(Vec::new(), |level| (1..=level as u8).collect()),
            text: args.text.clone(),
        }
    }

    /// What the journal itself can look for.
    pub fn range(&self) -> Range<'_> {
        Range {
            after: self.after,
            before: self.before,
            kinds: &self.kinds,
            classes: &self.classes,
            key: self.key,
            ..Range::ALL
        }
    }

    /// What a wanted record decodes to; `None` for one that is not wanted. Nothing is decoded that
    /// its header turns away.
    pub fn wanted(&self, record: &Record<'_>) -> Option<Decoded> {
        let is_wanted = (self.kinds.is_empty() || self.kinds.contains(&record.kind))
            && (self.classes.is_empty() || self.classes.contains(&record.class))
            && self.key.is_none_or(|key| key == record.key);
        let decoded = is_wanted.then(|| Decoded::of(record))?;
        let text_fits = self.text.as_ref().is_none_or(|text| text.is_in(decoded.text().as_bytes()));
        text_fits.then_some(decoded)
    }
}
