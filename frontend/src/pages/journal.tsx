/** The journal's files: how far it reaches, how to take it away, how to throw it away. */

import { useSignal } from '@preact/signals'
import { Download } from 'lucide-preact'
import type { JSX } from 'preact'

import { apiUrl } from '../api/client.ts'
import type { Journal, LeftAlone, Segment, Upkeep } from '../api/types.ts'
import { bytes, count } from '../lib/format.ts'
import { findings, summary } from '../lib/recovery.ts'
import { longDuration } from '../lib/time.ts'
import { Badge } from '../parts/badge.tsx'
import { DataTable } from '../parts/data-table.tsx'
import type { Column } from '../parts/data-table.tsx'
import { Fields } from '../parts/detail.tsx'
import { Panel } from '../parts/panel.tsx'
import { Answered } from '../parts/states.tsx'
import { Time } from '../parts/time.tsx'
import { recorderNow } from '../state/clock.ts'
import { useJournal } from '../state/journal.ts'
import { isReplay, lostNow } from '../state/status.ts'
import { whyNoWrites } from '../state/writes.ts'
import { WipeDialog } from './wipe-dialog.tsx'

/** The page. */
export function JournalPage(): JSX.Element {
  const journal = useJournal()
  const answer = journal.value.value
  return (
    <div class="page">
      <Answered of={journal} subject="the journal's files" isEmpty={false} empty="">
        {answer && <Parts answer={answer} />}
      </Answered>
    </div>
  )
}

function Parts({ answer }: { readonly answer: Journal }): JSX.Element {
  return (
    <>
      <Positions answer={answer} />
      <Panel title="Segments" aside={count(answer.segments.length)}>
        {answer.segments.length === 0 ? (
          <p class="none">No segment yet: the first event makes one.</p>
        ) : (
          <DataTable
            label="Segments, oldest first"
            columns={COLUMNS}
            rows={answer.segments}
            id={(segment) => segment.name}
          />
        )}
      </Panel>
      <LeftAloneFiles files={answer.left_alone} />
      <UpkeepPanel rows={answer.upkeep} />
      <RecoveryPanel recovery={answer.recovery} />
    </>
  )
}

function Positions({ answer }: { readonly answer: Journal }): JSX.Element {
  const isWiping = useSignal(false)
  const { journal } = answer
  const refusal = whyNoWrites()
  return (
    <Panel title="Journal" class="positions">
      <Fields
        rows={[
          ['Id', <code key="id">{journal.id || 'not open yet'}</code>],
          ['Epoch', String(journal.epoch)],
          ['Events', eventsText(journal.first_seq, journal.last_seq)],
          ['Durable up to', count(journal.durable_seq)],
          ['Recorded', bytes(journal.bytes)],
          ['Volume', volumeText(answer)],
          ['Reaches back', <Reaches key="reach" answer={answer} />],
          ...(isReplay.value ? [] : [['Keeps', limitsText(answer)] as const]),
        ]}
      />
      <div class="buttons">
        <a class="button primary" href={apiUrl('journal/backup')} download>
          <Download size={14} aria-hidden /> Download a backup
        </a>
        <button
          type="button"
          class="danger"
          disabled={refusal !== null}
          aria-describedby="wipe-refusal"
          onClick={() => (isWiping.value = true)}
        >
          Wipe{'\u2026'}
        </button>
        <span id="wipe-refusal" class="muted">
          {refusal}
        </span>
      </div>
      <p class="muted">
        A backup is a tar of the segments up to this moment.{' '}
        {!isReplay.value && (
          <>
            See it again with <code>monitor-backend replay FILE</code>.
          </>
        )}
      </p>
      {isWiping.value && <WipeDialog answer={answer} onClose={() => (isWiping.value = false)} />}
    </Panel>
  )
}

function volumeText({ volume_bytes: all, volume_free_bytes: free }: Journal): string {
  if (all === null || free === null) return 'size not known'
  const used = all === 0 ? 0 : Math.round((100 * (all - free)) / all)
  const word = used >= 90 ? 'full' : used >= 70 ? 'high' : 'ok'
  return `${bytes(free)} of ${bytes(all)} free (${used} % used, ${word})`
}

/** How far back it reaches, in words. */
function Reaches({ answer }: { readonly answer: Journal }): JSX.Element {
  const { from, bytes_per_hour: rate, duration, retires_at: end } = answer.reach
  if (from === null) return <>nothing is recorded yet</>
  return (
    <>
      to <Time at={from} />
      {!isReplay.value && ` (${longDuration(recorderNow() - from)})`}
      {!isReplay.value && rate === null && '; the present rate is not known yet'}
      {!isReplay.value && rate !== null && `; ${bytes(Math.round(rate))} an hour now`}
      {!isReplay.value && duration !== null && `, at which it reaches back ${reachText(duration)}`}
      {!isReplay.value && end !== null && end - recorderNow() < FORESEEN_MS && (
        <>
          ; the oldest segment goes at about <Time at={end} />
        </>
      )}
    </>
  )
}

/** Longer is for as long as anybody asks. */
const REACH_MAX_MS = 10 * 365 * 86_400_000
/** What lies further ahead is a guess. */
const FORESEEN_MS = 7 * 86_400_000

function reachText(ms: number): string {
  return ms > REACH_MAX_MS ? 'for years' : longDuration(ms)
}

/** The limits in force. */
function limitsText({ limits }: Journal): string {
  const parts = [
    limits.bytes_max === null ? 'as much as fits' : `at most ${bytes(limits.bytes_max)}`,
    limits.age_max === null ? null : `at most ${longDuration(limits.age_max)}`,
    limits.free_min_bytes === null ? null : `${bytes(limits.free_min_bytes)} stay free`,
    limits.source_bytes_per_day === null
      ? null
      : `${bytes(limits.source_bytes_per_day)} a day from each source of log lines and traces`,
  ]
  return parts.filter((part) => part !== null).join('; ')
}

const UPKEEP_WORDS: Readonly<Record<string, string>> = {
  retention: 'retired',
  files_removed: 'files removed',
  degraded: 'was degraded',
}

function eventsText(first: number, last: number): string {
  return last < first ? 'none yet' : `${count(first)} to ${count(last)}`
}

/** What the recorder did to its files, or found. */
function UpkeepPanel({ rows }: { readonly rows: readonly Upkeep[] }): JSX.Element {
  return (
    <Panel title="What was done to it" aside={count(rows.length)}>
      {rows.length === 0 ? (
        <p class="none">
          No segment was retired, no file was missing
          {lostNow.value > 0 ? '. Records are being lost now.' : ', every record was taken.'}
        </p>
      ) : (
        <ul class="lines">
          {rows.map((row) => (
            <li key={row.seq}>
              <Time at={row.time} />{' '}
              <Badge
                tone={row.what === 'retention' ? 'calm' : 'warn'}
                word={UPKEEP_WORDS[row.what] ?? row.what}
              />{' '}
              {row.detail}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}

function RecoveryPanel({ recovery }: { readonly recovery: unknown }): JSX.Element {
  return (
    <Panel title="What the last start found">
      <ul class="lines">
        {findings(recovery).map((one) => (
          <li key={one.text}>
            <Badge tone={one.tone} word={FINDING_WORDS[one.tone]} /> {one.text}
          </li>
        ))}
      </ul>
      <p class="muted">{summary(recovery)}</p>
    </Panel>
  )
}

const FINDING_WORDS = { good: 'well', warn: 'note', bad: 'damage' } as const

const COLUMNS: readonly Column<Segment>[] = [
  { name: 'Segment', cell: (one) => <SegmentLink name={one.name} />, sort: (one) => one.name },
  { name: 'Events', cell: rangeText, sort: (one) => one.first_seq ?? 0, isNumber: true },
  { name: 'Size', cell: (one) => bytes(one.bytes), sort: (one) => one.bytes, isNumber: true },
  { name: 'State', cell: (one) => (one.sealed ? 'sealed' : 'open'), isMain: true },
  { name: 'Damaged', cell: damageText, sort: (one) => one.damaged, isNumber: true },
  { name: 'Created', cell: (one) => <Time at={one.created} />, sort: (one) => one.created },
  { name: 'Epoch', cell: (one) => String(one.epoch), isNumber: true, isMinor: true },
]

function SegmentLink({ name }: { readonly name: string }): JSX.Element {
  return (
    <a href={apiUrl(`journal/segments/${encodeURIComponent(name)}`)} download={name}>
      <code>{name}</code>
    </a>
  )
}

function rangeText({ first_seq: first, last_seq: last }: Segment): string {
  if (first === null || last === null) return 'none'
  return `${count(first)} to ${count(last)}`
}

function damageText({ damaged }: Segment): JSX.Element {
  return damaged === 0 ? <>0</> : <b class="bad">{`\u2715 ${count(damaged)}`}</b>
}

function LeftAloneFiles({ files }: { readonly files: readonly LeftAlone[] }): JSX.Element | null {
  if (files.length === 0) return null
  return (
    <Panel title="Files left alone" aside={count(files.length)}>
      <ul class="lines">
        {files.map((file) => (
          <li key={file.name}>
            <code>{file.name}</code> {file.reason}
          </li>
        ))}
      </ul>
    </Panel>
  )
}
