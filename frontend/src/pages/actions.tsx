/** What admins did and how it ended; and the forms to do one thing more. */

import type { JSX } from 'preact'

import type { Action } from '../api/types.ts'
import { cut, pairs } from '../lib/format.ts'
import { duration } from '../lib/time.ts'
import { OutcomeBadge, UnsavedBadge } from '../parts/badge.tsx'
import { DataTable } from '../parts/data-table.tsx'
import type { Column } from '../parts/data-table.tsx'
import { Older } from '../parts/older.tsx'
import { Panel } from '../parts/panel.tsx'
import { Answered } from '../parts/states.tsx'
import { Time } from '../parts/time.tsx'
import { actions } from '../state/lists.ts'
import { query, setQuery } from '../state/route.ts'
import { ActionForms } from './action-forms.tsx'
import { ActionPane } from './action-pane.tsx'

const ARGS_CHARS_MAX = 160

/** The page. */
export function ActionsPage(): JSX.Element {
  const rows = actions.open().all().toSorted(byTime)
  const id = query.value.get('id')
  return (
    <div class="page page-fill">
      <div class="with-detail">
        <div class="scroll stack">
          <ActionForms />
          <Panel title="On record">
            <Answered
              of={actions}
              subject="actions"
              isEmpty={rows.length === 0}
              empty="No action is on record. What an admin starts or wipes appears here, with how it ended."
            >
              <DataTable
                label="Actions, running ones first, then newest first"
                columns={COLUMNS}
                rows={rows}
                id={(row) => row.id}
                selected={id}
                onOpen={(row) => setQuery({ id: row.id === id ? '' : row.id })}
              />
            </Answered>
            <Older of={actions} />
          </Panel>
        </div>
        {id && <ActionPane key={id} id={id} onClose={() => setQuery({ id: '' })} />}
      </div>
    </div>
  )
}

/** Running ones, then the newest. */
function byTime(a: Action, b: Action): number {
  return Number(isRunning(b)) - Number(isRunning(a)) || b.started - a.started
}

function isRunning(action: Action): boolean {
  return action.outcome === null
}

const COLUMNS: readonly Column<Action>[] = [
  { name: 'Started', cell: (row) => <Time at={row.started} />, sort: (row) => row.started },
  { name: 'Action', cell: (row) => <b>{row.action}</b>, sort: (row) => row.action },
  {
    name: 'Outcome',
    cell: (row) => (
      <>
        <OutcomeBadge outcome={row.outcome} /> <UnsavedBadge saved={row.saved} />
      </>
    ),
  },
  { name: 'Detail', cell: (row) => <ActionDetail row={row} />, isMain: true },
  { name: 'By', cell: (row) => row.actor, sort: (row) => row.actor },
  { name: 'Took', cell: tookText, isNumber: true, isMinor: true },
  {
    name: 'Seq',
    cell: (row) => String(row.seq),
    sort: (row) => row.seq,
    isNumber: true,
    isMinor: true,
  },
]

function tookText(row: Action): string {
  return row.ended === null ? '' : duration(row.ended - row.started)
}

function ActionDetail({ row }: { readonly row: Action }): JSX.Element {
  return (
    <>
      <span class="muted">{cut(pairs(row.args), ARGS_CHARS_MAX)}</span> {row.detail}
      {row.outcome === 'unknown' && (
        <span class="muted"> Look at the cluster to see whether it took effect.</span>
      )}
    </>
  )
}
