/** Request traces: which took how long, and where the time went. */

import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

import type { Request } from '../api/types.ts'
import { Waterfall } from '../islands/waterfall.ts'
import { count, counted } from '../lib/format.ts'
import { printable } from '../lib/printable.ts'
import { duration, fullTime } from '../lib/time.ts'
import { UnsavedBadge } from '../parts/badge.tsx'
import { DataTable } from '../parts/data-table.tsx'
import type { Column } from '../parts/data-table.tsx'
import { Detail, Fields } from '../parts/detail.tsx'
import { JsonPane } from '../parts/json-pane.tsx'
import { Older } from '../parts/older.tsx'
import { Answered } from '../parts/states.tsx'
import { Time } from '../parts/time.tsx'
import { Unobserved } from '../parts/unobserved.tsx'
import { now, recorderNow } from '../state/clock.ts'
import { requests } from '../state/lists.ts'
import { query, setQuery } from '../state/route.ts'
import { zone } from '../state/settings.ts'
import { isReplay } from '../state/status.ts'

/** The page. */
export function RequestsPage(): JSX.Element {
  const all = requests.open().all()
  const text = query.value.get('q') ?? ''
  const id = query.value.get('id')
  const rows = all.filter((row) => has(row, text)).toSorted((a, b) => b.start - a.start)
  const opened = all.find((row) => row.id === id)
  return (
    <div class="page page-fill">
      <div class="toolbar">
        <label>
          <span class="label">Path</span>
          <input
            type="search"
            data-filter
            value={text}
            placeholder="part of a section's path"
            onInput={(event) => setQuery({ q: event.currentTarget.value })}
          />
        </label>
        <span class="spring" />
        <span class="muted">
          {counted(rows.length, 'request')},{' '}
          {count(rows.filter((row) => row.end === 'open').length)} open
        </span>
      </div>
      <Unobserved source="app-server" />
      <div class="with-detail with-wide-detail">
        <div class="scroll">
          <Answered
            of={requests}
            subject="requests"
            isEmpty={rows.length === 0}
            empty={
              all.length === 0
                ? 'No request is recorded. Requests appear as the app-server traces them.'
                : 'No request that is loaded has such a path. Clear the filter to see all.'
            }
          >
            <DataTable
              label="Requests, newest first"
              columns={COLUMNS}
              rows={rows}
              id={(row) => row.id}
              selected={id}
              onOpen={(row) => setQuery({ id: row.id === id ? '' : row.id })}
            />
          </Answered>
          <Older of={requests} />
        </div>
        {opened && <RequestPane request={opened} />}
      </div>
    </div>
  )
}

function has(row: Request, text: string): boolean {
  const wanted = text.toLowerCase()
  return wanted === '' || row.sections.some((one) => one.path.toLowerCase().includes(wanted))
}

const COLUMNS: readonly Column<Request>[] = [
  { name: 'Path', cell: (row) => printable(name(row)), sort: name, isMain: true },
  {
    name: 'Duration',
    cell: (row) => <Took request={row} />,
    sort: (row) => row.duration ?? Number.POSITIVE_INFINITY,
    isNumber: true,
  },
  { name: 'Start', cell: (row) => <Time at={row.start} />, sort: (row) => row.start },
  {
    name: 'Sections',
    cell: (row) => count(row.sections.length),
    sort: (row) => row.sections.length,
    isNumber: true,
    isMinor: true,
  },
  { name: 'Id', cell: (row) => <code>{row.id.slice(0, 8)}</code>, isMinor: true },
]

/** The path of the section that began first: what the request is about. */
function name(row: Request): string {
  return row.sections[0]?.path ?? '(no sections)'
}

function Took({ request }: { readonly request: Request }): JSX.Element {
  if (request.duration !== null) return <>{duration(request.duration)}</>
  if (request.end === 'open') return <OpenFor request={request} />
  return <span class="warn">{'\u25b2'} end not seen</span>
}

function OpenFor({ request }: { readonly request: Request }): JSX.Element {
  return (
    <span class="open">
      {'\u25cb'} open
      {!isReplay.value && ` ${duration(Math.max(0, recorderNow() - request.start))}`}{' '}
      <UnsavedBadge saved={request.saved} />
    </span>
  )
}

function RequestPane({ request }: { readonly request: Request }): JSX.Element {
  const infos = request.sections.filter((one) => one.extra_info !== null)
  return (
    <Detail title={printable(name(request))} onClose={() => setQuery({ id: '' })}>
      <Fields
        rows={[
          ['Duration', <Took key="took" request={request} />],
          ['Start', fullTime(request.start, zone.value)],
          ['Sections', count(request.sections.length)],
          ['Id', request.id],
          ['Source', request.source],
          ['Seq', String(request.seq)],
        ]}
      />
      <Bars request={request} />
      {infos.length > 0 && <h3>Extra information</h3>}
      {infos.length > 0 && (
        <JsonPane
          value={infos.map((one) => ({ path: one.path, extra_info: one.extra_info }))}
          what="the extra information"
        />
      )}
    </Detail>
  )
}

function Bars({ request }: { readonly request: Request }): JSX.Element {
  const host = useRef<HTMLDivElement>(null)
  const waterfall = useRef<Waterfall | null>(null)
  useEffect(() => {
    if (!host.current) return undefined
    const present = (): number | null => (isReplay.peek() ? null : recorderNow())
    const island = new Waterfall(host.current, present)
    waterfall.current = island
    return () => island.destroy()
  }, [])
  // What is open grows each second.
  const tick = request.end === 'open' ? now.value : 0
  useEffect(() => waterfall.current?.show(request), [request, tick])
  return <div ref={host} class="waterfall" role="list" aria-label="Sections" tabIndex={0} />
}
