/** What is wrong, before anything else; then what was, and who is listened to. */

import type { ComponentChildren, JSX } from 'preact'

import type {
  Action,
  ClusterEvent,
  Gap,
  KindCount,
  LogEntry,
  Overview,
  Source,
} from '../api/types.ts'
import { alike, named } from '../lib/alike.ts'
import type { Alike } from '../lib/alike.ts'
import { count, counted, cut, pairs } from '../lib/format.ts'
import { printable } from '../lib/printable.ts'
import { duration } from '../lib/time.ts'
import { LevelChip, OutcomeBadge, SourceBadge } from '../parts/badge.tsx'
import { Panel } from '../parts/panel.tsx'
import { Answered } from '../parts/states.tsx'
import { Time } from '../parts/time.tsx'
import { useOverview } from '../state/overview.ts'
import { lostNow } from '../state/status.ts'
import { ProblemList } from './problem-list.tsx'

const MESSAGE_CHARS_MAX = 240

/** The page. */
export function OverviewPage(): JSX.Element {
  const overview = useOverview()
  const answer = overview.value.value
  return (
    <div class="page">
      <Answered of={overview} subject="the overview" isEmpty={false} empty="">
        {answer && <Parts answer={answer} />}
      </Answered>
    </div>
  )
}

function Parts({ answer }: { readonly answer: Overview }): JSX.Element {
  // Nothing found is worth as much as what was looked at, and what could be recorded.
  const from = answer.looked_back_to
  const missing = lostNow.value > 0 ? ' What is being lost now is not among them.' : ''
  const none = (all: string): string =>
    (from === null ? all : `None back to event ${from}; there was no time to look further.`) +
    missing
  return (
    <>
      <ProblemList answer={answer} />
      <div class="columns">
        <div class="column">
          <SourceList sources={answer.sources} />
          <List
            title="Gaps"
            rows={answer.gaps}
            none={
              lostNow.value > 0
                ? 'No gap is on record yet: what is being lost becomes one as soon as records are taken.'
                : none('No gap is on record: whatever was observed, was observed throughout.')
            }
            id={(gap) => String(gap.seq)}
            row={(gap) => <GapLine gap={gap} />}
          />
          <List
            title="Actions"
            more={<a href="#/actions">all</a>}
            rows={answer.actions}
            none={none('No admin has done anything yet.')}
            id={(action) => action.id}
            row={(action) => <ActionLine action={action} />}
          />
          <Counts answer={answer} />
        </div>
        <div class="column">
          <List
            title="Warnings of the cluster"
            rows={answer.warnings}
            none={none('No warning is on record.')}
            id={(event) => event.uid}
            row={(event) => <Warning event={event} />}
          />
          <List
            title="Error lines"
            more={<a href="#/logs?level=ERROR">all</a>}
            rows={answer.errors}
            none={none('No error line is on record.')}
            id={(line) => String(line.seq)}
            row={(line) => <ErrorLine line={line} />}
          />
        </div>
      </div>
    </>
  )
}

function SourceList({ sources }: { readonly sources: readonly Source[] }): JSX.Element {
  return (
    <Panel title="Sources">
      <ul class="lines">
        {alike(sources).map((group) => (
          <li key={group.sources[0]?.name}>
            <SourceLine group={group} />
          </li>
        ))}
      </ul>
    </Panel>
  )
}

function SourceLine({ group }: { readonly group: Alike }): JSX.Element | null {
  const [source] = group.sources
  if (!source) return null
  return (
    <>
      <SourceBadge state={source.state} /> <b>{named(group.sources.map((one) => one.name))}</b>{' '}
      <span class="muted">
        since <Time at={group.since} />
      </span>
      {source.reason && <p class="reason">{source.reason}</p>}
      {source.malformed > 0 && (
        <p class="reason">
          {counted(source.malformed, 'malformed message')} since the recorder started; the last:{' '}
          {printable(source.last_malformed)}
        </p>
      )}
      {source.unknown.length > 0 && (
        <p class="reason">
          Messages that this version does not know:{' '}
          {source.unknown.map((one) => `${count(one.count)} ${printable(one.name)}`).join(', ')}
        </p>
      )}
    </>
  )
}

interface ListProps<T> {
  readonly title: string
  readonly more?: ComponentChildren
  readonly rows: readonly T[]
  readonly none: string
  id(row: T): string
  row(row: T): JSX.Element
}

function List<T>(props: ListProps<T>): JSX.Element {
  return (
    <Panel title={props.title} aside={props.more}>
      {props.rows.length === 0 && <p class="none">{props.none}</p>}
      <ul class="lines">
        {props.rows.map((row) => (
          <li key={props.id(row)}>{props.row(row)}</li>
        ))}
      </ul>
    </Panel>
  )
}

function Warning({ event }: { readonly event: ClusterEvent }): JSX.Element {
  return (
    <>
      <Time at={event.last} /> <b class="warn">{event.reason}</b>{' '}
      <a href={`#/cluster?uid=${encodeURIComponent(event.object_uid)}`}>
        {event.kind} {event.name}
      </a>{' '}
      {event.count > 1 && <span class="times">{count(event.count)} times</span>}{' '}
      {cut(event.message, MESSAGE_CHARS_MAX)}
    </>
  )
}

function ErrorLine({ line }: { readonly line: LogEntry }): JSX.Element {
  return (
    <span class="mono">
      <Time at={line.time} /> <LevelChip level={line.level} />{' '}
      <span class="muted">{line.target}</span> {cut(printable(line.message), MESSAGE_CHARS_MAX)}
    </span>
  )
}

function GapLine({ gap }: { readonly gap: Gap }): JSX.Element {
  const { dropped } = gap
  return (
    <>
      <Time at={gap.from} /> to <Time at={gap.to} /> ({duration(gap.to - gap.from)}){' '}
      <b>{gap.source}</b>{' '}
      {dropped === null ? 'not observed' : `${counted(dropped, 'record')} missing`}:{' '}
      <span class="muted">{gap.reason}</span>
    </>
  )
}

function ActionLine({ action }: { readonly action: Action }): JSX.Element {
  return (
    <>
      <Time at={action.started} /> <OutcomeBadge outcome={action.outcome} /> <b>{action.action}</b>{' '}
      by {action.actor}{' '}
      <span class="muted">{cut(action.detail || pairs(action.args), MESSAGE_CHARS_MAX)}</span>
    </>
  )
}

function Counts({ answer }: { readonly answer: Overview }): JSX.Element {
  return (
    <Panel title="Counts">
      <ul class="lines">
        {answer.kinds.map((kind) => (
          <KindLine key={kind.kind} of={kind} />
        ))}
        <li>
          <a href="#/requests">Requests open</a> <b>{count(answer.open_requests)}</b>
        </li>
        <li>
          <a href="#/live-queries">Live queries</a> <b>{count(answer.live_queries)}</b>
        </li>
      </ul>
    </Panel>
  )
}

function KindLine({ of }: { readonly of: KindCount }): JSX.Element {
  return (
    <li>
      <a href={`#/cluster?kind=${encodeURIComponent(of.kind)}`}>{of.kind}</a>{' '}
      <b>{count(of.total)}</b>
      {of.unhealthy > 0 && <span class="bad"> {count(of.unhealthy)} not as they should be</span>}
    </li>
  )
}
