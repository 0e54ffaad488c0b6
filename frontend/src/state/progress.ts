/** One action while it runs and after: how it stands, and the lines that it wrote. */

import { signal } from '@preact/signals'

import type { ActionDetail, LiveBatch } from '../api/types.ts'
import { listen } from '../feed/feed.ts'
import { joinLines } from '../lib/output.ts'
import type { OutputLine } from '../lib/output.ts'
import { Question } from './question.ts'

/** The page is drawn anew at most so often, however fast lines come. */
const REDRAW_MS = 100
/** A changed state shows at most this much later. */
const STALE_MS_MAX = 300

/** The action `id`, followed until `end`. */
export class Progress extends Question<ActionDetail> {
  /** Oldest first. */
  readonly lines = signal<readonly OutputLine[]>([])
  /** Where the next page of older lines begins; null where there is none, or it is on its way. */
  readonly older = signal<number | null>(null)

  readonly #id: string
  readonly #stopListening: () => void
  #arrived: OutputLine[] = []
  #hasAnswer = false

  constructor(id: string) {
    super(`actions/${encodeURIComponent(id)}`)
    this.#id = id
    this.#stopListening = listen({
      batch: (batch) => this.#follow(batch),
      shed: () => void this.ask(),
      reset: () => void this.ask(),
    })
  }

  override end(): void {
    super.end()
    this.#stopListening()
  }

  /** One more page of older lines. */
  async askOlder(): Promise<void> {
    const before = this.older.peek()
    if (before === null) return
    this.older.value = null
    const page = await this.page(before)
    if (page.ok) this.lines.value = joinLines(this.lines.value, page.value.progress)
    this.older.value = page.ok ? page.value.next : before
  }

  protected override taken(answer: ActionDetail): void {
    this.lines.value = joinLines(this.lines.value, answer.progress)
    // A later answer reaches back less far than what is here already.
    if (!this.#hasAnswer) this.older.value = answer.next
    this.#hasAnswer = true
  }

  #follow(batch: LiveBatch): void {
    if (batch.actions?.some((action) => action.id === this.#id)) this.askWithin(STALE_MS_MAX)
    const lines = batch.action_progress?.filter((line) => line.id === this.#id) ?? []
    if (lines.length === 0) return
    if (this.#arrived.length === 0) setTimeout(() => this.#draw(), REDRAW_MS)
    this.#arrived.push(...lines)
  }

  #draw(): void {
    this.lines.value = joinLines(this.lines.value, this.#arrived)
    this.#arrived = []
  }
}
