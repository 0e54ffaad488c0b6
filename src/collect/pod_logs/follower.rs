//! Follows the log of one container, over its restarts, until its pod is gone.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc, watch},
    time::{Instant, Interval, sleep, sleep_until, timeout},
};

use super::{
    PodLogs,
    failure::Error,
    place::{Line, Place},
    pods::{Container, Run},
    reading::{Ask, Next, Reading},
    shape::Shaper,
    stamp::{self, SECOND_NS, StampNs},
};
use crate::{
    cluster::Cluster,
    collect::pace::Pace,
    event::{Event, Extensions, Gap, LogLine, Millis, PodLogPosition, now},
};

/// Lines go to the recorder at most so much later than they came: each time costs one more record,
/// of how far the log was read.
const GATHER_TIME: Duration = Duration::from_millis(200);

/// Or as soon as there are so many.
const GATHERED_LINES_MAX: usize = 512;

/// Or so many bytes.
const GATHERED_BYTES_MAX: usize = 256 << 10;

/// The log of a run that has ended, or of a pod that is gone, has its end within so much time.
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// That a log cannot be read is told again at most this often.
const TROUBLE_TOLD_INTERVAL: Duration = Duration::from_secs(60);

/// The last lines of the run before are tried to be read so often.
const PREVIOUS_ATTEMPTS: u32 = 3;

/// What the followers of a selection share.
pub struct Shared {
    /// The selection.
    pub selection: PodLogs,
    /// The name of the source.
    pub source: String,
    /// The cluster.
    pub cluster: Cluster,
    /// How fast.
    pub pace: Pace,
    /// Whether what is told is redacted.
    pub is_redacting: bool,
    /// From when on logs are read that were never read before.
    pub reach_ns: StampNs,
    /// How many logs may be read at once.
    pub permits: Arc<Semaphore>,
    /// How many wait for that.
    pub crowded: AtomicU64,
    /// One connection is opened at each tick.
    pub opening: Mutex<Interval>,
}

/// What a follower tells.
#[derive(Debug)]
pub enum Told {
    /// A log was opened.
    Opened,
    /// Lines and gaps, and how far the log is read with them.
    Read(Vec<Event>, Option<PodLogPosition>),
    /// A line that is none.
    Odd(String),
    /// A log could not be opened.
    Failed(Error),
}

/// Why a follower ends: nobody listens.
struct Closed;

/// How the reading of a log ended.
enum Ended {
    /// The log has an end, and it was reached.
    Whole,
    /// The container's state asks for something else.
    Changed,
    /// It failed.
    Failed(Error),
}

/// A stretch in which a log cannot be read.
struct Trouble {
    since: Instant,
    /// Everything before was read.
    from: Millis,
    told: Option<Instant>,
}

/// Follows one container.
pub struct Follower {
    shared: Arc<Shared>,
    told: mpsc::Sender<Told>,
    state: watch::Receiver<Container>,
    position: PodLogPosition,
    shaper: Shaper,
    /// From when on a log without a place is read, seconds since 1970.
    since_second: Option<i64>,
    restarts: Option<u64>,
    trouble: Option<Trouble>,
    back_off: Duration,
    /// The end of the present run was reached.
    is_whole: bool,
}

impl Follower {
    /// Goes on from a position, whose run is empty for a container that was never read.
    pub fn new(
        shared: Arc<Shared>,
        told: mpsc::Sender<Told>,
        state: watch::Receiver<Container>,
        position: PodLogPosition,
    ) -> Follower {
        let back_off = shared.pace.retry_first;
        Follower {
            shaper: Shaper::new(shared.is_redacting),
            is_whole: position.ended,
            shared,
            told,
            state,
            position,
            since_second: None,
            restarts: None,
            trouble: None,
            back_off,
        }
    }

    /// Follows until the pod is gone, or until nobody listens.
    pub async fn run(mut self) {
        // Nobody listens: there is nobody to tell.
        let _ = self.follow().await;
    }

    async fn follow(&mut self) -> Result<(), Closed> {
        loop {
            let state = self.state.borrow_and_update().clone();
            let is_gone = self.state.has_changed().is_err();
            if !is_gone {
                match self.step(&state).await? {
                    Some(Ended::Whole) if self.position.ended => {}
                    Some(Ended::Whole) => self.pause(self.shared.pace.watch_min).await,
                    Some(Ended::Changed) => continue,
                    Some(Ended::Failed(error)) => self.wait_after(error).await?,
                    None => {}
                }
                if !self.is_idle() {
                    continue;
                }
            }
            if is_gone || self.state.changed().await.is_err() {
                return self.gone().await;
            }
        }
    }

    /// Whether there is nothing to read until the state changes.
    fn is_idle(&self) -> bool {
        let state = self.state.borrow();
        state.run.as_ref().is_none_or(|run| run.id == self.position.run && self.position.ended)
    }

    /// Reads what the state says that there is.
    async fn step(&mut self, state: &Container) -> Result<Option<Ended>, Closed> {
        let Some(run) = &state.run else { return Ok(None) };
        if run.id != self.position.run {
            self.turn_over(state, run).await?;
        } else if self.position.ended {
            return Ok(None);
        }
        let ended = self.read(run, false).await?;
        if matches!(ended, Ended::Whole) && run.has_ended {
            self.position.ended = true;
            self.send(vec![]).await?;
        }
        Ok(Some(ended))
    }

    /// Another run than the one that was read: what is left of that one, and of one between the two.
    async fn turn_over(&mut self, state: &Container, run: &Run) -> Result<(), Closed> {
        let is_first = self.position.run.is_empty();
        let previous = state.previous.as_ref();
        let is_next = previous.is_some_and(|previous| previous.id == self.position.run);
        if !is_first && !self.position.ended && !is_next {
            let told = "it was restarted more than once meanwhile, and the end of the log of the run \
                        that was read is not there any more";
            self.send_gap(self.read_until(), told).await?;
        }
        let reach_ns = self.shared.reach_ns;
        let is_in_reach = |run: &Run| run.ended_ns.is_none_or(|ended_ns| ended_ns >= reach_ns);
        if let Some(previous) = previous
            && !(is_next && self.position.ended)
            && (!is_first || is_in_reach(previous))
        {
            if !is_next {
                self.enter(previous, is_first);
            }
            self.read_previous(previous).await?;
        }
        let known = self.restarts.replace(state.restarts);
        if known.is_some_and(|known| state.restarts > known + 2) {
            let told = format!("it was restarted {} times meanwhile", state.restarts);
            self.send_gap(self.read_until(), &told).await?;
        }
        self.enter(run, is_first);
        Ok(())
    }

    /// Begins with a run; one that was running long before anybody looked is not read from its
    /// beginning.
    fn enter(&mut self, run: &Run, is_first: bool) {
        let reach_ns = self.shared.reach_ns;
        let is_old = run.started_ns.is_none_or(|started_ns| started_ns < reach_ns);
        self.since_second = (is_first && is_old).then_some(reach_ns.div_euclid(SECOND_NS));
        self.position.run = run.id.clone();
        (self.position.stamp_ns, self.position.of_stamp, self.position.check) = (0, 0, 0);
        self.position.ended = false;
        self.is_whole = false;
        self.shaper = Shaper::new(self.shared.is_redacting);
    }

    async fn read_previous(&mut self, run: &Run) -> Result<(), Closed> {
        if !self.shared.selection.previous {
            let told = "the end of the log of the run before the restart was not read: `previous` \
                        is switched off";
            return self.send_gap(self.read_until(), told).await;
        }
        for attempt in 1.. {
            let (explained, is_hopeless) = match self.read(run, true).await? {
                Ended::Whole => return Ok(()),
                Ended::Changed => ("it did not come to its end".into(), false),
                Ended::Failed(error) => {
                    (error.to_string(), matches!(error.code(), Some(400 | 403 | 404)))
                }
            };
            if is_hopeless || attempt >= PREVIOUS_ATTEMPTS {
                let told = format!(
                    "the end of the log of the run before the restart could not be read: \
                     {explained}"
                );
                return self.send_gap(self.read_until(), &told).await;
            }
            sleep(self.back_off).await;
        }
        Ok(())
    }

    fn place(&self) -> Option<Place> {
        let PodLogPosition { stamp_ns, of_stamp, check, .. } = self.position;
        (stamp_ns != 0).then_some(Place { stamp_ns, of_stamp, check })
    }

    /// Until when the log is read.
    fn read_until(&self) -> Millis {
        match self.position.stamp_ns {
            0 => now(),
            stamp_ns => stamp::millis(stamp_ns),
        }
    }

    /// Reads the log of a run from where it was left.
    async fn read(&mut self, run: &Run, previous: bool) -> Result<Ended, Closed> {
        let Some(_permit) = self.permit().await else { return Ok(Ended::Changed) };
        let shared = Arc::clone(&self.shared);
        let place = self.place();
        let position = self.position.clone();
        let ask = Ask {
            namespace: &position.namespace,
            pod: &position.pod,
            container: &position.container,
            previous,
            follow: !previous && !run.has_ended,
            since_second: place.map(|place| place.since_second()).or(self.since_second),
        };
        match ask.open(&shared.cluster, place).await {
            Ok(reading) => {
                self.tell(Told::Opened).await?;
                self.read_on(reading, run, previous).await
            }
            Err(error) => Ok(Ended::Failed(error)),
        }
    }

    /// Waits for the right to open one more connection; `None` where the state changed meanwhile.
    async fn permit(&mut self) -> Option<OwnedSemaphorePermit> {
        let permits = Arc::clone(&self.shared.permits);
        let permit = match Arc::clone(&permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                self.shared.crowded.fetch_add(1, Ordering::Relaxed);
                let permit = tokio::select! {
                    permit = permits.acquire_owned() => permit.ok(),
                    _ = self.state.changed() => None,
                };
                self.shared.crowded.fetch_sub(1, Ordering::Relaxed);
                permit?
            }
        };
        self.shared.opening.lock().await.tick().await;
        Some(permit)
    }

    async fn read_on(
        &mut self,
        mut reading: Reading,
        run: &Run,
        previous: bool,
    ) -> Result<Ended, Closed> {
        let mut gathered = Gathered::default();
        let mut heard = Instant::now();
        let mut state = self.state.clone();
        let (mut is_draining, mut is_gone) = (false, false);
        let ended = loop {
            let flush_at = gathered.since.unwrap_or(heard) + GATHER_TIME;
            tokio::select! {
                biased;
                _ = sleep_until(flush_at), if gathered.is_due() => {
                    self.flush(&mut gathered).await?;
                }
                next = reading.next() => {
                    heard = Instant::now();
                    match next {
                        Ok(Next::Lines(lines)) => self.gather(lines, &mut gathered),
                        Ok(Next::Broken(lines)) => self.broken(lines, &mut gathered),
                        Ok(Next::Odd(odd)) => self.tell(Told::Odd(odd)).await?,
                        Ok(Next::End) => break Ended::Whole,
                        Ok(Next::Quiet) => break Ended::Changed,
                        Err(error) => break Ended::Failed(error),
                    }
                    if gathered.is_full() {
                        self.flush(&mut gathered).await?;
                    }
                }
                changed = state.changed(), if !is_gone && !previous => {
                    is_gone = changed.is_err();
                    is_draining = is_gone || state.borrow_and_update().run.as_ref() != Some(run);
                }
                () = sleep_until(heard + DRAIN_TIME), if is_draining => break Ended::Changed,
            }
        };
        self.flush(&mut gathered).await?;
        if !previous {
            self.is_whole = matches!(ended, Ended::Whole);
        }
        if !matches!(ended, Ended::Failed(_)) {
            self.well();
        }
        Ok(ended)
    }

    fn gather(&mut self, lines: Vec<Line>, gathered: &mut Gathered) {
        for line in lines {
            let place = Place::after(self.place(), &line);
            let Place { stamp_ns, of_stamp, check } = place;
            (self.position.stamp_ns, self.position.of_stamp, self.position.check) =
                (stamp_ns, of_stamp, check);
            gathered.bytes += line.text.len();
            gathered.since.get_or_insert_with(Instant::now);
            let event = self.event(line);
            gathered.events.push(event);
            self.well();
        }
    }

    fn event(&mut self, line: Line) -> Event {
        let PodLogPosition { namespace, pod, container, .. } = &self.position;
        let target = format!("{namespace}/{pod}/{container}");
        let time = stamp::millis(line.stamp_ns);
        let shaped = self.shaper.shape(line);
        Event::LogLine(LogLine {
            source: self.shared.source.clone(),
            time,
            level: shaped.level,
            target,
            span_name: shaped.span_name,
            message: shaped.message,
            ext: shaped.ext,
        })
    }

    /// The line that was read last is not in the log any more.
    fn broken(&mut self, lines: Vec<Line>, gathered: &mut Gathered) {
        let from = self.read_until();
        let to = lines.first().map_or_else(now, |line| stamp::millis(line.stamp_ns));
        let told = "the line that was read last is not in the log any more; it was rotated or cut, \
                    and lines may be missing";
        gathered.events.push(self.gap(from, to.max(from), told));
        gathered.since.get_or_insert_with(Instant::now);
        self.position.of_stamp = 0;
        self.gather(lines, gathered);
    }

    async fn flush(&mut self, gathered: &mut Gathered) -> Result<(), Closed> {
        let events = std::mem::take(gathered).events;
        if events.is_empty() { Ok(()) } else { self.send(events).await }
    }

    /// Sends events together with how far the log is read with them, in one message: the journal
    /// has both or none.
    async fn send(&self, events: Vec<Event>) -> Result<(), Closed> {
        self.tell(Told::Read(events, Some(self.position.clone()))).await
    }

    async fn send_gap(&self, from: Millis, told: &str) -> Result<(), Closed> {
        self.tell(Told::Read(vec![self.gap(from, now(), told)], None)).await
    }

    async fn tell(&self, told: Told) -> Result<(), Closed> {
        self.told.send(told).await.map_err(|_| Closed)
    }

    fn gap(&self, from: Millis, to: Millis, told: &str) -> Event {
        let PodLogPosition { namespace, pod, container, .. } = &self.position;
        Event::Gap(Gap {
            source: self.shared.source.clone(),
            reason: format!("{namespace}/{pod}/{container}: {told}"),
            from: from.min(to),
            to,
            dropped: None,
            ext: Extensions::default(),
        })
    }

    fn well(&mut self) {
        self.trouble = None;
        self.back_off = self.shared.pace.retry_first;
    }

    /// Waits before the next attempt, or until the state changes. A container whose image is still
    /// on its way is no trouble.
    async fn wait_after(&mut self, error: Error) -> Result<(), Closed> {
        let wait = self.back_off;
        self.back_off = (wait * 2).min(self.shared.pace.retry_max);
        if error.code() != Some(400) {
            self.note_trouble(&error).await?;
            self.tell(Told::Failed(error)).await?;
        }
        self.pause(wait).await;
        Ok(())
    }

    async fn note_trouble(&mut self, error: &Error) -> Result<(), Closed> {
        let from = self.read_until();
        let trouble =
            self.trouble.get_or_insert_with(|| Trouble { since: Instant::now(), from, told: None });
        // What is shorter costs nothing but time.
        let is_long = trouble.since.elapsed() >= self.shared.pace.greeting_max;
        let is_due = trouble.told.is_none_or(|at| at.elapsed() >= TROUBLE_TOLD_INTERVAL);
        if !(is_long && is_due) {
            return Ok(());
        }
        trouble.told = Some(Instant::now());
        let from = std::mem::replace(&mut trouble.from, now());
        let told = format!(
            "its log cannot be read: {error}; it is tried again and goes on where it stopped, if \
             the node still has those lines"
        );
        self.send_gap(from, &told).await
    }

    async fn pause(&mut self, at_most: Duration) {
        // What has changed is looked at by whoever goes on.
        let mut state = self.state.clone();
        let _ = timeout(at_most, state.changed()).await;
    }

    /// The pod is gone.
    async fn gone(&mut self) -> Result<(), Closed> {
        if self.position.run.is_empty() {
            return Ok(());
        }
        let mut events = Vec::new();
        if !self.position.ended && !self.is_whole {
            let told = "the pod was deleted before its log was read to the end";
            events.push(self.gap(self.read_until(), now(), told));
        }
        self.position.gone = true;
        self.send(events).await
    }
}

/// Lines on their way to the recorder.
#[derive(Default)]
struct Gathered {
    events: Vec<Event>,
    bytes: usize,
    since: Option<Instant>,
}

impl Gathered {
    fn is_due(&self) -> bool {
        self.since.is_some()
    }

    fn is_full(&self) -> bool {
        self.events.len() >= GATHERED_LINES_MAX || self.bytes >= GATHERED_BYTES_MAX
    }
}
