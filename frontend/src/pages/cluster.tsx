/** The objects of the cluster: those that are, and those that were. */

import type { JSX } from 'preact'

import type { ObjectRow } from '../api/types.ts'
import { counted } from '../lib/format.ts'
import { longDuration } from '../lib/time.ts'
import { DataTable } from '../parts/data-table.tsx'
import type { Column } from '../parts/data-table.tsx'
import { ObjectState } from '../parts/object-state.tsx'
import { Answered } from '../parts/states.tsx'
import { Time } from '../parts/time.tsx'
import { Unobserved } from '../parts/unobserved.tsx'
import { recorderNow } from '../state/clock.ts'
import { objects } from '../state/lists.ts'
import { query, setQuery } from '../state/route.ts'
import { isReplay } from '../state/status.ts'
import { ObjectPane } from './object-pane.tsx'

/** The page. */
export function ClusterPage(): JSX.Element {
  const all = objects.open().all()
  const filter = filterOf(query.value)
  const rows = all.filter((row) => passes(row, filter)).toSorted(byUrgency)
  const uid = query.value.get('uid')
  return (
    <div class="page page-fill">
      <Toolbar all={all} filter={filter} shown={rows.length} />
      <Unobserved source="cluster/" />
      <div class="with-detail">
        <div class="scroll">
          <Answered
            of={objects}
            subject="cluster objects"
            isEmpty={rows.length === 0}
            empty={
              all.length === 0
                ? 'No object of a cluster is recorded. Objects appear once a cluster source is up.'
                : 'No object matches the filter. Clear it to see all.'
            }
          >
            <DataTable
              label="Objects of the cluster"
              columns={COLUMNS}
              rows={rows}
              id={(row) => row.uid}
              selected={uid}
              onOpen={(row) => setQuery({ uid: row.uid === uid ? '' : row.uid })}
            />
          </Answered>
        </div>
        {uid && <ObjectPane key={uid} uid={uid} onClose={() => setQuery({ uid: '' })} />}
      </div>
    </div>
  )
}

interface Filter {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly isUnhealthyOnly: boolean
  readonly isDeletedToo: boolean
}

function filterOf(params: URLSearchParams): Filter {
  return {
    kind: params.get('kind') ?? '',
    namespace: params.get('ns') ?? '',
    name: params.get('q') ?? '',
    isUnhealthyOnly: params.has('unhealthy'),
    isDeletedToo: params.has('deleted'),
  }
}

function passes(row: ObjectRow, filter: Filter): boolean {
  return (
    (filter.kind === '' || row.kind === filter.kind) &&
    (filter.namespace === '' || row.namespace === filter.namespace) &&
    row.name.toLowerCase().includes(filter.name.toLowerCase()) &&
    (!filter.isUnhealthyOnly || (!row.healthy && row.deleted === false)) &&
    (filter.isDeletedToo || row.deleted === false)
  )
}

/** What is wrong, what lives, and what is gone (the last one first). */
function byUrgency(a: ObjectRow, b: ObjectRow): number {
  if (a.deleted !== false && b.deleted !== false) return Number(b.deleted) - Number(a.deleted)
  if (a.deleted !== false || b.deleted !== false) return a.deleted === false ? -1 : 1
  if (a.healthy !== b.healthy) return a.healthy ? 1 : -1
  return sortKey(a) < sortKey(b) ? -1 : 1
}

const sortKey = (row: ObjectRow): string => `${row.kind}\n${row.namespace}\n${row.name}`

interface ToolbarProps {
  readonly all: readonly ObjectRow[]
  readonly filter: Filter
  readonly shown: number
}

function Toolbar({ all, filter, shown }: ToolbarProps): JSX.Element {
  const gone = all.filter((row) => row.deleted !== false).length
  return (
    <div class="toolbar">
      <Choice
        label="Kind"
        value={filter.kind}
        of={all.map((row) => row.kind)}
        onChange={(kind) => setQuery({ kind })}
      />
      <Choice
        label="Namespace"
        value={filter.namespace}
        of={all.map((row) => row.namespace).filter((name) => name !== '')}
        onChange={(ns) => setQuery({ ns })}
      />
      <label>
        <span class="label">Name</span>
        <input
          type="search"
          data-filter
          value={filter.name}
          placeholder="part of the name"
          onInput={(event) => setQuery({ q: event.currentTarget.value })}
        />
      </label>
      <Check
        label="Only what is wrong"
        isOn={filter.isUnhealthyOnly}
        onChange={(on) => setQuery({ unhealthy: on ? '1' : '' })}
      />
      <Check
        label={`Deleted too (${gone})`}
        isOn={filter.isDeletedToo}
        onChange={(on) => setQuery({ deleted: on ? '1' : '' })}
      />
      <span class="spring" />
      <span class="muted">{counted(shown, 'object')}</span>
    </div>
  )
}

interface ChoiceProps {
  readonly label: string
  readonly value: string
  readonly of: readonly string[]
  readonly onChange: (value: string) => void
}

function Choice({ label, value, of, onChange }: ChoiceProps): JSX.Element {
  // What a link names stays a choice while no object has it.
  const values = [...new Set(value === '' ? of : [...of, value])].toSorted()
  return (
    <label>
      <span class="label">{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">all</option>
        {values.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </label>
  )
}

interface CheckProps {
  readonly label: string
  readonly isOn: boolean
  readonly onChange: (isOn: boolean) => void
}

function Check({ label, isOn, onChange }: CheckProps): JSX.Element {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={isOn}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      {label}
    </label>
  )
}

/** In a recording nothing grows older: only the time of its creation is known to be true. */
function ageText(created: number | null): string {
  return created === null || isReplay.value ? '' : longDuration(recorderNow() - created)
}

const COLUMNS: readonly Column<ObjectRow>[] = [
  { name: 'Name', cell: (row) => row.name, sort: (row) => row.name },
  { name: 'State', cell: (row) => <ObjectState row={row} />, sort: (row) => row.phase },
  { name: 'Detail', cell: (row) => row.detail, isMain: true },
  { name: 'Kind', cell: (row) => row.kind, sort: (row) => row.kind },
  { name: 'Namespace', cell: (row) => row.namespace, sort: (row) => row.namespace, isMinor: true },
  {
    name: 'Changed',
    cell: (row) => <Time at={row.changed} />,
    sort: (row) => row.changed,
    isMinor: true,
  },
  {
    name: 'Age',
    cell: (row) => ageText(row.created),
    sort: (row) => -(row.created ?? 0),
    isNumber: true,
    isMinor: true,
  },
]
