/**
 * The one connection to the live feed: opens it, notices silence, and resumes after the last
 * sequence number. Knows no worker and no page; the browser's parts are handed in.
 */

import type { FeedMessage, FeedState } from './protocol.ts'

/** The recorder says something at least every 15 s; this much later it is taken to be gone. */
const SILENCE_MS_MAX = 20_000
/** Resumed within 3 s after the recorder is back, so no wait may be longer than this. */
const RETRY_MS_MAX = 2_000
const RETRY_MS_MIN = 250

/** An open feed. */
export interface Wire {
  close(): void
}

/** What the browser gives. */
export interface Ports {
  /** Opens the feed at `url`; exactly one of the handlers is called for each thing that happens. */
  open(url: string, handlers: WireHandlers): Wire
  /** Calls back once after `ms`; the answer cancels it. */
  after(ms: number, callback: () => void): () => void
  now(): number
}

/** What happens on an open feed. */
export interface WireHandlers {
  opened(): void
  message(type: string, data: string, id: string): void
  failed(): void
}

/** Who listens. */
export interface Listener {
  state(state: FeedState): void
  message(message: FeedMessage): void
}

/** The connection and its position. */
export class Connection {
  #ports: Ports
  #listener: Listener
  #url: string
  #state: FeedState
  #wire: Wire | null = null
  #cancel: () => void = () => {}
  #failures = 0
  #position: number | null = null
  #journal: string | null = null

  constructor(url: string, ports: Ports, listener: Listener) {
    this.#url = url
    this.#ports = ports
    this.#listener = listener
    this.#state = { kind: 'idle', since: ports.now() }
  }

  /** How it stands. */
  get state(): FeedState {
    return this.#state
  }

  /** The last sequence number that was considered; null before the first message. */
  get position(): number | null {
    return this.#position
  }

  /** Connects, unless it already does. */
  start(): void {
    if (this.#state.kind !== 'idle') return
    this.#become('connecting')
    this.#open()
  }

  /** Disconnects, and stays so. The position is kept. */
  stop(): void {
    this.#close()
    this.#become('idle')
  }

  #open(): void {
    const url = new URL(this.#url)
    if (this.#position !== null) url.searchParams.set('after', String(this.#position))
    this.#expectWithin(SILENCE_MS_MAX)
    this.#wire = this.#ports.open(url.href, {
      opened: () => this.#expectWithin(SILENCE_MS_MAX),
      message: (type, data, id) => this.#take(type, data, id),
      failed: () => this.#fail(),
    })
  }

  #take(type: string, data: string, id: string): void {
    this.#expectWithin(SILENCE_MS_MAX)
    if (/^\d+$/.test(id)) this.#position = Number(id)
    if (type === 'hello') this.#hello(data)
    if (type === 'reset') this.#position = field(data, 'last_seq') ?? this.#position
    this.#listener.message({ type, data })
  }

  /** Sequence numbers of another journal mean other events: what pages know is void. */
  #hello(data: string): void {
    this.#failures = 0
    this.#become('open')
    const journal = /"journal_id"\s*:\s*"([^"]*)"/.exec(data)?.[1] ?? ''
    const last = field(data, 'last_seq')
    const isOther = this.#journal !== null && this.#journal !== journal
    this.#journal = journal
    if (isOther || this.#position === null) this.#position = last
    if (isOther) {
      const reset = JSON.stringify({ reason: 'another_journal', last_seq: last ?? 0 })
      this.#listener.message({ type: 'reset', data: reset })
    }
  }

  #fail(): void {
    this.#close()
    if (this.#state.kind !== 'offline') this.#become('offline')
    const wait = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** this.#failures)
    this.#failures += 1
    this.#cancel = this.#ports.after(wait, () => this.#open())
  }

  #expectWithin(ms: number): void {
    this.#cancel()
    this.#cancel = this.#ports.after(ms, () => this.#fail())
  }

  #close(): void {
    this.#cancel()
    this.#wire?.close()
    this.#wire = null
  }

  #become(kind: FeedState['kind']): void {
    this.#state = { kind, since: this.#ports.now() }
    this.#listener.state(this.#state)
  }
}

/** One whole number out of a message, without parsing the rest of what may be a large batch. */
function field(data: string, name: string): number | null {
  const digits = new RegExp(`"${name}"\\s*:\\s*(\\d+)`).exec(data)?.[1]
  return digits === undefined ? null : Number(digits)
}
