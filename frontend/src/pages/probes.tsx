/** Probes: whether what others serve answers, how quickly, and since when. */

import type { JSX } from 'preact'

import type { Probe } from '../api/types.ts'
import { counted } from '../lib/format.ts'
import { duration, longDuration } from '../lib/time.ts'
import { Badge, UnsavedBadge } from '../parts/badge.tsx'
import { DataTable } from '../parts/data-table.tsx'
import type { Column } from '../parts/data-table.tsx'
import { Answered } from '../parts/states.tsx'
import { Time } from '../parts/time.tsx'
import { Unobserved } from '../parts/unobserved.tsx'
import { recorderNow } from '../state/clock.ts'
import { probes } from '../state/lists.ts'
import { query, setQuery } from '../state/route.ts'
import { isReplay } from '../state/status.ts'

/** The page. */
export function ProbesPage(): JSX.Element {
  const all = probes.open().all()
  const text = (query.value.get('q') ?? '').toLowerCase()
  const rows = all.filter((row) => probeText(row).includes(text)).toSorted(byUrgency)
  const failing = all.filter((row) => !row.ok).length
  return (
    <div class="page">
      <div class="toolbar">
        <label>
          <span class="label">Contains</span>
          <input
            type="search"
            data-filter
            value={query.value.get('q') ?? ''}
            placeholder="part of name or target"
            onInput={(event) => setQuery({ q: event.currentTarget.value })}
          />
        </label>
        <span class="spring" />
        <span class="muted">
          {counted(all.length, 'probe')}, {failing === 0 ? 'none' : failing} failing
        </span>
      </div>
      <Unobserved source="probes" />
      <Answered
        of={probes}
        subject="probes"
        isEmpty={rows.length === 0}
        empty={
          all.length === 0
            ? 'No probe has a result. Probes are named in the configuration, and checked from then on.'
            : 'No probe matches. Clear the filter to see all.'
        }
      >
        <DataTable
          label="Probes, failing ones first"
          columns={COLUMNS}
          rows={rows}
          id={(row) => row.name}
        />
      </Answered>
    </div>
  )
}

function probeText(row: Probe): string {
  return `${row.name} ${row.target}`.toLowerCase()
}

function byUrgency(a: Probe, b: Probe): number {
  return Number(a.ok) - Number(b.ok) || (a.name < b.name ? -1 : 1)
}

const COLUMNS: readonly Column<Probe>[] = [
  { name: 'Probe', cell: (row) => <b>{row.name}</b>, sort: (row) => row.name },
  {
    name: 'Result',
    cell: (row) => (
      <>
        <Badge tone={row.ok ? 'good' : 'bad'} word={row.ok ? 'answers' : 'fails'} />{' '}
        <UnsavedBadge saved={row.saved} />
      </>
    ),
    sort: (row) => Number(row.ok),
  },
  {
    name: 'Latency',
    cell: (row) => (row.latency === null ? 'no answer' : duration(row.latency)),
    sort: (row) => row.latency ?? Number.POSITIVE_INFINITY,
    isNumber: true,
  },
  { name: 'Status', cell: (row) => row.status ?? '', sort: (row) => row.status ?? 0 },
  {
    name: 'Since',
    cell: (row) => (
      <>
        <Time at={row.since} />{' '}
        {!isReplay.value && (
          <span class="muted">{longDuration(recorderNow() - row.since)}</span>
        )}
      </>
    ),
    sort: (row) => row.since,
  },
  {
    name: 'Target',
    cell: (row) => (
      <>
        <code>{row.target}</code> {row.detail && <p class="reason">{row.detail}</p>}
      </>
    ),
    sort: (row) => row.target,
    isMain: true,
  },
  {
    name: 'Last check',
    cell: (row) => <Time at={row.observed} />,
    sort: (row) => row.observed,
    isMinor: true,
  },
]
