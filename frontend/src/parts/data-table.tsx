/** A table of some hundred rows that can be sorted by its columns. */

import { useSignal } from '@preact/signals'
import type { ComponentChildren, JSX } from 'preact'

import { count } from '../lib/format.ts'

/** Rows drawn at first, and added by each "show more". */
const SHOWN = 300

/** A column. */
export interface Column<T> {
  readonly name: string
  cell(row: T): ComponentChildren
  /** What the column is sorted by; without it, it cannot be. */
  sort?(row: T): string | number
  readonly isNumber?: boolean
  /** Takes the room that the others leave, and breaks its text. */
  readonly isMain?: boolean
  /** Left out where there is little room. */
  readonly isMinor?: boolean
}

interface TableProps<T> {
  readonly label: string
  readonly columns: readonly Column<T>[]
  readonly rows: readonly T[]
  id(row: T): string
  /** The row whose detail is shown. */
  readonly selected?: string | null
  /** Opens a row; the first cell becomes the button for it. */
  readonly onOpen?: (row: T) => void
}

/** The table, in the order of `rows` until a column is chosen. */
export function DataTable<T>(props: TableProps<T>): JSX.Element {
  const { columns, rows } = props
  const shown = useSignal(SHOWN)
  const order = useSignal<{ name: string; sign: 1 | -1 } | null>(null)
  const sorted = sortRows(rows, columns, order.value)
  const turn = (name: string): void => {
    const old = order.value
    order.value = { name, sign: old?.name === name && old.sign === 1 ? -1 : 1 }
  }
  return (
    <div class="table-box">
      <table aria-label={props.label}>
        <thead>
          <tr>
            {columns.map((column) => (
              <Head key={column.name} column={column} order={order.value} onTurn={turn} />
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.slice(0, shown.value).map((row) => (
            <TableRow key={props.id(row)} {...props} row={row} />
          ))}
        </tbody>
      </table>
      {sorted.length > shown.value && (
        <p class="table-more">
          {count(shown.value)} of {count(sorted.length)} rows are shown. Narrow the filter, or{' '}
          <button type="button" class="small" onClick={() => (shown.value += SHOWN)}>
            show more
          </button>
        </p>
      )}
    </div>
  )
}

type Order = { readonly name: string; readonly sign: 1 | -1 } | null

function sortRows<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  order: Order,
): readonly T[] {
  const sort = columns.find((column) => column.name === order?.name)?.sort
  if (!sort || !order) return rows
  return rows.toSorted((a, b) => {
    const [left, right] = [sort(a), sort(b)]
    if (left === right) return 0
    return left < right ? -order.sign : order.sign
  })
}

interface HeadProps<T> {
  readonly column: Column<T>
  readonly order: Order
  readonly onTurn: (name: string) => void
}

function Head<T>({ column, order, onTurn }: HeadProps<T>): JSX.Element {
  const sign = order?.name === column.name ? order.sign : 0
  const label = ['none', 'ascending', 'descending'] as const
  return (
    <th
      scope="col"
      class={cellClass(column)}
      aria-sort={column.sort ? label[sign === -1 ? 2 : sign] : undefined}
    >
      {column.sort ? (
        <button type="button" class="sort" onClick={() => onTurn(column.name)}>
          {column.name}
          <span aria-hidden="true">{['', ' \u2191', ' \u2193'][sign === -1 ? 2 : sign]}</span>
        </button>
      ) : (
        column.name
      )}
    </th>
  )
}

function TableRow<T>(props: TableProps<T> & { readonly row: T }): JSX.Element {
  const { columns, row, onOpen } = props
  const isSelected = props.selected === props.id(row)
  const open = (): void => {
    // A click that ends a selection of text is no wish to open the row.
    if (!getSelection()?.toString()) onOpen?.(row)
  }
  return (
    <tr class={isSelected ? 'is-selected' : ''} onClick={onOpen ? open : undefined}>
      {columns.map((column, index) => (
        <td key={column.name} class={cellClass(column)} data-name={column.name}>
          {index === 0 && onOpen ? (
            <button
              type="button"
              class="row-button"
              aria-expanded={isSelected}
              onClick={(event) => {
                event.stopPropagation()
                onOpen(row)
              }}
            >
              {column.cell(row)}
            </button>
          ) : (
            column.cell(row)
          )}
        </td>
      ))}
    </tr>
  )
}

function cellClass<T>(column: Column<T>): string {
  const classes = [
    column.isNumber ? 'number' : '',
    column.isMain ? 'main-cell' : '',
    column.isMinor ? 'minor' : '',
  ]
  return classes.filter((one) => one !== '').join(' ')
}
