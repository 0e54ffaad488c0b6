/** A list that is asked for once and then kept up by the live feed. */

import { signal } from '@preact/signals'

import type { Answer } from '../api/client.ts'
import type { LiveBatch } from '../api/types.ts'
import { listen } from '../feed/feed.ts'
import { keepNewest, upsert } from '../lib/upsert.ts'
import type { RowKind } from '../lib/upsert.ts'
import { Question } from './question.ts'

/** Tables are drawn anew at most so often, however many batches come. */
const REDRAW_MS = 200
/** More rows than an admin reads, and few enough to sort at each redraw. */
const ROWS_MAX = 20_000

/** Batches kept while an answer is awaited. Many seconds' worth; an answer is never so old. */
const MEANWHILE_MAX = 1000

/** Where a list's rows are found. */
export interface ListKind<A, T> extends RowKind<T> {
  readonly path: string
  answered(answer: A): readonly T[]
  live(batch: LiveBatch): readonly T[] | undefined
}

/** The list. It asks when it is first opened, and listens from then on. */
export class Rows<A extends { seq: number; next?: number | null }, T> extends Question<A> {
  /** Changes whenever the rows do. */
  readonly version = signal(0)

  /** Where the next page of older rows begins; null where there is none, or it is on its way. */
  readonly older = signal<number | null>(null)

  readonly #kind: ListKind<A, T>
  #rows = new Map<string, T>()
  /** What came while an answer was awaited: it may be newer than the answer. */
  #meanwhile: LiveBatch[] | null = null
  #isOpen = false
  /** Whether what is on screen is what the rows are. */
  #isDrawn = true

  constructor(kind: ListKind<A, T>) {
    super(kind.path, () => ({}))
    this.#kind = kind
  }

  /** Asks and listens, if nobody has opened it before. */
  open(): this {
    if (this.#isOpen) return this
    this.#isOpen = true
    const again = (): void => void this.ask()
    // A state that was left out is not told again before it changes.
    listen({ batch: (batch) => this.#follow(batch), shed: again, reset: again })
    void this.ask()
    return this
  }

  /** Asks once more, if anybody looks: for what no feed tells. */
  askIfOpen(): void {
    if (this.#isOpen) void this.ask()
  }

  /** All rows, in no order. Reading it subscribes to changes. */
  all(): T[] {
    void this.version.value
    return [...this.#rows.values()]
  }

  override ask(): Promise<void> {
    this.#meanwhile ??= []
    return super.ask()
  }

  /** One more page of older rows. The recorder looks for a second at most, so that an answer may
   * have none and still say where to go on: then it is asked again. */
  async askOlder(): Promise<void> {
    let before = this.older.peek()
    this.older.value = null
    let found = 0
    while (before !== null && found === 0) {
      const answer: Answer<A> = await this.page(before)
      if (!answer.ok) break
      const rows = this.#kind.answered(answer.value)
      upsert(this.#rows, rows, this.#kind)
      found = rows.length
      before = answer.value.next ?? null
    }
    this.older.value = before
    this.version.value += 1
  }

  protected override taken(answer: A): void {
    this.#rows = new Map()
    upsert(this.#rows, this.#kind.answered(answer), this.#kind)
    for (const batch of this.#meanwhile ?? []) {
      if (batch.to > answer.seq) this.#apply(batch)
    }
    this.#meanwhile = null
    this.older.value = answer.next ?? null
    this.version.value += 1
  }

  #follow(batch: LiveBatch): void {
    if (!this.#kind.live(batch)?.length) return
    if (this.#meanwhile) {
      this.#meanwhile.push(batch)
      if (this.#meanwhile.length > MEANWHILE_MAX) this.#meanwhile.shift()
    }
    this.#apply(batch)
    if (this.#isDrawn) setTimeout(() => this.#draw(), REDRAW_MS)
    this.#isDrawn = false
  }

  #draw(): void {
    this.#isDrawn = true
    this.version.value += 1
  }

  #apply(batch: LiveBatch): void {
    upsert(this.#rows, this.#kind.live(batch) ?? [], this.#kind)
    keepNewest(this.#rows, ROWS_MAX, this.#kind)
  }
}
