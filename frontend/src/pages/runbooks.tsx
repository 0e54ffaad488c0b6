/** Runbooks: named procedures of the configuration, to be run and watched. */

import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'

import type { Runbook } from '../api/types.ts'
import { counted } from '../lib/format.ts'
import { longDuration } from '../lib/time.ts'
import { Panel } from '../parts/panel.tsx'
import { StartForm } from '../parts/start-form.tsx'
import { Answered } from '../parts/states.tsx'
import { query, setQuery } from '../state/route.ts'
import { useRunbooks } from '../state/runbooks.ts'
import { ActionPane } from './action-pane.tsx'

/** The page. */
export function RunbooksPage(): JSX.Element {
  const runbooks = useRunbooks()
  const all = runbooks.value.value?.runbooks ?? []
  const id = query.value.get('id')
  return (
    <div class="page page-fill">
      <div class="with-detail with-wide-detail">
        <div class="scroll stack">
          <Answered
            of={runbooks}
            subject="runbooks"
            isEmpty={all.length === 0}
            empty="The configuration names no runbook. The README says how one is written."
          >
            {all.map((one) => (
              <RunbookPanel key={one.name} of={one} />
            ))}
          </Answered>
        </div>
        {id && <ActionPane key={id} id={id} onClose={() => setQuery({ id: '' })} />}
      </div>
    </div>
  )
}

function RunbookPanel({ of }: { readonly of: Runbook }): JSX.Element {
  const isOpen = useSignal(false)
  return (
    <Panel
      title={of.name}
      aside={`${counted(of.steps.length, 'step')}, at most ${longDuration(of.timeout)}`}
    >
      <p class="what">{of.what}</p>
      <details
        open={isOpen.value}
        onToggle={(event) => (isOpen.value = event.currentTarget.open)}
      >
        <summary>Steps</summary>
        <ol class="steps">
          {of.steps.map((step, index) => (
            <li key={index}>
              <b>{step.kind}</b> <span class="mono">{step.what}</span>
            </li>
          ))}
        </ol>
      </details>
      <StartForm
        name={of.name}
        what={of.what}
        args={of.args}
        given={Object.fromEntries(of.args.map((arg) => [arg.name, arg.default ?? '']))}
        verb="Run"
        wish={(args) => ({ action: 'run-runbook', args: { name: of.name, args } })}
        onStarted={(started) => setQuery({ id: started.id })}
      />
    </Panel>
  )
}
