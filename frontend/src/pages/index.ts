/** The pages, in the order of the navigation. */

import {
  Activity,
  AppWindow,
  BookOpen,
  Boxes,
  ClipboardList,
  Database,
  FlaskConical,
  HardDrive,
  HeartPulse,
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
  /** Where there is little room, the others stand behind a button. */
  readonly isMain: boolean
  readonly component: () => JSX.Element
}

/** Pages that belong together; the first group needs no name. */
export interface PageGroup {
  readonly name: string
  readonly pages: readonly Page[]
}

const logs = later(async () => (await import('./logs.tsx')).LogsPage)
const cluster = later(async () => (await import('./cluster.tsx')).ClusterPage)
const requests = later(async () => (await import('./requests.tsx')).RequestsPage)
const liveQueries = later(async () => (await import('./live-queries.tsx')).LiveQueriesPage)
const volumes = later(async () => (await import('./volumes.tsx')).VolumesPage)
const probes = later(async () => (await import('./probes.tsx')).ProbesPage)
const actions = later(async () => (await import('./actions.tsx')).ActionsPage)
const runbooks = later(async () => (await import('./runbooks.tsx')).RunbooksPage)
const testing = later(async () => (await import('./testing.tsx')).TestingPage)
const journal = later(async () => (await import('./journal.tsx')).JournalPage)
const tools = later(async () => (await import('./tools.tsx')).ToolsPage)

const LATER: readonly Later[] = [
  logs,
  cluster,
  requests,
  liveQueries,
  volumes,
  probes,
  actions,
  runbooks,
  testing,
  journal,
  tools,
]

/** All of them, as the navigation groups them. */
export const GROUPS: readonly PageGroup[] = [
  {
    name: '',
    pages: [page('/overview', 'Overview', 'h', LayoutDashboard, OverviewPage, { isMain: true })],
  },
  {
    name: 'Observed',
    pages: [
      page('/logs', 'Logs', 'l', ScrollText, logs.component, { isMain: true }),
      page('/cluster', 'Cluster', 'c', Boxes, cluster.component, { isMain: true }),
      page('/requests', 'Requests', 'r', Activity, requests.component),
      page('/live-queries', 'Live queries', 'w', Radio, liveQueries.component, {
        short: 'Queries',
      }),
      page('/volumes', 'Volumes', 'v', Database, volumes.component),
      page('/probes', 'Probes', 'p', HeartPulse, probes.component),
    ],
  },
  {
    name: 'Desk',
    pages: [
      page('/actions', 'Actions', 'a', ClipboardList, actions.component, { isMain: true }),
      page('/runbooks', 'Runbooks', 'b', BookOpen, runbooks.component),
      page('/testing', 'Testing', 'e', FlaskConical, testing.component),
    ],
  },
  {
    name: 'Recorder',
    pages: [
      page('/journal', 'Journal', 'j', HardDrive, journal.component),
      page('/tools', 'Outside tools', 'o', AppWindow, tools.component, { short: 'Tools' }),
    ],
  },
]

/** All of them, in the same order. */
export const PAGES: readonly Page[] = GROUPS.flatMap((group) => group.pages)

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
  { short = name, isMain = false }: { readonly short?: string; readonly isMain?: boolean } = {},
): Page {
  return { path, name, short, key, icon, isMain, component }
}
