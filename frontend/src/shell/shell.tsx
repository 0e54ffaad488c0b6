/** The frame around every page: what mode this is, and how the recorder fares. */

import type { ComponentChildren, JSX } from 'preact'
import { useEffect } from 'preact/hooks'

import { count, counted } from '../lib/format.ts'
import { fetchPages, PAGES } from '../pages/index.ts'
import { OfflineBanner } from '../parts/states.tsx'
import { Time } from '../parts/time.tsx'
import { path } from '../state/route.ts'
import { status } from '../state/status.ts'
import { Header } from './header.tsx'
import { followKeys, HelpSheet } from './keys.tsx'
import { Nav } from './nav.tsx'
import { StatusBar, useTitle } from './status-bar.tsx'

/** The first page is on screen by then, and its own questions have been asked. */
const FETCH_PAGES_MS = 500

/** The frame. */
export function Shell({ children }: { readonly children: ComponentChildren }): JSX.Element {
  const here = PAGES.find((page) => path.value === page.path)
  useTitle(here?.name ?? '')
  useEffect(followKeys, [])
  useEffect(() => {
    const timer = setTimeout(fetchPages, FETCH_PAGES_MS)
    return () => clearTimeout(timer)
  }, [])
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={skipToMain}>
        Skip to the page
      </a>
      <Header />
      <Nav />
      <section class="strips" aria-label="State of the recorder">
        <ModeStrip />
        <OfflineBanner />
        <DegradedStrip />
      </section>
      <main id="main" class="main" tabIndex={-1}>
        <h1 class="for-readers">{here?.name}</h1>
        {children}
      </main>
      <StatusBar />
      <HelpSheet />
    </div>
  )
}

/** The hash is the route, so a plain link to an id would lead to another page. */
function skipToMain(event: Event): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
}

/** Nobody may take a simulation or a recording for the cluster. */
function ModeStrip(): JSX.Element | null {
  switch (status.value.value?.mode) {
    case 'demo':
      return (
        <p class="strip strip-demo">
          <b>{'\u25c6'} DEMO</b> A simulated cluster and app-server. Nothing here is real.
        </p>
      )
    case 'replay':
      return (
        <p class="strip strip-replay">
          <b>{'\u25b6\ufe0e'} REPLAY</b> A recording, as it was at its last event. Nothing can be
          changed here.
        </p>
      )
    default:
      return null
  }
}

function DegradedStrip(): JSX.Element | null {
  const reasons = status.value.value?.degraded ?? []
  const unsaved = status.value.value?.unsaved
  if (reasons.length === 0) return null
  return (
    <div class="strip strip-degraded" role="status">
      <b>{'\u25b2'} Degraded</b>
      <ul>
        {reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
        {unsaved && (
          <li>
            Since <Time at={unsaved.since} />: {counted(unsaved.kept, 'record')} kept in memory,{' '}
            {count(unsaved.dropped)} lost.
          </li>
        )}
      </ul>
    </div>
  )
}
