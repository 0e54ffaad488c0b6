/** The browser's side of the connection: EventSource and timers. */

import type { Ports } from './connection.ts'
import { MESSAGE_TYPES } from './protocol.ts'

/** The same in a page and in a worker. */
export const BROWSER: Ports = {
  open(url, handlers) {
    const source = new EventSource(url)
    source.addEventListener('open', () => handlers.opened())
    // The browser would try again by itself, but never after an answer such as 401, and without
    // telling when: the connection does it.
    source.addEventListener('error', () => handlers.failed())
    for (const type of MESSAGE_TYPES) {
      source.addEventListener(type, (event: MessageEvent<string>) => {
        handlers.message(type, event.data, event.lastEventId)
      })
    }
    return source
  },
  after(ms, callback) {
    const timer = setTimeout(callback, ms)
    return () => clearTimeout(timer)
  },
  now: () => Date.now(),
}
