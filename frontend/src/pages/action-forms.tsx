/** The forms of what can be done, one at a time, as the recorder declares them. */

import type { JSX } from 'preact'

import type { DeclaredAction } from '../api/types.ts'
import type { Args } from '../lib/by-hand.ts'
import { Panel } from '../parts/panel.tsx'
import { StartForm } from '../parts/start-form.tsx'
import { actions } from '../state/lists.ts'
import { query, setQuery } from '../state/route.ts'

/** These have pages of their own, where their arguments are no plain texts. */
const ELSEWHERE = new Set(['run-runbook', 'run-test-sequence'])

/** The kind of object that an action is for which takes no kind: its names are proposed. */
const KINDS: Readonly<Record<string, Args>> = { 'delete-pod': { kind: 'Pod' } }

/** The choice of an action and its form. A link may bring the first values. */
export function ActionForms(): JSX.Element | null {
  const declared = (actions.value.value?.declared ?? []).filter(({ name }) => !ELSEWHERE.has(name))
  const wanted = query.value.get('action')
  const chosen = declared.find(({ name }) => name === wanted) ?? declared[0]
  if (!chosen) return null
  const given = Object.fromEntries(query.value)
  return (
    <Panel title="Do something">
      <div class="toolbar">
        <label>
          <span class="label">Action</span>
          <select
            value={chosen.name}
            onChange={(event) => setQuery({ action: event.currentTarget.value })}
          >
            {declared.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <span class="muted">
          <a href="#/runbooks">Runbooks</a> and <a href="#/testing">test sequences</a> have their
          own pages.
        </span>
      </div>
      <p class="what">{chosen.what}</p>
      <ActionForm key={chosen.name} of={chosen} given={given} />
    </Panel>
  )
}

interface FormProps {
  readonly of: DeclaredAction
  readonly given: Args
}

function ActionForm({ of, given }: FormProps): JSX.Element {
  return (
    <StartForm
      key={JSON.stringify(of.args.map((arg) => given[arg.name]))}
      name={of.name}
      what={of.what}
      args={of.args}
      given={{ ...KINDS[of.name], ...given }}
      verb="Start"
      wish={(args) => ({ action: of.name, args })}
      onStarted={({ id }) => setQuery({ id })}
    />
  )
}
