/** The page for whoever is not logged in. What is typed is sent once and kept nowhere. */

import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

import type { Failure } from '../api/client.ts'
import { Note, PortForward } from '../parts/states.tsx'
import { logIn } from '../state/session.ts'

/** The form. */
export function LogIn(): JSX.Element {
  const field = useRef<HTMLInputElement>(null)
  const failure = useSignal<Failure | null>(null)
  const isBusy = useSignal(false)
  useEffect(() => {
    document.title = 'Log in \u2013 monitor-backend'
    field.current?.focus()
  }, [])

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const input = field.current
    // What is pasted from a file or a terminal often brings its line end along.
    const key = input?.value.trim() ?? ''
    if (!input || key === '' || isBusy.value) return
    isBusy.value = true
    const answer = await logIn(key)
    isBusy.value = false
    failure.value = answer.ok ? null : answer.error
    if (!answer.ok) input.select()
  }

  return (
    <main class="alone">
      <h1>monitor-backend</h1>
      <form class="log-in" onSubmit={(event) => void submit(event)}>
        <label htmlFor="key">Admin key or Kubernetes token</label>
        <input
          ref={field}
          id="key"
          type="password"
          autocomplete="current-password"
          required
          aria-describedby="key-help"
        />
        <button type="submit" class="primary" disabled={isBusy.value}>
          {isBusy.value ? 'Checking\u2026' : 'Log in'}
        </button>
        <div role="alert">{failure.value && <Refusal failure={failure.value} />}</div>
        <p id="key-help" class="muted">
          The key is the value of MONITOR_BACKEND_ADMIN_KEY, or the content of the file admin-key in
          the recorder's data directory. A token comes from{' '}
          <code>kubectl create token NAME --audience monitor-backend</code>; the cluster says who
          that is, and whether they may see or act. This browser keeps neither.
        </p>
      </form>
    </main>
  )
}

function Refusal({ failure }: { readonly failure: Failure }): JSX.Element {
  switch (failure.kind) {
    case 'logged_out':
      return (
        <Note kind="forbidden">
          {failure.message}. Nothing is locked: try again with another one.
        </Note>
      )
    case 'unreachable':
      return (
        <Note kind="offline">
          <p>
            The recorder does not answer, so the key was not checked. If you reach it through a
            tunnel, run it again:
          </p>
          <PortForward />
        </Note>
      )
    default:
      return <Note kind="failed">The key was not checked: {failure.message}</Note>
  }
}
