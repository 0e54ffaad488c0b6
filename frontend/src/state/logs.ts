/**
 * The log lines of the Logs page. Rows live here in a plain array, never in components: a
 * component that held them would be compared row by row at each batch.
 */

import { signal } from '@preact/signals'
import type { ReadonlySignal } from '@preact/signals'

import { get } from '../api/client.ts'
import type { Failure } from '../api/client.ts'
import type { LiveBatch, LiveShed, Logs } from '../api/types.ts'
import { joins, listen } from '../feed/feed.ts'
import { isLogGap, matches, toItems } from '../lib/log-items.ts'
import type { LogFilter, LogItem } from '../lib/log-items.ts'

/** Rows kept in the page; at about 600 bytes each this is some 60 MB. */
const ITEMS_MAX = 100_000
/** Rows dropped at once from the start, so that dropping costs little a row. */
const TRIM = 10_000
/** Lines of the first page, and of each older one. */
const PAGE = 500
/** The recorder's answer may be older than the feed's beginning here: asked again after this. */
const REJOIN_MS = 50
const RETRY_MS = 2000

/** How the array changed, for a list that must keep the reader's place. */
export type Change =
  | { readonly kind: 'all' }
  /** `before` rows came in at the start, or went away there when negative. */
  | { readonly kind: 'some'; readonly before: number }

/** What the list of lines asks of whatever holds them. */
export interface Lines {
  /** Oldest first. Read it after a change was told. */
  readonly items: LogItem[]
  /** Whether the list stands still. */
  readonly isPaused: ReadonlySignal<boolean>
  onChange(callback: (change: Change) => void): void
  pause(): void
  resume(): void
  askOlder(): Promise<void>
}

/** The lines on screen, and those that wait until the reader goes on. */
export class LogStore implements Lines {
  /** Oldest first. Read it after a change was told. */
  items: LogItem[] = []
  /** Lines that arrived while the list was paused. */
  readonly held = signal(0)
  /** Whether the list stands still. */
  readonly isPaused = signal(false)
  /** Whether an answer for the present filter is awaited. */
  readonly isAsking = signal(true)
  readonly failure = signal<Failure | null>(null)
  /** How many rows there are. */
  readonly size = signal(0)
  /** Whether older lines may be had. */
  readonly hasOlder = signal(false)
  /** The present filter. */
  filter: LogFilter = { level: '', text: '' }

  #heldItems: LogItem[] = []
  /** What came while the newest page was awaited; null when none is. */
  #meanwhile: LogItem[] | null = null
  #next: number | null = null
  #isAskingOlder = false
  /** Answers to questions before the newest one are of another filter. */
  #generation = 0
  #told: (change: Change) => void = () => {}
  #isOpen = false

  /** Tells the one list of this page how the rows change. */
  onChange(callback: (change: Change) => void): void {
    this.#told = callback
  }

  /** Asks for the newest page and follows the feed. */
  open(): void {
    if (this.#isOpen) return
    this.#isOpen = true
    listen({
      opened: () => this.failure.peek() && this.reload(),
      batch: (batch) => this.#follow(batch),
      shed: (shed) => this.#shed(shed),
      reset: () => this.reload(),
    })
    this.reload()
  }

  /** Narrows the list: at once what is here, then what the whole journal has. */
  setFilter(filter: LogFilter): void {
    if (filter.level === this.filter.level && filter.text === this.filter.text) return
    this.filter = filter
    this.reload()
    this.#show(this.items.filter((item) => this.#belongs(item)))
  }

  /** The newest page again, from the recorder. */
  reload(): void {
    this.#generation += 1
    this.#meanwhile = []
    this.#heldItems = []
    this.held.value = 0
    this.isPaused.value = false
    this.isAsking.value = true
    void this.#askNewest(this.#generation)
  }

  /** The list stands still; what comes is held. */
  pause(): void {
    this.isPaused.value = true
  }

  /** Goes on with what was held. When that was too much to hold, the newest page is asked for. */
  resume(): void {
    if (!this.isPaused.peek()) return
    if (this.held.peek() > this.#heldItems.length) {
      this.reload()
      return
    }
    const held = this.#heldItems
    this.#heldItems = []
    this.held.value = 0
    this.isPaused.value = false
    this.#append(held)
  }

  /** One more page at the start. */
  async askOlder(): Promise<void> {
    const before = this.#next
    if (before === null || this.#isAskingOlder || this.items.length >= ITEMS_MAX) return
    const generation = this.#generation
    this.#isAskingOlder = true
    const answer = await get<Logs>('logs', { ...this.#query(), before })
    this.#isAskingOlder = false
    if (generation !== this.#generation || !answer.ok) return
    const older = toItems(answer.value.entries, answer.value.gaps)
    this.#setNext(answer.value.next)
    this.items = older.concat(this.items)
    this.size.value = this.items.length
    this.#told({ kind: 'some', before: older.length })
  }

  async #askNewest(generation: number): Promise<void> {
    const answer = await get<Logs>('logs', this.#query())
    if (generation !== this.#generation) return
    if (!answer.ok) {
      this.failure.value = answer.error
      const { kind } = answer.error
      // What a log-in would change is asked again when the feed is open after it.
      if (kind !== 'logged_out' && kind !== 'forbidden') this.#again(generation, RETRY_MS)
      return
    }
    const { seq, entries, gaps, next } = answer.value
    if (!joins(seq)) {
      this.#again(generation, REJOIN_MS)
      return
    }
    const items = toItems(entries, gaps)
    const last = Math.max(seq, items.at(-1)?.seq ?? 0)
    const newer = (this.#meanwhile ?? []).filter((item) => item.seq > last)
    this.#meanwhile = null
    this.#setNext(next)
    this.failure.value = null
    this.isAsking.value = false
    this.#show(items.concat(newer))
  }

  #again(generation: number, ms: number): void {
    setTimeout(() => {
      if (generation === this.#generation) void this.#askNewest(generation)
    }, ms)
  }

  #query(): Record<string, string | number> {
    return { limit: PAGE, level: this.filter.level, q: this.filter.text }
  }

  #setNext(next: number | null): void {
    this.#next = next
    this.hasOlder.value = this.#next !== null
  }

  #follow(batch: LiveBatch): void {
    const lines = batch.logs?.filter((line) => matches(line, this.filter)) ?? []
    const gaps = batch.gaps?.filter(isLogGap) ?? []
    if (lines.length > 0 || gaps.length > 0) this.#arrived(toItems(lines, gaps))
  }

  #shed(shed: LiveShed): void {
    this.#arrived([{ kind: 'shed', seq: shed.to, shed }])
  }

  #arrived(items: LogItem[]): void {
    if (this.#meanwhile) {
      // The answer replaces the rows anyhow, and is joined with these.
      for (const item of items) this.#meanwhile.push(item)
      if (this.#meanwhile.length > ITEMS_MAX) this.#meanwhile.splice(0, TRIM)
      return
    }
    if (!this.isPaused.peek()) {
      this.#append(items)
      return
    }
    this.held.value += items.length
    if (this.#heldItems.length < ITEMS_MAX) for (const item of items) this.#heldItems.push(item)
  }

  #append(items: readonly LogItem[]): void {
    for (const item of items) this.items.push(item)
    const excess = this.items.length > ITEMS_MAX + TRIM ? this.items.length - ITEMS_MAX : 0
    if (excess > 0) {
      this.items.splice(0, excess)
      // What went can be asked for again, in order.
      this.#setNext(this.items[0]?.seq ?? null)
    }
    this.size.value = this.items.length
    this.#told({ kind: 'some', before: 0 - excess })
  }

  #show(items: LogItem[]): void {
    this.items = items
    this.size.value = items.length
    this.#told({ kind: 'all' })
  }

  #belongs(item: LogItem): boolean {
    return item.kind !== 'line' || matches(item.line, this.filter)
  }
}

/** The lines of the Logs page, kept while other pages are shown. */
export const logs = new LogStore()

/** The line that a record is of; null where it is none, or cannot be had. */
export async function lineAt(seq: number): Promise<LogItem | null> {
  const answer = await get<Logs>('logs', { before: seq + 1, limit: 1 })
  const line = answer.ok ? answer.value.entries[0] : undefined
  return line?.seq === seq ? { kind: 'line', seq, line } : null
}
