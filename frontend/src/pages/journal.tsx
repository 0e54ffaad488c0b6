/** The journal's files: how far it reaches, how to take it away, how to throw it away. */

import { useSignal } from '@preact/signals'
import { Download } from 'lucide-preact'
import type { JSX } from 'preact'

import { apiUrl } from '../api/client.ts'
import type { Journal, LeftAlone, Segment } from '../api/types.ts'
import { bytes, count } from '../lib/format.ts'
import { DataTable } from '../parts/data-table.tsx'
import type { Column } from '../parts/data-table.tsx'
import { Fields } from '../parts/detail.tsx'
import { JsonPane } from '../parts/json-pane.tsx'
import { Panel } from '../parts/panel.tsx'
import { Answered } from '../parts/states.tsx'
import { Time } from '../parts/time.tsx'
import { useJournal } from '../state/journal.ts'
import { isReplay } from '../state/status.ts'
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
      <Panel title="What the last start found">
        <JsonPane value={answer.recovery} what="the recovery report" />
      </Panel>
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
          ['Events', `${count(journal.first_seq)} to ${count(journal.last_seq)}`],
          ['Durable up to', count(journal.durable_seq)],
          ['Recorded', bytes(journal.bytes)],
          ['Volume', volumeText(answer)],
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
