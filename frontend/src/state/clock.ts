/** The time now, for what grows on screen. */

import { signal } from '@preact/signals'

/** This machine's time, once a second. */
export const now = signal(Date.now())
/** How far the recorder's clock is ahead of this machine's, in ms. */
export const ahead = signal(0)

setInterval(() => {
  now.value = Date.now()
}, 1000)

/** The recorder's time, as well as it is known: what recorded times are compared with. */
export function recorderNow(): number {
  return now.value + ahead.value
}
