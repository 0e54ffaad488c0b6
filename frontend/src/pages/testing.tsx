/** Test sequences: those of the configuration and edits of them, run against the app-server. */

import { useSignal } from '@preact/signals'
import type { Signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useId } from 'preact/hooks'

import type { TestSequence } from '../api/types.ts'
import { enable, parseSteps, repeat, stepRows, stepsText } from '../lib/steps.ts'
import type { Step, StepRow } from '../lib/steps.ts'
import { Panel } from '../parts/panel.tsx'
import { StartForm } from '../parts/start-form.tsx'
import { Answered, Note } from '../parts/states.tsx'
import { query, setQuery } from '../state/route.ts'
import { useRunbooks } from '../state/runbooks.ts'
import { ActionPane } from './action-pane.tsx'

/** What stands in the editor where the configuration has no sequence. */
const EXAMPLE: readonly Step[] = [
  { enabled: true, http: { method: 'GET', path: '/' }, waitTillComplete: true },
]
/** A slip of the finger must not ask for more runs than this. */
const REPEATS_MAX = 10_000

/** The page. */
export function TestingPage(): JSX.Element {
  const runbooks = useRunbooks()
  const sequences = runbooks.value.value?.sequences ?? []
  const id = query.value.get('id')
  const chosen = sequences.find(({ name }) => name === query.value.get('sequence')) ?? sequences[0]
  return (
    <div class="page page-fill">
      <div class="with-detail with-wide-detail">
        <div class="scroll stack">
          <Answered of={runbooks} subject="test sequences" isEmpty={false} empty="">
            <Panel title="Test sequence">
              <Choice all={sequences} chosen={chosen} />
              <Editor key={chosen?.name} of={chosen} />
            </Panel>
          </Answered>
        </div>
        {id && <ActionPane key={id} id={id} onClose={() => setQuery({ id: '' })} />}
      </div>
    </div>
  )
}

interface ChoiceProps {
  readonly all: readonly TestSequence[]
  readonly chosen: TestSequence | undefined
}

function Choice({ all, chosen }: ChoiceProps): JSX.Element {
  if (!chosen) {
    return (
      <Note kind="empty">
        The configuration names no test sequence. One can be written here and run all the same.
      </Note>
    )
  }
  return (
    <>
      <div class="toolbar">
        <label>
          <span class="label">Sequence</span>
          <select
            value={chosen.name}
            onChange={(event) => setQuery({ sequence: event.currentTarget.value })}
          >
            {all.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      </div>
      <p class="what">{chosen.what}</p>
    </>
  )
}

/** Steps as a list of switches and as text: a change of one is a change of the other. */
function Editor({ of }: { readonly of: TestSequence | undefined }): JSX.Element {
  const first = stepsText(of?.steps ?? EXAMPLE)
  const text = useSignal(first)
  const parsed = parseSteps(text.value)
  const isChanged = text.value !== first
  const what = of && !isChanged ? of.what : 'Runs the steps as they are edited here.'
  return (
    <>
      {parsed.ok ? (
        <StepList
          steps={parsed.value}
          onChange={(steps) => {
            text.value = stepsText(steps)
          }}
        />
      ) : (
        <Note kind="failed">The text is no sequence: {parsed.error}</Note>
      )}
      <StepsText text={text} isWrong={!parsed.ok} />
      <p class="muted">
        {isChanged ? 'Edited here; the configuration stays as it is. ' : ''}
        {isChanged && (
          <button type="button" class="small" onClick={() => (text.value = first)}>
            Undo all edits
          </button>
        )}
      </p>
      <StartForm
        name={of?.name ?? 'test sequence'}
        what={what}
        args={[]}
        given={{}}
        verb="Run"
        wish={() => ({
          action: 'run-test-sequence',
          args:
            of && !isChanged
              ? { name: of.name }
              : { steps: parsed.ok ? parsed.value : text.value },
        })}
        onStarted={(started) => setQuery({ id: started.id })}
      />
    </>
  )
}

function StepsText(props: {
  readonly text: Signal<string>
  readonly isWrong: boolean
}): JSX.Element {
  const id = useId()
  return (
    <details>
      <summary>Edit as text</summary>
      <label class="for-readers" htmlFor={id}>
        Steps as JSON
      </label>
      <textarea
        id={id}
        rows={16}
        spellcheck={false}
        aria-invalid={props.isWrong}
        value={props.text.value}
        onInput={(event) => {
          props.text.value = event.currentTarget.value
        }}
      />
    </details>
  )
}

interface ListProps {
  readonly steps: readonly Step[]
  readonly onChange: (steps: readonly Step[]) => void
}

function StepList({ steps, onChange }: ListProps): JSX.Element {
  return (
    <ol class="step-list" aria-label="Steps">
      {stepRows(steps).map((row) => (
        <li key={row.path} class={`depth-${Math.min(row.depth, 4)}`}>
          <label class="check">
            <input
              type="checkbox"
              checked={row.isEnabled}
              onChange={(event) =>
                onChange(enable(steps, row.path, event.currentTarget.checked))
              }
            />
            <span class={row.isEnabled ? 'mono' : 'mono muted'}>
              {stepNumber(row)} {row.label}
            </span>
          </label>
          {row.repeatCount !== null && (
            <label class="check">
              times
              <input
                type="number"
                min={1}
                max={REPEATS_MAX}
                value={row.repeatCount}
                aria-label={`Times that step ${stepNumber(row)} is run`}
                onChange={(event) => {
                  const { valueAsNumber } = event.currentTarget
                  const isCount = valueAsNumber >= 1 && valueAsNumber <= REPEATS_MAX
                  if (isCount) onChange(repeat(steps, row.path, Math.floor(valueAsNumber)))
                }}
              />
            </label>
          )}
        </li>
      ))}
    </ol>
  )
}

/** `2.1`, counted from one as people do. */
function stepNumber(row: StepRow): string {
  return row.path
    .split('.')
    .map((index) => Number(index) + 1)
    .join('.')
}
