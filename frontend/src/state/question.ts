/** A question to the recorder, and its last answer. */

import { signal } from '@preact/signals'

import { get } from '../api/client.ts'
import type { Answer, Failure, Query } from '../api/client.ts'
import { joins, listen } from '../feed/feed.ts'

/** While the recorder reads its journal, it is asked again so often. */
const STARTING_MS = 1000
/** A question that nobody answered is asked again when the feed is back, or after this. */
const UNREACHABLE_MS = 5000
/** An answer older than the live feed's beginning on this page is asked for again after this. */
const REJOIN_MS = 50

/**
 * Holds the last answer while a newer one is awaited and while none can be had. One request is in
 * flight at a time; whoever asks meanwhile shares the next.
 */
export class Question<T extends object> {
  /** The last answer; null before the first. */
  readonly value = signal<T | null>(null)
  /** Why the newest attempt had no answer; null when it had. */
  readonly failure = signal<Failure | null>(null)

  readonly #path: string
  readonly #query: () => Query
  readonly #stop: () => void
  #hasEnded = false
  #isAsking = false
  #isDue = false
  #retry: ReturnType<typeof setTimeout> | null = null

  constructor(path: string, query: () => Query = () => ({})) {
    this.#path = path
    this.#query = query
    this.#stop = listen({ opened: () => this.failure.peek() && this.ask() })
  }

  /** Asks no more: for questions that do not last as long as the page. */
  end(): void {
    this.#hasEnded = true
    this.#stop()
    this.#cancelRetry()
  }

  /** Asks now, or once more as soon as the present request is answered. */
  async ask(): Promise<void> {
    if (this.#isAsking) {
      this.#isDue = true
      return
    }
    this.#isAsking = true
    this.#isDue = false
    this.#cancelRetry()
    const answer = await get<T>(this.#path, this.#query())
    this.#isAsking = false
    if (!answer.ok) this.#failed(answer.error)
    else if (!joins(seqOf(answer.value))) this.#askIn(REJOIN_MS)
    else this.#answered(answer.value)
    if (this.#isDue) void this.ask()
  }

  /** A further page of the same, before a sequence number. It does not become the value. */
  page(before: number): Promise<Answer<T>> {
    return get<T>(this.#path, { ...this.#query(), before })
  }

  /** Asks within `ms`: for answers that go stale often and cost something. */
  askWithin(ms: number): void {
    if (this.#retry === null) this.#askIn(ms)
  }

  /** Takes an answer in; for those that build something out of it. */
  protected taken(_value: T): void {}

  #answered(value: T): void {
    this.taken(value)
    this.failure.value = null
    this.value.value = value
  }

  #failed(failure: Failure): void {
    this.failure.value = failure
    if (failure.kind === 'starting') this.#askIn(STARTING_MS)
    if (failure.kind === 'unreachable') this.#askIn(UNREACHABLE_MS)
  }

  #askIn(ms: number): void {
    this.#cancelRetry()
    if (this.#hasEnded) return
    this.#retry = setTimeout(() => {
      this.#retry = null
      void this.ask()
    }, ms)
  }

  #cancelRetry(): void {
    if (this.#retry !== null) clearTimeout(this.#retry)
    this.#retry = null
  }
}

/** The sequence number that an answer is of. One without is not joined with the feed. */
function seqOf(answer: object): number {
  return 'seq' in answer && typeof answer.seq === 'number' ? answer.seq : Number.POSITIVE_INFINITY
}
