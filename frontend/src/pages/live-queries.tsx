/** Live queries: which tables are watched, by how many, and what they last answered. */

import type { JSX } from 'preact'

import type { LiveQuery } from '../api/types.ts'
import { count, counted, jsonLine } from '../lib/format.ts'
import { fullTime } from '../lib/time.ts'
import { Badge, UnsavedBadge } from '../parts/badge.tsx'
import { DataTable } from '../parts/data-table.tsx'
import type { Column } from '../parts/data-table.tsx'
import { Detail, Fields } from '../parts/detail.tsx'
import { JsonPane } from '../parts/json-pane.tsx'
import { Answered } from '../parts/states.tsx'
import { Time } from '../parts/time.tsx'
import { Unobserved } from '../parts/unobserved.tsx'
import { liveQueries } from '../state/lists.ts'
import { query, setQuery } from '../state/route.ts'
import { zone } from '../state/settings.ts'

const FILTER_CHARS_MAX = 100

/** The page. */
export function LiveQueriesPage(): JSX.Element {
  const all = liveQueries.open().all()
  const text = (query.value.get('q') ?? '').toLowerCase()
  const id = query.value.get('id')
  const rows = all.filter((row) => key(row).toLowerCase().includes(text)).toSorted(byKey)
  const opened = all.find((row) => row.id === id)
  const watchers = rows.reduce((sum, row) => sum + row.watchers_count, 0)
  return (
    <div class="page page-fill">
      <div class="toolbar">
        <label>
          <span class="label">Contains</span>
          <input
            type="search"
            data-filter
            value={query.value.get('q') ?? ''}
            placeholder="part of table or filter"
            onInput={(event) => setQuery({ q: event.currentTarget.value })}
          />
        </label>
        <span class="spring" />
        <span class="muted">
          {counted(rows.length, 'live query', 'live queries')}, {counted(watchers, 'watcher')}
        </span>
      </div>
      <Unobserved source="app-server" />
      <div class="with-detail">
        <div class="scroll">
          <Answered
            of={liveQueries}
            subject="live queries"
            isEmpty={rows.length === 0}
            empty={
              all.length === 0
                ? 'No live query is known. They appear when clients of the app-server watch a table.'
                : 'No live query matches. Clear the filter to see all.'
            }
          >
            <DataTable
              label="Live queries"
              columns={COLUMNS}
              rows={rows}
              id={(row) => row.id}
              selected={id}
              onOpen={(row) => setQuery({ id: row.id === id ? '' : row.id })}
            />
          </Answered>
        </div>
        {opened && <QueryPane row={opened} />}
      </div>
    </div>
  )
}

const key = (row: LiveQuery): string => `${row.table_name} ${JSON.stringify(row.filter)}`
const byKey = (a: LiveQuery, b: LiveQuery): number => (key(a) < key(b) ? -1 : 1)

const COLUMNS: readonly Column<LiveQuery>[] = [
  { name: 'Table', cell: (row) => row.table_name, sort: (row) => row.table_name },
  {
    name: 'Filter',
    cell: (row) => <code>{jsonLine(row.filter, FILTER_CHARS_MAX)}</code>,
    sort: (row) => JSON.stringify(row.filter),
    isMain: true,
  },
  {
    name: 'Watchers',
    cell: (row) => count(row.watchers_count),
    sort: (row) => row.watchers_count,
    isNumber: true,
  },
  {
    name: 'Entries',
    cell: (row) => count(row.last_entries.length),
    sort: (row) => row.last_entries.length,
    isNumber: true,
  },
  {
    name: 'Learned',
    cell: (row) => (
      <>
        {!row.observed && <Badge tone="warn" word="not observed now" />}{' '}
        <UnsavedBadge saved={row.saved} /> <Time at={row.time} />
      </>
    ),
    sort: (row) => row.time,
    isMinor: true,
  },
]

function QueryPane({ row }: { readonly row: LiveQuery }): JSX.Element {
  return (
    <Detail title={row.table_name} onClose={() => setQuery({ id: '' })}>
      <Fields
        rows={[
          ['Watchers', count(row.watchers_count)],
          ['Learned', fullTime(row.time, zone.value)],
          ['Observed', row.observed ? 'yes' : 'not since its source went down'],
          ['Source', row.source],
          ['Seq', String(row.seq)],
        ]}
      />
      <h3>Filter</h3>
      <JsonPane value={row.filter} what="the filter" />
      <h3>Last entries ({count(row.last_entries.length)})</h3>
      <JsonPane value={row.last_entries} what="the last entries" />
    </Detail>
  )
}
