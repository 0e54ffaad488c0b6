/**
 * The shared worker: one live feed for all pages of a browser. HTTP/1.1 allows six connections an
 * origin; with one feed a page, the seventh page could not even load.
 */

import { BROWSER } from './browser.ts'
import { Connection } from './connection.ts'
import type { ToPage, ToWorker } from './protocol.ts'

const pages = new Set<MessagePort>()
let connection: Connection | null = null

function tellAll(message: ToPage): void {
  for (const page of pages) page.postMessage(message)
}

function connectionTo(url: string): Connection {
  connection ??= new Connection(url, BROWSER, {
    state: (state) => tellAll({ kind: 'state', state }),
    message: (message) => tellAll({ kind: 'message', message }),
  })
  return connection
}

function take(page: MessagePort, message: ToWorker): void {
  switch (message.kind) {
    case 'join': {
      const { position, state } = connectionTo(message.url)
      pages.add(page)
      page.postMessage({ kind: 'joined', position, state } satisfies ToPage)
      return
    }
    case 'start':
      connection?.start()
      return
    case 'stop':
      connection?.stop()
      return
    case 'leave':
      pages.delete(page)
  }
}

globalThis.addEventListener('connect', (event) => {
  // The types of pages know no shared worker: there, `connect` brings the page's port.
  const page = event instanceof MessageEvent ? event.ports[0] : undefined
  if (!page) return
  page.addEventListener('message', (said: MessageEvent<ToWorker>) => take(page, said.data))
  page.start()
})
