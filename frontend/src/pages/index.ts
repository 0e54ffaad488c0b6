/** The pages, in the order of the navigation. */

import {
  Activity,
  Boxes,
  ClipboardList,
  HardDrive,
  LayoutDashboard,
  Radio,
  ScrollText,
} from 'lucide-preact'
import type { LucideIcon } from 'lucide-preact'
import type { JSX } from 'preact'

import { later } from '../parts/later.tsx'
import type { Later } from '../parts/later.tsx'
import { OverviewPage } from './overview.tsx'

/** A page. */
export interface Page {
  readonly path: string
  readonly name: string
  /** A shorter name, where there is little room. */
  readonly short: string
  /** Pressed after `g`. */
  readonly key: string
  readonly icon: LucideIcon
  readonly component: () => JSX.Element
}

const logs = later(async () => (await import('./logs.tsx')).LogsPage)
const cluster = later(async () => (await import('./cluster.tsx')).ClusterPage)
const requests = later(async () => (await import('./requests.tsx')).RequestsPage)
const liveQueries = later(async () => (await import('./live-queries.tsx')).LiveQueriesPage)
const journal = later(async () => (await import('./journal.tsx')).JournalPage)
const actions = later(async () => (await import('./actions.tsx')).ActionsPage)

const LATER: readonly Later[] = [logs, cluster, requests, liveQueries, journal, actions]

/** All of them. */
export const PAGES: readonly Page[] = [
  page('/overview', 'Overview', 'h', LayoutDashboard, OverviewPage),
  page('/logs', 'Logs', 'l', ScrollText, logs.component),
  page('/cluster', 'Cluster', 'c', Boxes, cluster.component),
  page('/requests', 'Requests', 'r', Activity, requests.component),
  page('/live-queries', 'Live queries', 'w', Radio, liveQueries.component, 'Queries'),
  page('/journal', 'Journal', 'j', HardDrive, journal.component),
  page('/actions', 'Actions', 'a', ClipboardList, actions.component),
]

/** Fetches the code of all pages, so that each opens even when nobody answers any more. */
export function fetchPages(): void {
  for (const one of LATER) one.fetch()
}

function page(
  path: string,
  name: string,
  key: string,
  icon: LucideIcon,
  component: () => JSX.Element,
  short = name,
): Page {
  return { path, name, short, key, icon, component }
}
