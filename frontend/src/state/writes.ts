/** Whether anything can be changed from here, and if not, why not. */

import { canAct } from './session.ts'
import { isReplay, offlineSince } from './status.ts'

/** The reason in words; null where writes are possible. */
export function whyNoWrites(): string | null {
  if (isReplay.value) return 'This is a replay: nothing can be changed in a recording.'
  if (!canAct()) {
    return 'This session may only see. Log in as somebody who may act, for example with the admin key.'
  }
  if (offlineSince.value !== null) {
    return 'Disconnected: what you see may be out of date, so nothing is done from here.'
  }
  return null
}
