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
  /** `succeeded`, `failed`, `cancelled`, `unknown`, or null while running. */
  outcome: string | null
  /** False while its newest record waits in memory for a journal that takes none. */
  saved: boolean
  /** The newest record of it. */
  seq: number
  /** When it was asked for. */
  started: number
}

/** `GET /api/actions/{id}`. */
export interface ActionDetail {
  /** The action. */
  action: Action
  /** The `before` of the next page of output, or null. */
  next: number | null
  /** Its output, newest first. */
  progress: ActionProgress[]
  /** The sequence number that this answer is of. */
  seq: number
}

/** A line of output of an action. */
export interface ActionProgress {
  /** Which action. */
  id: string
  /** When it was learned. */
  learned: number
  /** The line; output of programs may hold any character but a line break. */
  line: string
  /** Its record. */
  seq: number
}

/** `GET /api/actions`. */
export interface Actions {
  /** Running ones, then ended ones, newest first. */
  actions: Action[]
  /** Every action that this version can start, whoever asks. */
  declared: DeclaredAction[]
  /** The `before` of the next page, or null. */
  next: number | null
  /** The sequence number that this answer is of. */
  seq: number
}

/** Answer of `POST /api/actions/{id}/cancel`: the outcome follows in the live feed. */
export interface CancelledAction {
  /** Its id. */
  id: string
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

/** An action that can be started. */
export interface DeclaredAction {
  /** What it has to be told. */
  args: DeclaredArg[]
  /** Its name. */
  name: string
  /** What it does, and what happens when it is done twice. */
  what: string
}

/** An argument of an action or of a runbook. */
export interface DeclaredArg {
  /** What it may be; empty where it is free. */
  choices: string[]
  /** What it is when left out, where that is a fixed text. */
  default: string | null
  /** Its name. */
  name: string
  /** Whether it can be left out. */
  optional: boolean
  /** What it means. */
  what: string
}

/** `false` while it lives, else the time of the deletion. */
export type Deleted = boolean | number

/** Answer of `POST /api/actions` with `dry_run`. */
export interface DryRun {
  /** What would be done, a line each, in order. */
  would: string[]
}

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

/** Answer of `POST /api/outside/grafana/password`. Cannot be printed. */
export interface GrafanaPassword {
  /** The action that stands in the journal, without the password. */
  action: string
  /** The admin password, as the Secret has it. */
  password: string
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
  /** Topic `actions`: their output, oldest first. */
  action_progress?: ActionProgress[]
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
  /** Topic `volumes`. */
  processes?: Process[]
  /** Topic `requests`. */
  requests?: Request[]
  /** Topic `sources`. */
  sources?: Source[]
  /** Inclusive; also the message's id. */
  to: number
  /** Topic `volumes`. */
  volumes?: Volume[]
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

/** Body of `POST /api/session`. Cannot be printed: it holds a secret. */
export interface LogIn {
  /** The admin key, or a Kubernetes token. */
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

/** A log line that Loki has. It is not in the journal, so it has no number. */
export interface LokiEntry {
  /** The labels of its stream, and what Loki keeps beside the line. */
  labels: Record<string, unknown>
  /** ERROR, WARN, INFO, DEBUG or TRACE, by the labels of its stream; INFO where they do not tell. */
  level: string
  /** The text. */
  message: string
  /** `outside/loki`. */
  source: string
  /** Empty: Loki knows no spans. */
  span_name: string
  /** What wrote it, by the labels of its stream. */
  target: string
  /** The time that the line claims. */
  time: number
  /** The same in nanoseconds since 1970, in digits. */
  time_ns: string
}

/** `GET /api/outside/loki`. */
export interface LokiLogs {
  /** In the direction that was asked for. */
  entries: LokiEntry[]
  /** True where there may be more lines than the limit lets through. */
  is_full: boolean
  /** The sequence number that was the last when this was asked. */
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

/** An object of the cluster. */
export interface ObjectName {
  /** For example `Pod`. */
  kind: string
  /** Its name. */
  name: string
  /** Empty for objects of the whole cluster. */
  namespace: string
  /** Its uid; empty where the object itself is not known. */
  uid: string
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

/** `GET /api/outside`. */
export interface Outside {
  /** The sequence number that this answer is of. */
  seq: number
  /** The configured tools; none is no fault. */
  tools: Tool[]
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
  /** What is wrong, as `/api/problems` tells it: the worst first, at most 200. */
  problems: Problem[]
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

/** Something that is wrong. */
export interface Problem {
  /** What to look at next. */
  advice: string
  /** How many objects have this trouble; 1 for a source. */
  count: number
  /** What is known of it; may be empty. */
  detail: string
  /** The same for the same trouble, however often it is asked for. */
  id: string
  /** What kind of trouble. */
  kind: ProblemKind
  /**
   * This is as it was last seen at this time, since when its source is not observed; null while
   * it is.
   */
  last_seen: number | null
  /** The first of them by name; at most 10; none for a source. */
  objects: ObjectName[]
  /** The records that prove it, newest first; at most 10. */
  records: number[]
  /** How bad it is. */
  severity: Severity
  /** Since when, as far as that is known. */
  since: number
  /** What it is about: the workload where several of its pods have the same trouble. */
  subject: ProblemSubject
  /** From when on this is a problem, and what to set to change that. */
  threshold: string
  /** What is wrong, in a sentence. */
  title: string
}

/** By which clock `now` was read. */
export type ProblemClock = 'wall' | 'record'

/** What kind of trouble. */
export type ProblemKind = 'crash_loop' | 'oom_killed' | 'pending' | 'image_pull' | 'node_not_ready' | 'replicas_missing' | 'job_failed' | 'volume_filling' | 'error_rate' | 'slow_requests' | 'source_down' | 'records_missing' | 'journal_degraded' | 'probe_failing'

/** What a problem is about: an object, or a source. */
export type ProblemSubject = ObjectName | {
  /** The name of a source, of a probe, of a peer with several sources, or `recorder`. */
  source: string
}

/** `GET /api/problems`. */
export interface Problems {
  /** By which clock `now` was read. */
  clock: ProblemClock
  /** How many more there are. */
  left_out: number
  /**
   * What was before was looked at back to this event, and no further for want of time or for too
   * many records; null where the whole look-back was.
   */
  looked_back_to: number | null
  /** The time that counts as now: how long something has lasted is told by it. */
  now: number
  /** What is wrong, the worst first, then the newest; at most 200. */
  problems: Problem[]
  /** The sequence number that this answer is of. */
  seq: number
}

/** A process, or a group of them, as it was last measured. */
export interface Process {
  /** What the source told of it, as it told it; null for nothing. */
  body: unknown
  /** Processors in use, as a share of one; null where that is not known. */
  cpu_cores: number | null
  /** It is no longer there. */
  gone: boolean
  /** Memory in use, bytes; null where that is not known. */
  memory_bytes: number | null
  /** `app-server`, `recorder`, `node/NAME` or `pod/NAMESPACE/NAME`. */
  name: string
  /** When it was measured. */
  observed: number
  /** Whether the journal holds that record. */
  saved: boolean
  /** The record of it. */
  seq: number
  /** The source that measured it. */
  source: string
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

/** A named procedure. */
export interface Runbook {
  /** What it has to be told. */
  args: DeclaredArg[]
  /** Its name. */
  name: string
  /** What it does, in order. */
  steps: RunbookStep[]
  /** It is given up after this time, milliseconds. */
  timeout: number
  /** What it does. */
  what: string
}

/** A step of a runbook. */
export interface RunbookStep {
  /** `http`, `exec`, `restart` or `wait`. */
  kind: string
  /** What it does; placeholders stand as they are written. */
  what: string
}

/** `GET /api/runbooks`: the procedures of the configuration. */
export interface Runbooks {
  /** For the action `run-runbook`. */
  runbooks: Runbook[]
  /** The sequence number that this answer is of. */
  seq: number
  /** For the action `run-test-sequence`. */
  sequences: TestSequence[]
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
  /** Who vouches for it: `key`, `token` or `replay`. */
  via: string
}

/** How bad it is. */
export type Severity = 'critical' | 'warning'

/** A source as it is. */
export interface Source {
  /** What was wrong with the last one; empty for none. */
  last_malformed: string
  /** Malformed messages since the recorder started. */
  malformed: number
  /** For example `app-server` or `cluster/Pod`. */
  name: string
  /**
   * What was attempted, what failed and what to do; when up, what of it is not observed, and empty
   * where all is.
   */
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
   * Only tell what would be done, as far as that can be checked without an effect. Nothing is
   * recorded; the answer is 200.
   */
  dry_run?: boolean
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

/** A test sequence of the configuration. */
export interface TestSequence {
  /** Its name. */
  name: string
  /** Its steps, as they can be sent in the arguments of `run-test-sequence`. */
  steps: unknown[]
  /** It is given up after this time, milliseconds. */
  timeout: number
  /** What it tests. */
  what: string
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

/** A tool. */
export interface Tool {
  /** Whether `POST /api/outside/grafana/password` can show its admin password. */
  has_password: boolean
  /** How it is shown. */
  kind: ToolKind
  /** When it was last up, as far as this process knows. */
  last_up: number | null
  /** `prometheus`, `alertmanager`, `grafana` or `loki`. */
  name: string
  /** Why it is down; empty while it is up. */
  reason: string
  /** Since when it is so. */
  since: number
  /** Whether it is well; null until it was asked for the first time. */
  up: boolean | null
  /** Where a browser finds it, maybe with the scheme of the page (`//host`); null for a tool without pages, and where no second port is served. */
  url: string | null
}

/** How a tool is shown. */
export type ToolKind = 'proxy' | 'link' | 'logs'

/** Answer of `POST /api/outside/tools-session`. */
export interface ToolsSession {
  /** Opens the tool once, within half a minute, in a frame or a tab. */
  url: string
}

/** Body of `POST /api/outside/tools-session`. */
export interface ToolsSessionRequest {
  /** A path within the tool, with its query, for example `/graph?g0.expr=up`. */
  path: string | null
  /** Which tool to open. */
  tool: string
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

/** A volume as it was last measured. */
export interface Volume {
  /** Bytes that can still be written. */
  available_bytes: number
  /** Bytes that it holds. */
  capacity_bytes: number
  /** The name of the claim; `recorder` for the recorder's own volume. */
  claim: string
  /** It is no longer there. */
  gone: boolean
  /** Inodes that it has; 0 where that is not known. */
  inodes: number
  /** Inodes in use. */
  inodes_used: number
  /** Stands for the volume in paths. */
  key: string
  /** The claim's namespace; empty for the recorder's own volume. */
  namespace: string
  /** The node where it was measured; empty where that is not known. */
  node: string
  /** When it was measured. */
  observed: number
  /** Where it is mounted; null where that is not known. */
  path: string | null
  /** A pod that mounts it; empty for none. */
  pod: string
  /** Share that is used of what can be used, 0 to 1; null where the capacity is not known. */
  ratio: number | null
  /** Whether the journal holds that record. */
  saved: boolean
  /** The record of it. */
  seq: number
  /** The source that measured it. */
  source: string
  /** Bytes in use. */
  used_bytes: number
}

/** `GET /api/volumes/{key}/history`. */
export interface VolumeHistory {
  /** The `before` of the next page, or null. */
  next: number | null
  /** The sequence number that this answer is of. */
  seq: number
  /** Its recorded states, newest first. */
  volumes: Volume[]
}

/** `GET /api/volumes`. */
export interface Volumes {
  /** Processes, by name. */
  processes: Process[]
  /** The sequence number that this answer is of. */
  seq: number
  /** Volumes: the recorder's own first, then by namespace and claim. */
  volumes: Volume[]
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
