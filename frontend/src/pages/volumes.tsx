/** How full volumes are, the recorder's own first, and what processes use. */

import type { JSX } from 'preact'

import type { Process, Volume } from '../api/types.ts'
import { bytes, count, counted } from '../lib/format.ts'
import { longDuration } from '../lib/time.ts'
import { UnsavedBadge } from '../parts/badge.tsx'
import { DataTable } from '../parts/data-table.tsx'
import type { Column } from '../parts/data-table.tsx'
import { Panel } from '../parts/panel.tsx'
import { ShareBar } from '../parts/share-bar.tsx'
import { Answered } from '../parts/states.tsx'
import { Time } from '../parts/time.tsx'
import { Unobserved } from '../parts/unobserved.tsx'
import { recorderNow } from '../state/clock.ts'
import { processes, volumes } from '../state/lists.ts'
import { query, setQuery } from '../state/route.ts'
import { isReplay } from '../state/status.ts'
import { ProcessPane, VolumePane } from './volume-pane.tsx'

/** The page. */
export function VolumesPage(): JSX.Element {
  const key = query.value.get('volume')
  const name = query.value.get('process')
  const volume = volumes.open().all().find((row) => row.key === key)
  const process = processes.open().all().find((row) => row.name === name)
  return (
    <div class="page page-fill">
      <Toolbar />
      <Unobserved source="volumes" />
      <div class="with-detail">
        <div class="scroll stack">
          <VolumeTable selected={key} />
          <ProcessTable selected={name} />
        </div>
        {volume && <VolumePane key={volume.key} row={volume} />}
        {!volume && process && <ProcessPane row={process} />}
      </div>
    </div>
  )
}

function Toolbar(): JSX.Element {
  return (
    <div class="toolbar">
      <label>
        <span class="label">Contains</span>
        <input
          type="search"
          data-filter
          value={query.value.get('q') ?? ''}
          placeholder="part of a name"
          onInput={(event) => setQuery({ q: event.currentTarget.value })}
        />
      </label>
    </div>
  )
}

/** What is typed into the filter, in small letters. */
function wanted(): string {
  return (query.value.get('q') ?? '').toLowerCase()
}

function VolumeTable({ selected }: { readonly selected: string | null }): JSX.Element {
  const all = volumes.open().all()
  const text = wanted()
  const rows = all.filter((row) => volumeText(row).includes(text)).toSorted(byRoom)
  return (
    <Panel title="Volumes" aside={counted(rows.length, 'volume')}>
      <Answered
        of={volumes}
        subject="volumes"
        isEmpty={rows.length === 0}
        empty={
          all.length === 0
            ? 'No volume has been measured. Volumes appear once a volume source is up.'
            : 'No volume matches. Clear the filter to see all.'
        }
      >
        <DataTable
          label="Volumes: the recorder's own, then the fullest first"
          columns={VOLUME_COLUMNS}
          rows={rows}
          id={(row) => row.key}
          selected={selected}
          onOpen={(row) => setQuery({ volume: row.key === selected ? '' : row.key, process: '' })}
        />
      </Answered>
    </Panel>
  )
}

function volumeText(row: Volume): string {
  return `${row.namespace}/${row.claim} ${row.pod} ${row.node}`.toLowerCase()
}

/** The recorder's own first, then the fullest. */
function byRoom(a: Volume, b: Volume): number {
  const own = Number(b.namespace === '') - Number(a.namespace === '')
  return own || (b.ratio ?? 0) - (a.ratio ?? 0) || (volumeText(a) < volumeText(b) ? -1 : 1)
}

const VOLUME_COLUMNS: readonly Column<Volume>[] = [
  {
    name: 'Volume',
    cell: (row) => (row.namespace === '' ? "the recorder's own" : `${row.namespace}/${row.claim}`),
    sort: (row) => `${row.namespace}/${row.claim}`,
  },
  { name: 'Used', cell: (row) => <ShareBar share={row.ratio} />, sort: (row) => row.ratio ?? -1 },
  {
    name: 'Bytes',
    cell: (row) => `${bytes(row.used_bytes)} of ${bytes(row.capacity_bytes)}`,
    sort: (row) => row.used_bytes,
  },
  {
    name: 'Where',
    cell: (row) => [row.pod, row.node && `on ${row.node}`].filter(Boolean).join(' '),
    sort: (row) => row.pod,
    isMain: true,
  },
  {
    name: 'Observed',
    cell: (row) => <Observed at={row.observed} saved={row.saved} />,
    sort: (row) => row.observed,
  },
  { name: 'Source', cell: (row) => row.source, sort: (row) => row.source, isMinor: true },
]

/** When it was measured, and how long ago: an old measure is not to be taken for a present one. */
function Observed(props: { readonly at: number; readonly saved: boolean }): JSX.Element {
  return (
    <>
      <UnsavedBadge saved={props.saved} /> <Time at={props.at} />{' '}
      {!isReplay.value && (
        <span class="muted">{longDuration(recorderNow() - props.at)} ago</span>
      )}
    </>
  )
}

function ProcessTable({ selected }: { readonly selected: string | null }): JSX.Element {
  const all = processes.open().all()
  const text = wanted()
  const rows = all.filter((row) => row.name.toLowerCase().includes(text)).toSorted(byMemory)
  return (
    <Panel title="Processes" aside={counted(rows.length, 'process', 'processes')}>
      <Answered
        of={processes}
        subject="processes"
        isEmpty={rows.length === 0}
        empty={
          all.length === 0
            ? 'No process has been measured. They appear once a volume source or the app-server is up.'
            : 'No process matches. Clear the filter to see all.'
        }
      >
        <DataTable
          label="Processes, largest first"
          columns={PROCESS_COLUMNS}
          rows={rows}
          id={(row) => row.name}
          selected={selected}
          onOpen={(row) => setQuery({ process: row.name === selected ? '' : row.name, volume: '' })}
        />
      </Answered>
    </Panel>
  )
}

/** The recorder and the app-server first, then by memory. */
function byMemory(a: Process, b: Process): number {
  const own = Number(a.name.includes('/')) - Number(b.name.includes('/'))
  return own || (b.memory_bytes ?? 0) - (a.memory_bytes ?? 0) || (a.name < b.name ? -1 : 1)
}

const PROCESS_COLUMNS: readonly Column<Process>[] = [
  { name: 'Process', cell: (row) => row.name, sort: (row) => row.name, isMain: true },
  {
    name: 'Memory',
    cell: (row) => (row.memory_bytes === null ? 'not known' : bytes(row.memory_bytes)),
    sort: (row) => row.memory_bytes ?? -1,
    isNumber: true,
  },
  {
    name: 'Processors',
    cell: (row) => (row.cpu_cores === null ? 'not known' : cores(row.cpu_cores)),
    sort: (row) => row.cpu_cores ?? -1,
    isNumber: true,
  },
  {
    name: 'Observed',
    cell: (row) => <Observed at={row.observed} saved={row.saved} />,
    sort: (row) => row.observed,
  },
  { name: 'Source', cell: (row) => row.source, sort: (row) => row.source, isMinor: true },
]

/** `0.25`, `12`. */
function cores(n: number): string {
  return n < 10 ? n.toFixed(2) : count(Math.round(n))
}
