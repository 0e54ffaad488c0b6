/** The live feed as this page sees it: through the shared worker, or alone where there is none. */

import { signal } from '@preact/signals'

import type { LiveBatch, LiveDurable, LiveHello, LiveReset, LiveShed } from '../api/types.ts'
import { apiUrl } from '../api/client.ts'
import { BROWSER } from './browser.ts'
import { Connection } from './connection.ts'
import type { FeedMessage, FeedState, ToPage, ToWorker } from './protocol.ts'

/** Who wants to know. All optional: a listener takes what it needs. */
export interface FeedListener {
  /** The feed is there, for the first time or again. */
  opened?(): void
  batch?(batch: LiveBatch): void
  shed?(shed: LiveShed): void
  /** What is on screen is no longer a beginning of what is true: fetch it again. */
  reset?(reset: LiveReset): void
}

/** How the feed stands. */
export const feedState = signal<FeedState>({ kind: 'idle', since: Date.now() })
/** Everything up to here has reached this page. */
export const seenSeq = signal(0)
/** The newest event that the recorder is known to have. */
export const newestSeq = signal(0)
/** How far the journal survives a power cut. */
export const durableSeq = signal(0)
/** When the recorder last said anything, by this machine's clock. */
export const lastHeard = signal<number | null>(null)

const listeners = new Set<FeedListener>()
let say: (message: ToWorker) => void = () => {}
/** Every message after this one has reached this page. Null until the worker has answered. */
let completeSince: number | null = null

/** Listens from now on; the answer ends it. */
export function listen(listener: FeedListener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/**
 * Whether an answer of `seq` and the messages that this page has got join without a hole between
 * them. An answer may be older than the first message: then the question must be asked again.
 */
export function joins(seq: number): boolean {
  return completeSince === null || seq >= completeSince
}

/** Joins the feed. Once a page. */
export function join(): void {
  const url = apiUrl('live')
  say = typeof SharedWorker === 'undefined' ? alone(url) : shared()
  say({ kind: 'join', url })
  globalThis.addEventListener('pagehide', () => say({ kind: 'leave' }))
  // A page that comes back from the browser's memory has missed what was said meanwhile.
  globalThis.addEventListener('pageshow', (event) => {
    if (event.persisted) globalThis.location.reload()
  })
}

/** There is a session: follow. */
export function start(): void {
  say({ kind: 'start' })
}

/** There is none: the feed would only be refused. */
export function stop(): void {
  say({ kind: 'stop' })
}

function shared(): (message: ToWorker) => void {
  const worker = new SharedWorker(new URL('./worker.ts', import.meta.url), { type: 'module' })
  worker.port.addEventListener('message', (event: MessageEvent<ToPage>) => take(event.data))
  worker.port.start()
  return (message) => worker.port.postMessage(message)
}

function alone(url: string): (message: ToWorker) => void {
  const connection = new Connection(url, BROWSER, {
    state: (state) => take({ kind: 'state', state }),
    message: (message) => take({ kind: 'message', message }),
  })
  return (message) => {
    if (message.kind === 'start') connection.start()
    if (message.kind === 'stop') connection.stop()
  }
}

function take(said: ToPage): void {
  switch (said.kind) {
    case 'joined':
      completeSince = said.position
      seenSeq.value = said.position ?? 0
      become(said.state)
      return
    case 'state':
      become(said.state)
      return
    case 'message':
      lastHeard.value = Date.now()
      deliver(said.message)
  }
}

function become(state: FeedState): void {
  feedState.value = state
  if (state.kind === 'open') for (const listener of listeners) listener.opened?.()
}

function deliver({ type, data }: FeedMessage): void {
  switch (type) {
    case 'hello': {
      const hello = JSON.parse(data) as LiveHello
      newestSeq.value = hello.last_seq
      durableSeq.value = hello.durable_seq
      if (completeSince === null) completeSince = seenSeq.value = hello.last_seq
      return
    }
    case 'batch': {
      const batch = JSON.parse(data) as LiveBatch
      seenSeq.value = batch.to
      newestSeq.value = Math.max(newestSeq.value, batch.to)
      for (const listener of listeners) listener.batch?.(batch)
      return
    }
    case 'durable':
      durableSeq.value = (JSON.parse(data) as LiveDurable).durable_seq
      return
    case 'shed': {
      const shed = JSON.parse(data) as LiveShed
      seenSeq.value = shed.to
      for (const listener of listeners) listener.shed?.(shed)
      return
    }
    case 'reset': {
      const reset = JSON.parse(data) as LiveReset
      completeSince = seenSeq.value = newestSeq.value = reset.last_seq
      durableSeq.value = Math.min(durableSeq.value, reset.last_seq)
      for (const listener of listeners) listener.reset?.(reset)
    }
  }
}
