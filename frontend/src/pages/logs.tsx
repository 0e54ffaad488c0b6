/** Log lines: live at the end, as old as the journal at the start. */

import { signal, useComputed, useSignal } from '@preact/signals'
import { Pause, Play } from 'lucide-preact'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

import type { LogView } from '../islands/log-view.ts'
import { counted } from '../lib/format.ts'
import { LEVELS, gapText, shedText } from '../lib/log-items.ts'
import type { LogItem } from '../lib/log-items.ts'
import { fullTime } from '../lib/time.ts'
import { CopyButton } from '../parts/copy-button.tsx'
import { Detail, Fields } from '../parts/detail.tsx'
import { LogList } from '../parts/log-list.tsx'
import { Note, PortForward } from '../parts/states.tsx'
import { Unobserved } from '../parts/unobserved.tsx'
import { lineAt, logs } from '../state/logs.ts'
import { query, setQuery } from '../state/route.ts'
import { zone } from '../state/settings.ts'
import { isReplay, offlineSince } from '../state/status.ts'
import { LogSource } from './log-source.tsx'
import { LokiLogs } from './loki-logs.tsx'

/** Letters typed within this are one question to the recorder. */
const TYPING_MS = 250
/** How often screen readers are told of new lines, at most. */
const TOLD_MS = 10_000

const opened = signal<LogItem | null>(null)

/** The page. */
export function LogsPage(): JSX.Element {
  return query.value.get('from') === 'loki' ? <LokiLogs /> : <JournalLogs />
}

function JournalLogs(): JSX.Element {
  const view = useRef<LogView | null>(null)
  const level = query.value.get('level') ?? ''
  const text = query.value.get('q') ?? ''
  useEffect(() => {
    logs.setFilter({ level, text })
    logs.open()
  }, [level, text])
  // A link may name the line that proves something.
  const seq = query.value.get('seq')
  useEffect(() => {
    if (seq === null) return
    void lineAt(Number(seq)).then((line) => {
      if (line) opened.value = line
    })
  }, [seq])
  return (
    <div class="page page-fill logs">
      <Toolbar view={view} level={level} text={text} />
      <Unobserved source={['app-server', 'pod-logs']} />
      <div class="with-detail">
        <div class="log-box">
          <LogList store={logs} onOpen={(item) => (opened.value = item)} view={view} />
          <Place />
          <Held view={view} />
        </div>
        {opened.value && <LineDetail item={opened.value} />}
      </div>
      <Told />
    </div>
  )
}

interface ViewProps {
  readonly view: { current: LogView | null }
}

function Toolbar(
  props: ViewProps & { readonly level: string; readonly text: string },
): JSX.Element {
  const field = useRef<HTMLInputElement>(null)
  // A link may change the filter; what is being typed is changed by nobody else.
  useEffect(() => {
    if (field.current && field.current !== document.activeElement) field.current.value = props.text
  }, [props.text])
  const typing = useRef<ReturnType<typeof setTimeout> | null>(null)
  const typed = (text: string): void => {
    if (typing.current !== null) clearTimeout(typing.current)
    typing.current = setTimeout(() => setQuery({ q: text }), TYPING_MS)
  }
  const isPaused = logs.isPaused.value
  return (
    <div class="toolbar">
      <LogSource />
      <label>
        <span class="label">Contains</span>
        <input
          ref={field}
          type="search"
          data-filter
          defaultValue={props.text}
          placeholder="part of the message"
          onInput={(event) => typed(event.currentTarget.value)}
        />
      </label>
      <label>
        <span class="label">Level</span>
        <select
          value={props.level}
          onChange={(event) => setQuery({ level: event.currentTarget.value })}
        >
          <option value="">all</option>
          {LEVELS.map((level) => (
            <option key={level} value={level}>
              {level === 'ERROR' ? level : `${level} and worse`}
            </option>
          ))}
        </select>
      </label>
      <button
        type="button"
        aria-pressed={isPaused}
        onClick={() => (isPaused ? props.view.current?.resume() : props.view.current?.pause())}
      >
        {isPaused ? <Play size={14} aria-hidden /> : <Pause size={14} aria-hidden />}
        {isPaused ? ' Resume' : ' Pause'}
      </button>
      <span class="spring" />
      <span class="muted">
        {logs.isAsking.value && 'searching the journal\u2026 '}
        {counted(logs.size.value, 'row')}
        {logs.size.value > 0 &&
          (logs.hasOlder.value ? ', older ones as you scroll up' : ', back to the first')}
      </span>
    </div>
  )
}

/** What stands in the list's place while it has no rows. */
function Place(): JSX.Element | null {
  if (logs.size.value > 0) return null
  const failure = logs.failure.value
  if (failure?.kind === 'unreachable' || offlineSince.value !== null) {
    return (
      <Note kind="offline">
        <p>Disconnected: no log lines were loaded before. This list fills by itself.</p>
        <PortForward />
      </Note>
    )
  }
  if (failure?.kind === 'forbidden') {
    return (
      <Note kind="forbidden">
        Forbidden: this session may not see log lines ({failure.message}). Log out, then log in with
        the admin key.
      </Note>
    )
  }
  if (failure && failure.kind !== 'starting') {
    return <Note kind="failed">The recorder could not tell log lines: {failure.message}</Note>
  }
  if (logs.isAsking.value)
    return <Note kind="loading">Loading: the recorder was asked for log lines.</Note>
  if (logs.hasOlder.value)
    return <Note kind="loading">Searching: no line so far; older ones are being looked at.</Note>
  const isNarrowed = query.value.has('level') || query.value.has('q')
  return (
    <Note kind="empty">
      {isNarrowed
        ? 'No recorded line matches. Clear the filter to see all; matching lines appear as they come.'
        : 'No log line is recorded. Lines appear here as the app-server and followed pods write them.'}
    </Note>
  )
}

function Held({ view }: ViewProps): JSX.Element | null {
  if (!logs.isPaused.value || isReplay.value) return null
  return (
    <button type="button" class="held primary" onClick={() => view.current?.resume()}>
      <Pause size={14} aria-hidden /> paused, {counted(logs.held.value, 'new row')}: resume (End)
    </button>
  )
}

function LineDetail({ item }: { readonly item: LogItem }): JSX.Element {
  if (item.kind !== 'line') {
    return (
      <Detail title="Missing lines" onClose={closeLine}>
        <p>{item.kind === 'gap' ? gapText(item.gap, zone.value) : shedText(item.shed)}</p>
        {item.kind === 'shed' && (
          <button type="button" onClick={() => logs.reload()}>
            Load the list again
          </button>
        )}
      </Detail>
    )
  }
  const { line } = item
  return (
    <Detail title="Log line" onClose={closeLine}>
      <Fields
        rows={[
          ['Time', fullTime(line.time, zone.value)],
          ['Learned', fullTime(line.learned, zone.value)],
          ['Level', line.level],
          ['Target', line.target],
          ['Span', line.span_name || '(none)'],
          ['Source', line.source],
          ['Seq', String(line.seq)],
        ]}
      />
      <CopyButton text={line.message} what="the message" />
      <pre class="message" tabIndex={0} aria-label="Message">
        {line.message}
      </pre>
    </Detail>
  )
}

function closeLine(): void {
  opened.value = null
}

/** For screen readers: a list that announced each line could not be listened to. */
function Told(): JSX.Element {
  const told = useSignal('')
  const text = useComputed(() => counted(logs.size.value + logs.held.value, 'row'))
  useEffect(() => {
    const timer = setInterval(() => {
      told.value = `${text.peek()} in the log list`
    }, TOLD_MS)
    return () => clearInterval(timer)
  }, [])
  return (
    <p class="for-readers" role="status">
      {told}
    </p>
  )
}
