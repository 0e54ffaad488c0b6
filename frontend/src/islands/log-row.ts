/** One row of the log list, drawn into an element that may have shown another one. */

import { gapText, shedText } from '../lib/log-items.ts'
import type { LogItem } from '../lib/log-items.ts'
import { printable } from '../lib/printable.ts'
import type { Zone } from '../lib/time.ts'
import { shortTime } from '../lib/time.ts'

/** What a row depends on besides its line. */
export interface RowPlace {
  readonly index: number
  readonly count: number
  readonly isSelected: boolean
  readonly zone: Zone
  readonly now: number
}

let ids = 0

/** Makes `element` show `item`. */
export function fillRow(element: HTMLElement, item: LogItem, place: RowPlace): void {
  // By its id, the row with the cursor is named to screen readers.
  if (element.id === '') element.id = `log-row-${(ids += 1)}`
  element.setAttribute('role', 'option')
  element.setAttribute('aria-selected', String(place.isSelected))
  element.setAttribute('aria-posinset', String(place.index + 1))
  element.setAttribute('aria-setsize', String(place.count))
  element.dataset['seq'] = String(item.seq)
  element.className = rowClass(item, place.isSelected)
  if (item.kind === 'gap') element.textContent = gapText(item.gap, place.zone)
  else if (item.kind === 'shed') element.textContent = shedText(item.shed)
  else {
    const { time, level, target, span_name: span, message } = item.line
    const cells = cellsOf(element)
    cells.time.textContent = shortTime(time, place.now, place.zone)
    cells.level.textContent = level.slice(0, 1)
    cells.level.title = level
    cells.target.textContent = printable(span === '' ? target : `${target} ${span}`)
    cells.message.textContent = printable(message)
  }
}

interface Cells {
  readonly time: HTMLElement
  readonly level: HTMLElement
  readonly target: HTMLElement
  readonly message: HTMLElement
}

const CELLS = new WeakMap<HTMLElement, Cells>()

/** The parts of a row that shows a line, put back after it showed a gap. */
function cellsOf(element: HTMLElement): Cells {
  let cells = CELLS.get(element)
  if (!cells) {
    cells = {
      time: part('log-time'),
      level: part('log-level'),
      target: part('log-target'),
      message: part('log-message'),
    }
    CELLS.set(element, cells)
  }
  if (cells.time.parentElement !== element) {
    element.replaceChildren(cells.time, cells.level, cells.target, cells.message)
  }
  return cells
}

function rowClass(item: LogItem, isSelected: boolean): string {
  const kind = item.kind === 'line' ? `level-${item.line.level.toLowerCase()}` : 'log-missing'
  return `log-row ${kind}${isSelected ? ' is-selected' : ''}`
}

function part(name: string): HTMLElement {
  const span = document.createElement('span')
  span.className = name
  return span
}
