/** Log lines that Loki has, beside those of the journal. */

import { signal, useSignal } from '@preact/signals'
import type { JSX } from 'preact'

import type { LogItem } from '../lib/log-items.ts'
import { counted } from '../lib/format.ts'
import { fullTime } from '../lib/time.ts'
import { CopyButton } from '../parts/copy-button.tsx'
import { Detail, Fields } from '../parts/detail.tsx'
import { LogList } from '../parts/log-list.tsx'
import { Note } from '../parts/states.tsx'
import { Time } from '../parts/time.tsx'
import { recorderNow } from '../state/clock.ts'
import { loki } from '../state/loki.ts'
import { tool, useOutside } from '../state/outside.ts'
import { query, setQuery } from '../state/route.ts'
import { zone } from '../state/settings.ts'
import { LogSource } from './log-source.tsx'

const MINUTE = 60_000

/** How far back can be asked. */
const REACHES = [
  { text: '15 minutes', ms: 15 * MINUTE },
  { text: '1 hour', ms: 60 * MINUTE },
  { text: '6 hours', ms: 360 * MINUTE },
  { text: '24 hours', ms: 1440 * MINUTE },
] as const

const opened = signal<LogItem | null>(null)

/** The page. */
export function LokiLogs(): JSX.Element {
  useOutside()
  const { value: item } = opened
  return (
    <div class="page page-fill logs">
      <Toolbar />
      <Down />
      <div class="with-detail">
        <div class="log-box">
          <LogList store={loki} onOpen={(line) => (opened.value = line)} />
          <Place />
        </div>
        {item?.kind === 'line' && <LineDetail item={item} />}
      </div>
    </div>
  )
}

function Toolbar(): JSX.Element {
  const reach = useSignal<number>(loki.asked.peek()?.reach ?? REACHES[1].ms)
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    const text = query.value.get('logql') ?? ''
    void loki.ask({ query: text, reach: reach.value }, recorderNow())
  }
  return (
    <form class="toolbar" onSubmit={submit}>
      <LogSource />
      <label class="grow">
        <span class="label">LogQL</span>
        <input
          type="search"
          data-filter
          required
          spellcheck={false}
          value={query.value.get('logql') ?? ''}
          placeholder='{namespace="default"} |= "error"'
          onInput={(event) => setQuery({ logql: event.currentTarget.value })}
        />
      </label>
      <label>
        <span class="label">Last</span>
        <select
          value={reach.value}
          onChange={(event) => (reach.value = Number(event.currentTarget.value))}
        >
          {REACHES.map(({ text, ms }) => (
            <option key={ms} value={ms}>
              {text}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" class="primary" disabled={loki.isAsking.value}>
        {loki.isAsking.value ? 'Asking\u2026' : 'Ask Loki'}
      </button>
      <span class="spring" />
      <span class="muted" role="status">
        {counted(loki.size.value, 'line')}
        {loki.hasOlder.value && ', older ones as you scroll up'}
      </span>
    </form>
  )
}

function Down(): JSX.Element | null {
  const it = tool('loki')
  if (it?.up !== false) return null
  return (
    <Note kind="warn">
      <p>
        <b>Loki is down</b> since <Time at={it.since} />: {it.reason}
      </p>
      <p>The lines of the journal do not need it.</p>
    </Note>
  )
}

/** What stands in the list's place while it has no rows. */
function Place(): JSX.Element | null {
  if (loki.size.value > 0) return null
  if (loki.isAsking.value) return <Note kind="loading">Loading: Loki was asked.</Note>
  const failure = loki.failure.value
  if (failure) return <Note kind="failed">Loki could not be asked: {failure.message}</Note>
  return (
    <Note kind="empty">
      {loki.asked.value
        ? 'Loki has no line that matches within this time. Reach further back, or ask for less.'
        : 'Nothing has been asked. Loki is another tool: its lines are not in the journal, and are gone when it is.'}
    </Note>
  )
}

function LineDetail(props: { readonly item: LogItem & { readonly kind: 'line' } }): JSX.Element {
  const { line } = props.item
  return (
    <Detail title="Log line of Loki" onClose={() => (opened.value = null)}>
      <Fields
        rows={[
          ['Time', fullTime(line.time, zone.value)],
          ['Level', line.level],
          ['Target', line.target],
          ['Source', line.source],
        ]}
      />
      <CopyButton text={line.message} what="the message" />
      <pre class="message" tabIndex={0} aria-label="Message">
        {line.message}
      </pre>
    </Detail>
  )
}
