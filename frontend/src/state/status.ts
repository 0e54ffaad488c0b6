/** What the recorder says of itself, for the frame around every page. */

import { computed, effect } from '@preact/signals'

import type { Status } from '../api/types.ts'
import { durableSeq, feedState, lastHeard, listen, newestSeq, seenSeq } from '../feed/feed.ts'
import { ahead } from './clock.ts'
import { Question } from './question.ts'
import { askSession, session } from './session.ts'

/** Degraded reasons are no events: they are asked for, only while somebody looks. */
const ASK_MS = 10_000
/** So many events behind is more than the distance between two batches. */
const BEHIND_MAX = 5000

class StatusQuestion extends Question<Status> {
  protected override taken(status: Status): void {
    ahead.value = status.now - Date.now()
    newestSeq.value = Math.max(newestSeq.value, status.journal.last_seq)
    durableSeq.value = Math.max(durableSeq.value, status.journal.durable_seq)
    if (seenSeq.value === 0) seenSeq.value = status.seq
  }
}

/** The recorder's own account. */
export const status = new StatusQuestion('status')

/** In a replay, nothing can be done. */
export const isReplay = computed(() => status.value.value?.mode === 'replay')

/** Observations lost since the journal stopped taking records; 0 while it takes them. */
export const lostNow = computed(() => status.value.value?.unsaved?.dropped ?? 0)

/** How this page stands to the recorder: each has its own word, glyph and colour. */
export type Standing = 'live' | 'demo' | 'replay' | 'offline' | 'connecting' | 'behind'

/** The standing now. */
export const standing = computed((): Standing => {
  if (feedState.value.kind === 'offline') return 'offline'
  const mode = status.value.value?.mode
  if (mode === undefined || feedState.value.kind !== 'open') return 'connecting'
  return newestSeq.value - seenSeq.value > BEHIND_MAX ? 'behind' : mode
})

/** Since when nothing was heard; null while there is a connection. */
export const offlineSince = computed(() =>
  feedState.value.kind === 'offline' ? (lastHeard.value ?? feedState.value.since) : null,
)

/** Keeps the status true while somebody looks. */
export function followStatus(): void {
  listen({
    opened: ask,
    batch: (batch) => batch.sources && ask(),
    shed: ask,
    reset: ask,
  })
  setInterval(() => {
    if (document.visibilityState === 'visible' && feedState.peek().kind === 'open') ask()
  }, ASK_MS)
  document.addEventListener('visibilitychange', ask)
  effect(() => {
    if (session.value.kind === 'in') void status.ask()
  })
  // A feed that is refused looks like one that is cut, and one that stands still may have been
  // stopped by a log-out in another tab: ask which it is.
  effect(() => {
    const { kind } = feedState.value
    const isIn = session.peek().kind === 'in'
    if (kind === 'offline' || (kind === 'idle' && isIn)) void askSession()
  })
}

function ask(): void {
  if (session.peek().kind === 'in') void status.ask()
}
