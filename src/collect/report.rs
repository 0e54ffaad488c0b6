//! What a collector tells: its observations, and about itself whether it is up, down, or deaf.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use super::outlet::{Outlet, Refused, Stopped};
use crate::event::{Event, Extensions, Gap, Listed, Millis, Observation, SourceState, State, now};

/// Counts of malformed and unknown messages are told after this time at first, then less and less
/// often: a peer that sends nothing else must not fill the journal with counts.
const COUNTS_INTERVAL_MIN: Duration = Duration::from_secs(1);
const COUNTS_INTERVAL_MAX: Duration = Duration::from_secs(60);

/// So many sorts of unknown messages are counted by name, the rest together.
const UNKNOWN_NAMES_MAX: usize = 20;
const OTHER_NAMES: &str = "others";

/// Where one source tells everything. Tags what it sends with the generation that it belongs to.
pub struct Report {
    name: Arc<str>,
    outlet: Outlet,
    generation: u64,
    /// The last state that was sent; `None` before the first one of this generation.
    told: Option<SourceState>,
    /// Everything before was observed; `None` where nothing ever was.
    heard_until: Option<Millis>,
    /// Why the source was last not observed.
    trouble: String,
    malformed: u64,
    last_malformed: String,
    unknown: BTreeMap<String, u64>,
    counts_changed: bool,
    counts_told: Option<Instant>,
    counts_interval: Duration,
}

impl Report {
    /// A report that continues what was recorded until `heard_until`.
    pub fn new(name: impl Into<Arc<str>>, outlet: Outlet, heard_until: Option<Millis>) -> Report {
        Report {
            name: name.into(),
            generation: outlet.generation(),
            outlet,
            told: None,
            heard_until,
            trouble: "the recorder was not running".into(),
            malformed: 0,
            last_malformed: String::new(),
            unknown: BTreeMap::new(),
            counts_changed: false,
            counts_told: None,
            counts_interval: COUNTS_INTERVAL_MIN,
        }
    }

    /// Begins again in the present generation: what was told before may be lost.
    pub fn start_over(&mut self) {
        self.generation = self.outlet.generation();
        self.told = None;
        self.heard_until = None;
    }

    /// Waits for the next generation; does not borrow the report.
    pub fn generation_changed(&self) -> impl Future<Output = Result<u64, Stopped>> + Send + use<> {
        self.outlet.clone().generation_after(self.generation)
    }

    /// Everything before was observed; `None` where nothing ever was.
    pub fn heard_until(&self) -> Option<Millis> {
        self.heard_until
    }

    /// Notes that everything before `until` was observed.
    pub fn heard(&mut self, until: Millis) {
        self.heard_until = Some(until);
    }

    /// Tells that the first attempt is under way, unless more is known.
    ///
    /// # Errors
    /// The recorder has stopped.
    pub async fn connecting(&mut self) -> Result<(), Stopped> {
        if self.told.is_none() {
            self.tell(State::Connecting, "", now(), vec![]).await?;
        }
        Ok(())
    }

    /// Tells that the source is observed from now on, after the gap in which it was not.
    ///
    /// # Errors
    /// The recorder has stopped.
    pub async fn up(&mut self) -> Result<(), Stopped> {
        self.up_since(now()).await
    }

    /// Tells that the source is observed from now on; what was missed meanwhile is explained.
    ///
    /// # Errors
    /// The recorder has stopped.
    pub async fn up_again(&mut self, explained: &str) -> Result<(), Stopped> {
        if self.is_up() {
            return Ok(());
        }
        self.trouble = format!("{}; {explained}", self.trouble);
        self.up().await
    }

    /// Tells that the source has been observed since some moment before now.
    ///
    /// # Errors
    /// The recorder has stopped.
    pub async fn up_since(&mut self, since: Millis) -> Result<(), Stopped> {
        if self.is_up() {
            return Ok(());
        }
        // One moment for both: the next gap may begin where this state does, and what was lost
        // between two moments would lie in neither gap.
        let gap = self.gap(since, &self.trouble);
        self.tell(State::Up, "", since, gap.into_iter().collect()).await
    }

    /// Tells that the source is observed, but for what the note says; it is empty where all of it is.
    ///
    /// # Errors
    /// The recorder has stopped.
    pub async fn up_except(&mut self, note: &str) -> Result<(), Stopped> {
        let at = now();
        let gap = if self.is_up() { None } else { self.gap(at, &self.trouble) };
        self.tell(State::Up, note, at, gap.into_iter().collect()).await
    }

    /// Tells that the source is not observed, and why.
    ///
    /// # Errors
    /// The recorder has stopped.
    pub async fn not_observed(&mut self, state: State, reason: &str) -> Result<(), Stopped> {
        reason.clone_into(&mut self.trouble);
        self.tell(state, reason, now(), vec![]).await
    }

    /// Whether the source was told to be up.
    pub fn is_up(&self) -> bool {
        self.told.as_ref().is_some_and(|told| told.state == State::Up)
    }

    /// The gap from when the source was last heard; `None` where it never was.
    pub fn gap(&self, to: Millis, reason: &str) -> Option<Event> {
        let from = self.heard_until?.min(to);
        Some(self.gap_between(from, to, reason, None))
    }

    /// A gap; `dropped` where it is known how many records it cost.
    pub fn gap_between(
        &self,
        from: Millis,
        to: Millis,
        reason: &str,
        dropped: Option<u64>,
    ) -> Event {
        let (source, reason) = (self.name.to_string(), reason.to_owned());
        Event::Gap(Gap { source, reason, from, to, dropped, ext: Extensions::default() })
    }

    /// Whether what is sent is redacted.
    pub fn is_redacting(&self) -> bool {
        self.outlet.is_redacting()
    }

    /// Sends observations, and waits while the recorder is busy.
    ///
    /// # Errors
    /// The recorder has stopped.
    pub async fn send(&self, events: Vec<Event>) -> Result<(), Stopped> {
        if events.is_empty() {
            return Ok(());
        }
        self.outlet.send(self.generation, Observation::Events(events)).await
    }

    /// Sends the end of a list, and waits while the recorder is busy.
    ///
    /// # Errors
    /// The recorder has stopped.
    pub async fn send_listed(&self, listed: Listed) -> Result<(), Stopped> {
        self.outlet.send(self.generation, Observation::Listed(listed)).await
    }

    /// Sends observations at once, or gives them back.
    ///
    /// # Errors
    /// The recorder has stopped.
    pub fn try_send(&self, events: Vec<Event>) -> Result<Option<Vec<Event>>, Stopped> {
        match self.outlet.try_send(self.generation, Observation::Events(events)) {
            Ok(()) => Ok(None),
            Err(Refused::Full(Observation::Events(events))) => Ok(Some(events)),
            Err(Refused::Full(Observation::Listed(_))) => unreachable!("no list was sent"),
            Err(Refused::Stopped) => Err(Stopped),
        }
    }

    /// Counts a message that could not be understood.
    pub fn malformed(&mut self, what: String) {
        self.malformed += 1;
        self.last_malformed = what;
        self.counts_changed = true;
    }

    /// Counts a message of a sort that this version does not know.
    pub fn unknown(&mut self, name: String) {
        let has_room = self.unknown.len() < UNKNOWN_NAMES_MAX || self.unknown.contains_key(&name);
        let name = if has_room { name } else { OTHER_NAMES.into() };
        *self.unknown.entry(name).or_default() += 1;
        self.counts_changed = true;
    }

    /// The state with the present counts, if they changed and it is time to tell them.
    pub fn malformed_due(&mut self) -> Option<Event> {
        let is_due = self.counts_told.is_none_or(|at| at.elapsed() >= self.counts_interval);
        if !self.counts_changed || !is_due {
            return None;
        }
        let mut told = self.told.clone()?;
        if self.counts_told.replace(Instant::now()).is_some() {
            self.counts_interval = (self.counts_interval * 2).min(COUNTS_INTERVAL_MAX);
        }
        self.count_in(&mut told);
        self.told = Some(told.clone());
        Some(Event::SourceState(told))
    }

    fn count_in(&mut self, state: &mut SourceState) {
        state.malformed = self.malformed;
        state.last_malformed.clone_from(&self.last_malformed);
        if !self.unknown.is_empty() {
            let counts: serde_json::Value = self.unknown.clone().into_iter().collect();
            state.ext = Extensions(Some([(SourceState::UNKNOWN.to_owned(), counts)].into()));
        }
        self.counts_changed = false;
    }

    async fn tell(
        &mut self,
        state: State,
        reason: &str,
        at: Millis,
        mut before: Vec<Event>,
    ) -> Result<(), Stopped> {
        let since = match &self.told {
            Some(told) if told.state == state && told.reason == reason => return Ok(()),
            Some(told) if told.state == state => told.since,
            _ => at,
        };
        let mut told = SourceState {
            name: self.name.to_string(),
            state,
            reason: reason.into(),
            since,
            malformed: 0,
            last_malformed: String::new(),
            ext: Extensions::default(),
        };
        self.count_in(&mut told);
        tracing::info!(source = &*self.name, state = state.as_str(), reason);
        before.push(Event::SourceState(told.clone()));
        self.send(before).await?;
        self.told = Some(told);
        Ok(())
    }
}
