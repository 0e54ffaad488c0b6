/** Pages whose code comes after the first one is on screen. */

import { signal } from '@preact/signals'
import type { JSX } from 'preact'

import { Note, PortForward } from './states.tsx'

type Page = () => JSX.Element

/** A page, and a way to have its code before it is opened. */
export interface Later {
  readonly component: Page
  /** Fetches the code: a tunnel that breaks later must not keep a page from opening. */
  fetch(): void
}

/** Wraps the import of a page. */
export function later(load: () => Promise<Page>): Later {
  const loaded = signal<Page | null>(null)
  const hasFailed = signal(false)
  let isFetching = false
  const fetch = (): void => {
    if (isFetching) return
    isFetching = true
    load().then(
      (page) => (loaded.value = page),
      () => {
        isFetching = false
        hasFailed.value = true
      },
    )
  }
  const component = (): JSX.Element => {
    const Loaded = loaded.value
    if (Loaded) return <Loaded />
    if (hasFailed.value) return <Failed />
    fetch()
    return <Note kind="loading">Loading this page.</Note>
  }
  return { component, fetch }
}

function Failed(): JSX.Element {
  return (
    <Note kind="offline">
      <p>
        Disconnected: the code of this page was not loaded before the recorder stopped answering. If
        you reach it through a tunnel, run it again, then load the page again.
      </p>
      <PortForward />
      <button type="button" onClick={() => globalThis.location.reload()}>
        Load again
      </button>
    </Note>
  )
}
