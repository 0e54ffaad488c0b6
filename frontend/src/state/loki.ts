/** What Loki has: asked for once by a query and a stretch of time, and further back on request. */

import { signal } from '@preact/signals'

import { get } from '../api/client.ts'
import type { Failure } from '../api/client.ts'
import type { LokiEntry, LokiLogs } from '../api/types.ts'
import type { LogItem } from '../lib/log-items.ts'
import type { Change, Lines } from './logs.ts'

/** Lines of one answer. */
const PAGE = 500
/** Rows kept in the page, as of the journal's. */
const ITEMS_MAX = 100_000

/** What is asked for. */
export interface LokiAsk {
  /** LogQL, for example `{namespace="shop"} |= "error"`. */
  readonly query: string
  /** How far back, ms. */
  readonly reach: number
}

/** The lines of the last question. */
export class LokiStore implements Lines {
  items: LogItem[] = []
  /** Nothing comes by itself: the list never moves under the reader. */
  readonly isPaused = signal(false)
  readonly size = signal(0)
  readonly isAsking = signal(false)
  readonly failure = signal<Failure | null>(null)
  /** What the lines are of; null before the first question. */
  readonly asked = signal<LokiAsk | null>(null)
  /** Whether there may be older lines in the stretch that was asked for. */
  readonly hasOlder = signal(false)

  #from = 0
  /** Answers to questions before the newest one are of another query. */
  #generation = 0
  #told: (change: Change) => void = () => {}

  onChange(callback: (change: Change) => void): void {
    this.#told = callback
  }

  pause(): void {
    this.isPaused.value = true
  }

  resume(): void {
    this.isPaused.value = false
  }

  /** Asks for the newest lines of a stretch that ends `now`. */
  async ask(ask: LokiAsk, now: number): Promise<void> {
    this.#generation += 1
    this.#from = now - ask.reach
    this.asked.value = ask
    this.hasOlder.value = false
    this.#become([], { kind: 'all' })
    await this.#page(now)
  }

  async askOlder(): Promise<void> {
    const first = this.items[0]
    if (!this.hasOlder.peek() || this.isAsking.peek() || first?.kind !== 'line') return
    await this.#page(first.line.time)
  }

  async #page(end: number): Promise<void> {
    const generation = this.#generation
    this.isAsking.value = true
    const query = this.asked.peek()?.query ?? ''
    const range = { query, start: this.#from, end, limit: PAGE, direction: 'backward' }
    const answer = await get<LokiLogs>('outside/loki', range)
    if (generation !== this.#generation) return
    this.isAsking.value = false
    this.failure.value = answer.ok ? null : answer.error
    if (!answer.ok) return
    const older = answer.value.entries.toReversed().map(toItem)
    this.hasOlder.value =
      answer.value.is_full && this.items.length + older.length < ITEMS_MAX && older.length > 0
    this.#become(older.concat(this.items), { kind: 'some', before: older.length })
  }

  #become(items: LogItem[], change: Change): void {
    this.items = items
    this.size.value = items.length
    this.#told(change)
  }
}

/** Loki knows no sequence numbers. */
function toItem(entry: LokiEntry): LogItem {
  return { kind: 'line', seq: 0, line: { ...entry, seq: 0, learned: entry.time } }
}

/** The lines of the Logs page, kept while other pages are shown. */
export const loki = new LokiStore()
