/** The list of log lines: reading, selecting and copying, by mouse and by keyboard. */

import { copyText } from '../lib/log-items.ts'
import type { LogItem } from '../lib/log-items.ts'
import { meaningOf } from '../lib/log-keys.ts'
import { contains, moveTo, range, shifted } from '../lib/selection.ts'
import type { Selection } from '../lib/selection.ts'
import type { Zone } from '../lib/time.ts'
import type { Change, Lines } from '../state/logs.ts'
import { fillRow } from './log-row.ts'
import { RowList, rowPx } from './row-list.ts'

/** While a selection is dragged past an edge, the list scrolls one row each so often. */
const DRAG_SCROLL_MS = 40

/** Names the row with the cursor. */
const ACTIVE = 'aria-activedescendant'

/** What the list asks of the page around it. */
export interface LogViewOptions {
  readonly zone: () => Zone
  /** The recorder's time, for leaving out today's date. */
  readonly now: () => number
  /** Shows one row whole. */
  readonly open: (item: LogItem) => void
}

/** The list. */
export class LogView {
  readonly #host: HTMLElement
  readonly #store: Lines
  readonly #options: LogViewOptions
  readonly #list: RowList
  #selection: Selection | null = null
  /** Paused by the button: then scrolling to the end does not go on. */
  #isByHand = false
  /** A finger has no second button and no Enter key: its tap opens the row. */
  #isTouched = false
  #dragTimer: ReturnType<typeof setInterval> | null = null
  readonly #ends = new AbortController()

  constructor(host: HTMLElement, store: Lines, options: LogViewOptions) {
    this.#host = host
    this.#store = store
    this.#options = options
    this.#list = new RowList(
      host,
      { count: () => store.items.length, fill: (element, index) => this.#fill(element, index) },
      rowPx(),
    )
    // Whoever left the page has read it: coming back begins at the end.
    store.resume()
    this.#list.onScrolled = (isAtEnd) => this.#scrolled(isAtEnd)
    store.onChange((change) => this.#changed(change))
    const { signal } = this.#ends
    host.addEventListener('pointerdown', (event) => this.#pressed(event), { signal })
    host.addEventListener('dblclick', () => this.#open(), { signal })
    host.addEventListener('click', () => this.#isTouched && this.#open(), { signal })
    host.addEventListener('keydown', (event) => this.#key(event), { signal })
    host.addEventListener('copy', (event) => this.#copy(event), { signal })
    this.#fillUp()
  }

  /** Ends it; the lines stay in their store. */
  destroy(): void {
    this.#ends.abort()
    this.#stopDrag()
    this.#store.onChange(() => {})
    this.#list.destroy()
  }

  /** Draws the rows anew, for instance in another zone. */
  redraw(): void {
    this.#list.refresh()
  }

  /** Stands still until `resume`. */
  pause(): void {
    this.#isByHand = true
    this.#hold()
  }

  /** Goes on, at the end. */
  resume(): void {
    this.#isByHand = false
    this.#selection = null
    this.#store.resume()
    this.#list.follows = !this.#store.isPaused.peek()
  }

  #hold(): void {
    this.#store.pause()
    this.#list.follows = false
  }

  #changed(change: Change): void {
    if (change.kind === 'all') {
      this.#selection = null
      this.#list.follows = !this.#store.isPaused.peek()
      this.#list.refresh()
    } else {
      this.#selection = shifted(this.#selection, change.before)
      this.#list.shift(change.before)
    }
    this.#fillUp()
  }

  /** Asks for older lines when the start is in view. */
  #fillUp(): void {
    const isShort = this.#store.items.length < this.#list.pageSize
    if (isShort || (this.#list.isAtStart && !this.#list.isAtEnd)) void this.#store.askOlder()
  }

  #scrolled(isAtEnd: boolean): void {
    if (!isAtEnd) this.#hold()
    else if (!this.#isByHand && !this.#selection) this.resume()
    this.#fillUp()
  }

  #fill(element: HTMLElement, index: number): void {
    const item = this.#store.items[index]
    if (!item) return
    const place = { index, count: this.#store.items.length }
    const isSelected = contains(this.#selection, index)
    const { zone, now } = this.#options
    fillRow(element, item, { ...place, isSelected, zone: zone(), now: now() })
    if (index === this.#selection?.cursor) this.#host.setAttribute(ACTIVE, element.id)
    else if (this.#host.getAttribute(ACTIVE) === element.id) this.#host.removeAttribute(ACTIVE)
  }

  #pressed(event: PointerEvent): void {
    if (event.button !== 0 || this.#store.items.length === 0) return
    // The scroll bar is no row.
    if (event.clientX > this.#host.getBoundingClientRect().left + this.#host.clientWidth) return
    this.#hold()
    this.#select(this.#list.indexAt(event.clientY), event.shiftKey)
    this.#isTouched = event.pointerType === 'touch'
    if (!this.#isTouched) this.#drag()
  }

  /** Until the button is let go, the selection reaches to the row at the pointer. */
  #drag(): void {
    this.#stopDrag()
    const start = this.#selection?.cursor
    const ends = new AbortController()
    const { signal } = ends
    let y: number | null = null
    const extend = (): void => {
      if (y === null) return
      const index = this.#list.indexAt(y)
      if (index === start && this.#selection?.cursor === start) return
      // From here on lines are selected, not letters.
      getSelection()?.removeAllRanges()
      this.#select(index, true)
    }
    const moved = (event: PointerEvent): void => {
      y = event.clientY
      extend()
    }
    globalThis.addEventListener('pointermove', moved, { signal })
    const stop = (): void => {
      ends.abort()
      this.#stopDrag()
    }
    globalThis.addEventListener('pointerup', stop, { signal, once: true })
    globalThis.addEventListener('pointercancel', stop, { signal, once: true })
    this.#dragTimer = setInterval(extend, DRAG_SCROLL_MS)
  }

  #stopDrag(): void {
    if (this.#dragTimer !== null) clearInterval(this.#dragTimer)
    this.#dragTimer = null
  }

  #select(index: number, extend: boolean): void {
    this.#selection = moveTo(this.#selection, index, extend, this.#store.items.length)
    const cursor = this.#selection?.cursor
    if (cursor !== undefined) this.#list.reveal(cursor)
    this.#list.refresh()
  }

  #key(event: KeyboardEvent): void {
    if (event.altKey) return
    if (event.ctrlKey || event.metaKey) {
      if (event.key !== 'a') return
      event.preventDefault()
      this.#hold()
      this.#selection = { anchor: 0, cursor: this.#store.items.length - 1 }
      this.#list.refresh()
      return
    }
    const here = this.#selection?.cursor ?? this.#store.items.length
    const to = meaningOf(event.key, { items: this.#store.items, here, page: this.#list.pageSize })
    if (to === null || (to === 'clear' && !this.#selection)) return
    event.preventDefault()
    event.stopPropagation()
    if (to === 'open') this.#open()
    else if (to === 'clear') this.#clear()
    else if (to === 'resume') this.resume()
    else {
      this.#hold()
      this.#select(to, event.shiftKey && event.key.length > 1)
    }
  }

  #clear(): void {
    this.#selection = null
    this.#list.refresh()
  }

  #open(): void {
    const item = this.#selection && this.#store.items[this.#selection.cursor]
    if (item) this.#options.open(item)
  }

  /** Letters selected by hand are the browser's to copy; selected lines come from the data. */
  #copy(event: ClipboardEvent): void {
    if (!this.#selection || getSelection()?.toString()) return
    const { first, last } = range(this.#selection)
    const zone = this.#options.zone()
    const lines = this.#store.items.slice(first, last + 1).map((item) => copyText(item, zone))
    event.clipboardData?.setData('text/plain', `${lines.join('\n')}\n`)
    event.preventDefault()
  }
}
