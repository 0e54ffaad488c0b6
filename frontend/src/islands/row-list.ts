/**
 * A scrolling list of any number of rows of one height, in plain DOM: a few dozen row elements
 * that are filled anew as the list scrolls. It keeps the reader's place when rows come and go.
 */

/** Rows drawn above and below what is visible, so that a quick scroll shows no blank. */
const OVERSCAN = 8

/** What the list shows. */
export interface RowSource {
  /** How many rows there are. */
  count(): number
  /** Makes `element` show row `index`, whatever it showed before. */
  fill(element: HTMLElement, index: number): void
}

/** The list, inside an element that it makes scroll. */
export class RowList {
  readonly rowHeight: number

  readonly #host: HTMLElement
  readonly #source: RowSource
  readonly #body = document.createElement('div')
  readonly #observer: ResizeObserver
  /** Row elements by index modulo their number: a row that stays visible keeps its element. */
  #pool: { element: HTMLElement; index: number }[] = []
  #frame = 0
  #isStale = true
  #follows = true
  /** The scroll position that the list itself set: no reader's doing. */
  #ownTop = 0

  /** Called with whether the end is in view, whenever the reader has scrolled. */
  onScrolled: (isAtEnd: boolean) => void = () => {}

  constructor(host: HTMLElement, source: RowSource, rowHeight: number) {
    this.#host = host
    this.#source = source
    this.rowHeight = rowHeight
    this.#body.className = 'row-list-body'
    host.classList.add('row-list')
    host.append(this.#body)
    host.addEventListener('scroll', this.#scrolled, { passive: true })
    this.#observer = new ResizeObserver(() => this.refresh())
    this.#observer.observe(host)
    this.refresh()
  }

  /** Ends it. */
  destroy(): void {
    cancelAnimationFrame(this.#frame)
    this.#observer.disconnect()
    this.#host.removeEventListener('scroll', this.#scrolled)
    this.#body.remove()
  }

  /** Whether the last row is in view. */
  get isAtEnd(): boolean {
    const { scrollTop, clientHeight } = this.#host
    return scrollTop + clientHeight >= this.#height() - this.rowHeight / 2
  }

  /** Whether the first rows are in view. */
  get isAtStart(): boolean {
    return this.#host.scrollTop < this.rowHeight * OVERSCAN
  }

  /** How many whole rows are in view. */
  get pageSize(): number {
    return Math.max(1, Math.floor(this.#host.clientHeight / this.rowHeight) - 1)
  }

  /** Whether the list goes to the end when rows are added there. */
  set follows(follows: boolean) {
    this.#follows = follows
    if (follows) this.refresh()
  }

  /** Draws what is visible anew, once, at the next frame. */
  refresh(): void {
    this.#isStale = true
    this.#schedule()
  }

  /** `by` rows came in before the first (or went away there): the same rows stay in view. */
  shift(by: number): void {
    if (by !== 0 && !this.#follows) {
      this.#resize()
      this.#setTop(this.#host.scrollTop + by * this.rowHeight)
    }
    this.refresh()
  }

  /** Scrolls just so far that row `index` is in view. */
  reveal(index: number): void {
    const top = index * this.rowHeight
    const { scrollTop, clientHeight } = this.#host
    if (top < scrollTop) this.#host.scrollTop = top
    else if (top + this.rowHeight > scrollTop + clientHeight) {
      this.#host.scrollTop = top + this.rowHeight - clientHeight
    }
  }

  /** The row at a height of the window, inside or outside of the list; -1 in an empty list. */
  indexAt(clientY: number): number {
    const y = clientY - this.#host.getBoundingClientRect().top + this.#host.scrollTop
    return Math.min(this.#source.count() - 1, Math.max(0, Math.floor(y / this.rowHeight)))
  }

  readonly #scrolled = (): void => {
    this.#schedule()
    if (Math.abs(this.#host.scrollTop - this.#ownTop) > 1) this.onScrolled(this.isAtEnd)
    this.#ownTop = this.#host.scrollTop
  }

  #height(): number {
    return this.#source.count() * this.rowHeight
  }

  #resize(): void {
    this.#body.style.height = `${this.#height()}px`
    // A list that became shorter is scrolled by the browser.
    if (this.#host.scrollTop < this.#ownTop) this.#ownTop = this.#host.scrollTop
  }

  #setTop(top: number): void {
    this.#host.scrollTop = top
    this.#ownTop = this.#host.scrollTop
  }

  #schedule(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#draw())
  }

  #draw(): void {
    this.#frame = 0
    if (this.#isStale) this.#resize()
    if (this.#follows) this.#setTop(this.#height() - this.#host.clientHeight)
    const first = Math.max(0, Math.floor(this.#host.scrollTop / this.rowHeight) - OVERSCAN)
    const shown = Math.ceil(this.#host.clientHeight / this.rowHeight) + 2 * OVERSCAN
    const last = Math.min(this.#source.count(), first + shown)
    this.#grow(shown)
    for (let index = first; index < last; index++) this.#place(index)
    for (const row of this.#pool) {
      if (row.index < first || row.index >= last) this.#hide(row)
    }
    this.#isStale = false
  }

  /** Index modulo the pool's size names a row's element: growing it moves all of them. */
  #grow(size: number): void {
    if (this.#pool.length >= size) return
    for (const row of this.#pool) row.index = -1
    while (this.#pool.length < size) {
      const element = document.createElement('div')
      element.hidden = true
      this.#body.append(element)
      this.#pool.push({ element, index: -1 })
    }
  }

  #place(index: number): void {
    const row = this.#pool[index % this.#pool.length]
    if (!row || (row.index === index && !this.#isStale)) return
    row.index = index
    row.element.hidden = false
    row.element.style.transform = `translateY(${index * this.rowHeight}px)`
    this.#source.fill(row.element, index)
  }

  #hide(row: { element: HTMLElement; index: number }): void {
    row.index = -1
    row.element.hidden = true
  }
}

/** The height of a row: what a finger hits needs more than what a mouse does. */
export function rowPx(): number {
  return globalThis.matchMedia('(pointer: coarse)').matches ? 36 : 20
}
