/** The bars of one request: the nested sections against time, in rows that scroll. */

import type { Request } from '../api/types.ts'
import { jsonLine } from '../lib/format.ts'
import { printable } from '../lib/printable.ts'
import { extent, layOut } from '../lib/sections.ts'
import type { Extent, SectionRow } from '../lib/sections.ts'
import { duration } from '../lib/time.ts'
import { RowList, rowPx } from './row-list.ts'

const INDENT_PX = 12
/** Deeper sections are indented no further, or their names would leave the screen. */
const INDENT_MAX = 12
const INFO_CHARS_MAX = 200

/** The waterfall. */
export class Waterfall {
  readonly #host: HTMLElement
  readonly #list: RowList
  readonly #now: () => number | null
  #rows: readonly SectionRow[] = []
  #request: Request | null = null
  #extent: Extent = { start: 0, end: 1 }

  /** `now` is where open sections end at present; null where time stands still. */
  constructor(host: HTMLElement, now: () => number | null) {
    this.#host = host
    this.#now = now
    const source = {
      count: () => this.#rows.length,
      fill: (element: HTMLElement, index: number) => this.#fill(element, index),
    }
    this.#list = new RowList(host, source, rowPx() + 4)
    this.#list.follows = false
  }

  /** Ends it. */
  destroy(): void {
    this.#list.destroy()
  }

  /** Shows a request, or a newer state of it. */
  show(request: Request): void {
    if (request !== this.#request) this.#rows = layOut(request.sections)
    this.#request = request
    this.#extent = extent(request.sections, request.end === 'open' ? this.#now() : null)
    this.#host.style.setProperty('--rows', String(this.#rows.length))
    this.#list.refresh()
  }

  #fill(element: HTMLElement, index: number): void {
    const row = this.#rows[index]
    if (!row) return
    const { section, label, depth } = row
    const isOpen = section.duration === null
    const cells = cellsOf(element)
    element.setAttribute('role', 'listitem')
    cells.label.textContent = printable(label)
    cells.label.title = section.path
    cells.label.style.paddingInlineStart = `${Math.min(depth, INDENT_MAX) * INDENT_PX}px`
    const end = isOpen ? this.#extent.end : section.start_time + (section.duration ?? 0)
    const whole = this.#extent.end - this.#extent.start
    const left = (100 * (section.start_time - this.#extent.start)) / whole
    cells.bar.className = `bar${isOpen ? ' is-open' : ''}`
    cells.bar.style.left = `${Math.min(left, 99.9)}%`
    cells.bar.style.width = `${Math.max(0, (100 * (end - section.start_time)) / whole)}%`
    cells.time.textContent = this.#timeText(end - section.start_time, isOpen)
    cells.time.title =
      section.extra_info === null ? '' : jsonLine(section.extra_info, INFO_CHARS_MAX)
  }

  #timeText(ms: number, isOpen: boolean): string {
    if (!isOpen) return duration(ms)
    if (this.#request?.end !== 'open') return 'end not seen'
    return this.#now() === null ? 'still open' : `open, ${duration(ms)}`
  }
}

interface Cells {
  readonly label: HTMLElement
  readonly bar: HTMLElement
  readonly time: HTMLElement
}

const CELLS = new WeakMap<HTMLElement, Cells>()

function cellsOf(element: HTMLElement): Cells {
  const known = CELLS.get(element)
  if (known) return known
  element.className = 'section-row'
  const label = document.createElement('span')
  label.className = 'section-label'
  const track = document.createElement('span')
  track.className = 'section-track'
  const bar = document.createElement('span')
  const time = document.createElement('span')
  time.className = 'section-time'
  track.append(bar)
  element.append(label, track, time)
  const cells = { label, bar, time }
  CELLS.set(element, cells)
  return cells
}
