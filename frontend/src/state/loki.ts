/** What Loki has: asked for once by a query and a stretch of time, and further back on request. */

import { signal } from '@preact/signals'

import { get } from '../api/client.ts'
import type { Failure } from '../api/client.ts'
import type { LokiEntry, LokiLogs } from '../api/types.ts'
import type { LogItem } from '../lib/log-items.ts'
import { nanosText } from '../lib/time.ts'
import type { Change, Lines } from './logs.ts'

/** Lines of one answer. */
const PAGE = 500
/** The most that the recorder asks Loki for at once. */
const PAGE_MAX = 5000
const NANOS = 1_000_000n
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
  /** The time of each item, whole to the nanosecond. */
  #times: bigint[] = []
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

  /** Asks for the newest lines of a stretch that ends `now`, in ms. */
  async ask(ask: LokiAsk, now: number): Promise<void> {
    this.#generation += 1
    this.#from = now - ask.reach
    this.#times = []
    this.items = []
    this.asked.value = ask
    this.hasOlder.value = false
    this.#changed({ kind: 'all' })
    await this.#page(BigInt(Math.ceil(now)) * NANOS)
  }

  async askOlder(): Promise<void> {
    const first = this.#times[0]
    if (!this.hasOlder.peek() || this.isAsking.peek() || first === undefined) return
    // An end is exclusive: the lines of this very time come again, those that were left out too.
    const before = this.items.length
    await this.#page(first + 1n)
    const isStuck = this.hasOlder.peek() && this.items.length === before
    // A whole page of one time, as of programs that write whole seconds.
    if (isStuck) await this.#page(first + 1n, PAGE_MAX)
    if (isStuck && this.items.length === before) await this.#page(first)
  }

  async #page(end: bigint, limit = PAGE): Promise<void> {
    const generation = this.#generation
    this.isAsking.value = true
    const query = this.asked.peek()?.query ?? ''
    const range = { query, start: this.#from, end: nanosText(end), limit }
    const answer = await get<LokiLogs>('outside/loki', range)
    if (generation !== this.#generation) return
    this.isAsking.value = false
    this.failure.value = answer.ok ? null : answer.error
    if (answer.ok) this.#add(answer.value)
    else this.hasOlder.value = false
  }

  /** Puts older lines before those that are here, none twice. */
  #add({ entries, is_full: isFull }: LokiLogs): void {
    const older = entries.toReversed()
    const times = older.map((entry) => BigInt(entry.time_ns))
    const last = times.at(-1)
    const known = this.#times.findIndex((time) => last === undefined || time > last)
    const again = known === -1 ? this.#times.length : known
    const before = older.length - again
    this.items = older.map(toItem).concat(this.items.slice(again))
    this.#times = times.concat(this.#times.slice(again))
    this.hasOlder.value = isFull && this.items.length < ITEMS_MAX
    this.#changed({ kind: 'some', before })
  }

  #changed(change: Change): void {
    this.size.value = this.items.length
    this.#told(change)
  }
}

/** Loki knows no sequence numbers. */
function toItem(entry: LokiEntry): LogItem {
  return { kind: 'line', seq: 0, line: { ...entry, seq: 0, learned: entry.time } }
}

/** The lines of the Logs page, kept while other pages are shown. */
export const loki = new LokiStore()
