// Written by `npm run gen` from openapi.json. Do not edit.

/** An action. */
export interface Action {
  /** Which action. */
  action: string
  /** Who. */
  actor: string
  /** Its arguments. */
  args: unknown
  /** What was done or what failed. */
  detail: string
  /** When it ended; null while running. */
  ended: number | null
  /** Its id. */
  id: string
  /** `succeeded`, `failed`, `unknown`, or null while running. */
  outcome: string | null
  /** False while its newest record waits in memory for a journal that takes none. */
  saved: boolean
  /** The newest record of it. */
  seq: number
  /** When it was asked for. */
  started: number
}

/** `GET /api/actions`. */
export interface Actions {
  /** Running ones, then ended ones, newest first. */
  actions: Action[]
  /** The `before` of the next page, or null. */
  next: number | null
  /** The sequence number that this answer is of. */
  seq: number
}

/** An Event of the cluster. */
export interface ClusterEvent {
  /** How often between first and last. */
  count: number
  /** `Normal` or `Warning`. */
  event_type: string
  /** First time. */
  first: number
  /** The kind of the object that it is about. */
  kind: string
  /** Last time. */
  last: number
  /** When this state of it was learned. */
  learned: number
  /** Human text. */
  message: string
  /** That object's name. */
  name: string
  /** That object's namespace. */
  namespace: string
  /** That object's uid. */
  object_uid: string
  /** For example `BackOff`. */
  reason: string
  /** The component that reported it. */
  reporter: string
  /** The record. */
  seq: number
  /** The Event's uid: a later record of the same uid replaces an earlier one. */
  uid: string
}

/** `false` while it lives, else the time of the deletion. */
export type Deleted = boolean | number

/** Every error answer. */
export interface ErrorBody {
  /** A stable word for programs, for example `not_found`. */
  code: string
  /** What was attempted, what failed and what to do. */
  message: string
}

/** A stretch in which a source was not observed, or in which records were dropped. */
export interface Gap {
  /** Records dropped; null where nobody can know. */
  dropped: number | null
  /** Everything before was observed. */
  from: number
  /** Why. */
  reason: string
  /** The record of the gap. */
  seq: number
  /** Which source. */
  source: string
  /** Everything after is observed again. */
  to: number
}

/** `GET /api/journal`. */
export interface Journal {
  /** The positions. */
  journal: JournalStatus
  /** Files that are not part of this journal. */
  left_alone: LeftAlone[]
  /** How much is kept. */
  limits: Limits
  /** How far back it reaches. */
  reach: Reach
  /** What recovery found at the start. */
  recovery: unknown
  /** Oldest first. */
  segments: Segment[]
  /** What the recorder did to the journal or found, newest first; at most 20. */
  upkeep: Upkeep[]
  /** Size of the volume in bytes; null where it is not known. */
  volume_bytes: number | null
  /** Free bytes on the volume; null where it is not known. */
  volume_free_bytes: number | null
}

/** The positions of the journal. */
export interface JournalStatus {
  /** Bytes of recorded data. */
  bytes: number
  /** Everything up to here survives a power cut. */
  durable_seq: number
  /** Counts wipes. */
  epoch: number
  /** The oldest event's number. */
  first_seq: number
  /** The journal's id, 32 hex digits; empty while it is not open. */
  id: string
  /** The newest event's number. */
  last_seq: number
}

/** How many objects of a kind there are. */
export interface KindCount {
  /** For example `Pod`. */
  kind: string
  /** All living ones. */
  total: number
  /** Those whose state is not as it should be. */
  unhealthy: number
}

/** A file in the data directory that is not part of this journal. */
export interface LeftAlone {
  /** Its name. */
  name: string
  /** Why it was left alone. */
  reason: string
}

/** How much is kept. All null in a replay. */
export interface Limits {
  /** How long events are kept; null for as long as there is room. */
  age_max: number | null
  /** Bytes that the journal may take on the volume; null where that is not known. */
  bytes_max: number | null
  /** Bytes that stay free on the volume. */
  free_min_bytes: number | null
  /** Bytes that each source of log lines and traces may record a day; null for no bound. */
  source_bytes_per_day: number | null
}

/**
 * `batch`: events after `from` up to and including `to`, of the topics that were asked for.
 *
 * Rows have the same shape as in the lists; a row with a known id replaces the earlier one.
 */
export interface LiveBatch {
  /** Topic `actions`. */
  actions?: Action[]
  /** Topic `events`. */
  events?: ClusterEvent[]
  /** Exclusive. */
  from: number
  /** Every topic: gaps are always told. */
  gaps?: Gap[]
  /** Topic `live-queries`. */
  live_queries?: LiveQuery[]
  /** Topic `logs`, oldest first. */
  logs?: LogEntry[]
  /** Topic `objects`. */
  objects?: ObjectRow[]
  /** Topic `probes`. */
  probes?: Probe[]
  /** Topic `requests`. */
  requests?: Request[]
  /** Topic `sources`. */
  sources?: Source[]
  /** Inclusive; also the message's id. */
  to: number
}

/** `durable`: how far the journal is durable. */
export interface LiveDurable {
  /** Everything up to here survives a power cut. */
  durable_seq: number
}

/** `heartbeat`: the feed is alive; its id is the last number considered. */
export interface LiveHeartbeat {
  /** The process's own clock, now. */
  now: number
}

/** `hello`: the first message of `GET /api/live`. */
export interface LiveHello {
  /** Everything up to here survives a power cut. */
  durable_seq: number
  /** Counts wipes. */
  epoch: number
  /** The oldest event's number. */
  first_seq: number
  /** The journal's id. */
  journal_id: string
  /** The newest event's number. */
  last_seq: number
}

/** `GET /api/live-queries`. */
export interface LiveQueries {
  /** Sorted by table, then filter. */
  live_queries: LiveQuery[]
  /** The sequence number that this answer is of. */
  seq: number
}

/** A live query. */
export interface LiveQuery {
  /** Its filter. */
  filter: unknown
  /** Stable while it lives: 16 hex digits of its key. */
  id: string
  /** The entries of its last answer. */
  last_entries: unknown[]
  /** False after its source went down, until it is sent again or dropped. */
  observed: boolean
  /** True only in the live feed: it is gone. */
  removed: boolean
  /** False while this state is kept in memory, for a journal that takes no records. */
  saved: boolean
  /** The record that this state is from. */
  seq: number
  /** The source that brought it. */
  source: string
  /** The table that it watches. */
  table_name: string
  /** When that record was learned. */
  time: number
  /** How many clients watch it. */
  watchers_count: number
}

/** `reset`: what the client knows is no longer a beginning of what is true; it fetches again. */
export interface LiveReset {
  /** Go on after this number. */
  last_seq: number
  /** `wiped`, `retired`, `lost` or `too_far_behind`. */
  reason: string
}

/**
 * `shed`: records that were left out because this client is too slow.
 *
 * They are in the journal: lists of states are to be fetched again, log lines can be.
 */
export interface LiveShed {
  /** Records left out. */
  count: number
  /** Exclusive. */
  from: number
  /** Inclusive; also the message's id. */
  to: number
}

/** A log line. */
export interface LogEntry {
  /** The time at which it was learned. */
  learned: number
  /** ERROR, WARN, INFO, DEBUG or TRACE. */
  level: string
  /** The text. */
  message: string
  /** Its number in the journal. */
  seq: number
  /** The source that brought it. */
  source: string
  /** The span it was written in; empty for none. */
  span_name: string
  /** The module that wrote it. */
  target: string
  /** The time that the line claims. */
  time: number
}

/** Body of `POST /api/session`. Cannot be printed: it holds the key. */
export interface LogIn {
  /** The admin key. */
  key: string
}

/** `GET /api/logs`. */
export interface Logs {
  /** Newest first. */
  entries: LogEntry[]
  /** Gaps of log sources recorded within the range of this page, newest first. */
  gaps: Gap[]
  /** The `before` of the next page, or null. */
  next: number | null
  /** The sequence number that this answer is of. */
  seq: number
}

/** What this process is. */
export type Mode = 'live' | 'demo' | 'replay'

/** `GET /api/objects/{uid}`. */
export interface ObjectDetail {
  /** The whole body; null where it was not known. */
  body: unknown
  /** The newest cluster events about it, newest first. */
  events: ClusterEvent[]
  /** Cluster events before this event are left out; null where none are. */
  events_from: number | null
  /** The row. */
  object: ObjectRow
  /** The sequence number that this answer is of. */
  seq: number
}

/** `GET /api/objects/{uid}/history`. */
export interface ObjectHistory {
  /** The `before` of the next page, or null. */
  next: number | null
  /** The sequence number that this answer is of. */
  seq: number
  /** Newest first. */
  versions: ObjectVersion[]
}

/** A cluster object, one row. */
export interface ObjectRow {
  /** For example `v1`. */
  api_version: string
  /** When its present state was learned. */
  changed: number
  /** When it was created, as the cluster says; null where it does not. */
  created: number | null
  /** False, or when it was known to be gone. */
  deleted: Deleted
  /** How the deletion is known: `deleted`, `gone_unobserved`, or null. */
  deleted_because: string | null
  /** More about its state, for example `ready 1/2, restarts 3`; may be empty. */
  detail: string
  /** Whether that state is as it should be. */
  healthy: boolean
  /** For example `Pod`. */
  kind: string
  /** Its name. */
  name: string
  /** Empty for objects of the whole cluster. */
  namespace: string
  /** One word of its state, for example `Running` or `CrashLoopBackOff`. */
  phase: string
  /** False while this state is kept in memory, for a journal that takes no records. */
  saved: boolean
  /** The record that this state is from. */
  seq: number
  /** Its uid. */
  uid: string
}

/** One recorded state of an object. */
export interface ObjectVersion {
  /** The whole body; null where it was not known. */
  body: unknown
  /** Whether this record is the object's end. */
  deleted: boolean
  /** How the deletion is known: `deleted`, `gone_unobserved`, or null. */
  deleted_because: string | null
  /** The record. */
  seq: number
  /** When it was learned. */
  time: number
}

/** `GET /api/objects`. */
export interface Objects {
  /** Objects that were deleted before this event are left out; null where none are. */
  deleted_from: number | null
  /** Living ones by kind, namespace and name; then deleted ones, newest first. */
  objects: ObjectRow[]
  /** The sequence number that this answer is of. */
  seq: number
}

/** `GET /api/overview`. */
export interface Overview {
  /** The newest actions; at most 5. */
  actions: Action[]
  /** The newest error lines; at most 20. */
  errors: LogEntry[]
  /** The newest gaps; at most 5. */
  gaps: Gap[]
  /** Objects by kind. */
  kinds: KindCount[]
  /** Live queries known now. */
  live_queries: number
  /**
   * Warnings, errors, actions and gaps were looked for back to this event, and no further for
   * want of time; null where each list is full or the journal's beginning was reached.
   */
  looked_back_to: number | null
  /** Requests open now. */
  open_requests: number
  /** The sequence number that this answer is of. */
  seq: number
  /** Every source, by name. */
  sources: Source[]
  /** Living objects whose state is not as it should be, newest change first; at most 100. */
  unhealthy: ObjectRow[]
  /** The newest warnings of the cluster; at most 20. */
  warnings: ClusterEvent[]
}

/** A probe as it is. */
export interface Probe {
  /** What was attempted, what failed and what to do; empty when ok. */
  detail: string
  /** How long the last check took up to its result; null where it had no answer. */
  latency: number | null
  /** The name that the configuration gave; unique among probes. */
  name: string
  /** When the last check began. */
  observed: number
  /** Whether the target answered as expected. */
  ok: boolean
  /** True only in the live feed: it is not configured any more. */
  removed: boolean
  /** False while this state is kept in memory, for a journal that takes no records. */
  saved: boolean
  /** The record of that check. */
  seq: number
  /** When the first of the checks in a row that ended the same way began. */
  since: number
  /** The status of the HTTP answer; null where there was none. */
  status: number | null
  /** What is checked: `http://host/path` or `tcp://host:port`. */
  target: string
}

/** `GET /api/probes`. */
export interface Probes {
  /** By name. */
  probes: Probe[]
  /** The sequence number that this answer is of. */
  seq: number
}

/** How far back the journal reaches, and will reach. */
export interface Reach {
  /** Bytes recorded an hour, over the last hours; null while too little is known. */
  bytes_per_hour: number | null
  /** How far back the limits let it reach at that rate; null while one of them is not known. */
  duration: number | null
  /** When the oldest segment was started; null where there is none. */
  from: number | null
  /** When the oldest segment will have to go at that rate; null as above. */
  retires_at: number | null
}

/** Whether the views are complete. */
export interface ReplayStatus {
  /** Events applied so far. */
  applied: number
  /** The views can answer. */
  done: boolean
}

/** A request trace. */
export interface Request {
  /** From there to the latest end; null while a section is open. */
  duration: number | null
  /** Open, ended, or end not observed. */
  end: RequestEnd
  /** The id that the application gave. */
  id: string
  /** False while this state is kept in memory, for a journal that takes no records. */
  saved: boolean
  /** Sorted by start, then path. */
  sections: Section[]
  /** The record that this state is from. */
  seq: number
  /** The source that brought it. */
  source: string
  /** The earliest start of its sections. */
  start: number
}

/** Whether a request has ended. */
export type RequestEnd = 'open' | 'ended' | 'not_observed'

/** `GET /api/requests` (and, with one entry, `GET /api/requests/{id}`). */
export interface Requests {
  /** The `before` of the next page, or null. */
  next: number | null
  /** Newest record first. */
  requests: Request[]
  /** The sequence number that this answer is of. */
  seq: number
}

/** A timed part of a request. */
export interface Section {
  /** How long it took; null while it runs. */
  duration: number | null
  /** What the application added. */
  extra_info: unknown
  /** The nesting, parts joined by `/`. */
  path: string
  /** When it began. */
  start_time: number
}

/** One segment file. */
export interface Segment {
  /** Bytes of data, without the unused rest of the file. */
  bytes: number
  /** When it was created. */
  created: number
  /** Records in it that are damaged. */
  damaged: number
  /** The epoch that it belongs to. */
  epoch: number
  /** Its first event's number; null where it holds none. */
  first_seq: number | null
  /** Its last event's number; null where it holds none. */
  last_seq: number | null
  /** Its file name. */
  name: string
  /** Whether it is complete. */
  sealed: boolean
}

/** Who is logged in. */
export interface Session {
  /** The name that stands in the audit. */
  actor: string
  /** Whether this session may act, or only see. */
  can_act: boolean
}

/** A source as it is. */
export interface Source {
  /** What was wrong with the last one; empty for none. */
  last_malformed: string
  /** Malformed messages since the recorder started. */
  malformed: number
  /** For example `app-server` or `cluster/Pod`. */
  name: string
  /** What was attempted, what failed and what to do; empty when up. */
  reason: string
  /** When it came into this state. */
  since: number
  /** Up, down, connecting or off. */
  state: SourceState
  /** Messages of a sort that this version does not know, since the recorder started, by name. */
  unknown: UnknownMessages[]
}

/** Whether a source is being observed. */
export type SourceState = 'up' | 'down' | 'connecting' | 'off'

/** `GET /api/sources`. */
export interface Sources {
  /** The newest gaps, newest first. */
  gaps: Gap[]
  /** `before` of the next page of gaps; null where there are no older ones. */
  next: number | null
  /** The sequence number that this answer is of. */
  seq: number
  /** Every source, by name. */
  sources: Source[]
}

/** Body of `POST /api/actions`. */
export interface StartAction {
  /** Which action, for example `restart-workload`. */
  action: string
  /** Its arguments. */
  args: unknown
  /**
   * Act although the intent cannot be recorded now: while the journal takes no records, it waits
   * in memory.
   */
  unrecorded?: boolean
}

/** Answer of `POST /api/actions`: the outcome follows in the live feed. */
export interface StartedAction {
  /** Its id. */
  id: string
  /** The record of the intent, which is durable; null where it waits in memory. */
  seq: number | null
}

/** `GET /api/status`. */
export interface Status {
  /** Why something does not work as it should; empty when all is well. */
  degraded: string[]
  /** The journal's positions. */
  journal: JournalStatus
  /** Live, demo or replay. */
  mode: Mode
  /** The process's own clock, now. */
  now: number
  /** How far the start has come. */
  replay: ReplayStatus
  /** The sequence number that this answer is of. */
  seq: number
  /** Every source, by name. */
  sources: Source[]
  unsaved?: Unsaved | null
  /** The program's version. */
  version: string
}

/** `GET /api/timeline`. */
export interface Timeline {
  /** Cluster events, newest record first, one per uid. */
  events: ClusterEvent[]
  /** The `before` of the next page, or null. */
  next: number | null
  /** The sequence number that this answer is of. */
  seq: number
}

/** Messages of one sort that this version does not know. */
export interface UnknownMessages {
  /** How many came since the recorder started. */
  count: number
  /** What the source calls them. */
  name: string
}

/** What is kept in memory while the journal takes no records. */
export interface Unsaved {
  /** Records that are lost; a gap will tell of them. */
  dropped: number
  /** Records that wait in memory: states of what is alive, and actions. */
  kept: number
  /** Why, and what to do. */
  reason: string
  /** Since when. */
  since: number
}

/** Something that the recorder did to the journal, or found. */
export interface Upkeep {
  /** For a human. */
  detail: string
  /** The record. */
  seq: number
  /** When it was recorded. */
  time: number
  /** `retention`, `files_removed` or `degraded`. */
  what: string
}

/** Body of `POST /api/journal/wipe`. */
export interface WipeRequest {
  /** Must be `wipe`. */
  confirm: string
  /** Why; recorded. */
  reason: string
}

/** Answer of `POST /api/journal/wipe`. */
export interface Wiped {
  /** The new epoch. */
  epoch: number
  /** The record of the wipe. */
  seq: number
}
