/** Keeps the lists true while the journal takes no records: what is not recorded, no feed tells. */

import { effect } from '@preact/signals'

import {
  actions,
  liveQueries,
  objects,
  probes,
  processes,
  requests,
  sources,
  volumes,
} from './lists.ts'
import { status } from './status.ts'

const LISTS = [objects, liveQueries, requests, actions, sources, volumes, processes, probes]

/** Asks for the open lists as often as for the status, as long as something is not saved. */
export function followUnsaved(): void {
  effect(() => {
    if (!status.value.value?.unsaved) return
    for (const list of LISTS) list.askIfOpen()
  })
}
