/** The lists that pages share. Each begins to live when a page first opens it. */

import type {
  Action,
  Actions,
  LiveQueries,
  LiveQuery,
  ObjectRow,
  Objects,
  Probe,
  Probes,
  Process,
  Request,
  Requests,
  Source,
  Sources,
  Volume,
  Volumes,
} from '../api/types.ts'
import { Rows } from './rows.ts'

/** Objects of the cluster, those that are gone included. */
export const objects = new Rows<Objects, ObjectRow>({
  path: 'objects',
  answered: (answer) => answer.objects,
  live: (batch) => batch.objects,
  id: (object) => object.uid,
  seq: (object) => object.seq,
})

/** Request traces. */
export const requests = new Rows<Requests, Request>({
  path: 'requests',
  answered: (answer) => answer.requests,
  live: (batch) => batch.requests,
  id: (request) => `${request.source}\n${request.id}`,
  seq: (request) => request.seq,
})

/** Live queries. */
export const liveQueries = new Rows<LiveQueries, LiveQuery>({
  path: 'live-queries',
  answered: (answer) => answer.live_queries,
  live: (batch) => batch.live_queries,
  id: (query) => query.id,
  seq: (query) => query.seq,
  isGone: (query) => query.removed,
})

/** What admins did. */
export const actions = new Rows<Actions, Action>({
  path: 'actions',
  answered: (answer) => answer.actions,
  live: (batch) => batch.actions,
  id: (action) => action.id,
  seq: (action) => action.seq,
})

/** Where records come from. */
export const sources = new Rows<Sources, Source>({
  path: 'sources',
  answered: (answer) => answer.sources,
  live: (batch) => batch.sources,
  id: (source) => source.name,
})

/** What volumes hold. */
export const volumes = new Rows<Volumes, Volume>({
  path: 'volumes',
  answered: (answer) => answer.volumes,
  live: (batch) => batch.volumes,
  id: (volume) => volume.key,
  seq: (volume) => volume.seq,
  isGone: (volume) => volume.gone,
})

/** What processes use. */
export const processes = new Rows<Volumes, Process>({
  path: 'volumes',
  answered: (answer) => answer.processes,
  live: (batch) => batch.processes,
  id: (process) => process.name,
  seq: (process) => process.seq,
  isGone: (process) => process.gone,
})

/** What probes found. */
export const probes = new Rows<Probes, Probe>({
  path: 'probes',
  answered: (answer) => answer.probes,
  live: (batch) => batch.probes,
  id: (probe) => probe.name,
  seq: (probe) => probe.seq,
  isGone: (probe) => probe.removed,
})
