/** A time on screen: short, with the whole of it in the title. */

import type { JSX } from 'preact'

import { fullTime, shortTime } from '../lib/time.ts'
import { ahead, now } from '../state/clock.ts'
import { zone } from '../state/settings.ts'

interface TimeProps {
  readonly at: number
  /** Measured by this machine's clock, not the recorder's. */
  readonly isLocalClock?: boolean
}

/** The time `at`, in the zone that the admin chose. */
export function Time({ at, isLocalClock = false }: TimeProps): JSX.Element {
  // Only the day matters, and every list is drawn more often than that.
  const present = isLocalClock ? now.peek() : now.peek() + ahead.peek()
  return (
    <time class="time" dateTime={isoTime(at)} title={fullTime(at, zone.value)}>
      {shortTime(at, present, zone.value)}
    </time>
  )
}

function isoTime(at: number): string {
  const date = new Date(at)
  return Number.isNaN(date.getTime()) ? '' : date.toISOString()
}
