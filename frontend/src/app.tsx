/** Which page stands in the frame, and what stands there while nobody is logged in. */

import type { JSX } from 'preact'
import { Redirect, Route, Router, Switch } from 'wouter-preact'

import { PAGES } from './pages/index.ts'
import { LogIn } from './pages/log-in.tsx'
import { Note, PortForward } from './parts/states.tsx'
import { Shell } from './shell/shell.tsx'
import { useHashPath } from './state/route.ts'
import { session } from './state/session.ts'

/** All that is on screen. */
export function App(): JSX.Element {
  const { value } = session
  switch (value.kind) {
    case 'in':
      return (
        <Router hook={useHashPath}>
          <Shell>
            <Pages />
          </Shell>
        </Router>
      )
    case 'out':
      return <LogIn />
    case 'asking':
      return <Waiting />
    case 'failed':
      return <NoAnswer reason={value.failure.message} />
  }
}

function Pages(): JSX.Element {
  return (
    <Switch>
      {PAGES.map((page) => (
        <Route key={page.path} path={page.path} component={page.component} />
      ))}
      <Route>
        <Redirect to="/overview" replace />
      </Route>
    </Switch>
  )
}

function Waiting(): JSX.Element {
  return (
    <main class="alone">
      <h1>monitor-backend</h1>
      <Note kind="loading">Loading: asking the recorder who you are.</Note>
    </main>
  )
}

function NoAnswer({ reason }: { readonly reason: string }): JSX.Element {
  return (
    <main class="alone">
      <h1>monitor-backend</h1>
      <Note kind="offline">
        <p>
          Disconnected: the recorder does not answer{reason && ` (${reason})`}. If you reach it
          through a tunnel, run it again; this page goes on by itself.
        </p>
        <PortForward />
      </Note>
    </main>
  )
}
