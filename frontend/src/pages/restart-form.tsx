/** The form that restarts a workload, and the question before it does. */

import { useSignal } from '@preact/signals'
import type { Signal } from '@preact/signals'
import type { JSX } from 'preact'

import type { Failure } from '../api/client.ts'
import type { StartedAction } from '../api/types.ts'
import { count } from '../lib/format.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Panel } from '../parts/panel.tsx'
import { Note } from '../parts/states.tsx'
import { byHand, consequence, METHODS, restart } from '../state/acting.ts'
import type { Restart } from '../state/acting.ts'
import { objects } from '../state/lists.ts'
import { query } from '../state/route.ts'
import { status } from '../state/status.ts'
import { whyNoWrites } from '../state/writes.ts'

const KINDS = ['Deployment', 'StatefulSet', 'DaemonSet'] as const
const METHOD_NAMES: Readonly<Record<(typeof METHODS)[number], string>> = {
  rollout: 'Replace all pods',
  'delete-newest-pod': 'Delete the newest pod',
}

/** The form. A link may bring its first values. */
export function RestartForm(): JSX.Element {
  const given = query.value
  const restartOf = useSignal<Restart>({
    kind: given.get('kind') ?? 'Deployment',
    namespace: given.get('namespace') ?? '',
    name: given.get('name') ?? '',
    method: 'rollout',
  })
  const isAsking = useSignal(false)
  const started = useSignal<StartedAction | null>(null)
  const refusal = whyNoWrites()
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    started.value = null
    isAsking.value = true
  }
  return (
    <Panel title="Restart a workload">
      <form class="toolbar" onSubmit={submit}>
        <Inputs of={restartOf} />
        <button
          type="submit"
          class="primary"
          disabled={refusal !== null}
          aria-describedby="restart-refusal"
        >
          Restart{'\u2026'}
        </button>
        <span id="restart-refusal" class="muted">
          {refusal}
        </span>
      </form>
      <p role="status" class="muted">
        {started.value && startedText(started.value)}
      </p>
      {isAsking.value && (
        <Confirm
          args={restartOf.value}
          onStarted={(value) => (started.value = value)}
          onClose={() => (isAsking.value = false)}
        />
      )}
    </Panel>
  )
}

function startedText({ seq }: StartedAction): string {
  const record =
    seq === null
      ? 'its intent waits in memory until the journal takes records again'
      : `the intent is on record as event ${count(seq)}`
  return `Started: ${record}. The outcome appears below.`
}

function Inputs({ of }: { readonly of: Signal<Restart> }): JSX.Element {
  const change = (part: Partial<Restart>): void => {
    of.value = { ...of.value, ...part }
  }
  const alike = objects
    .open()
    .all()
    .filter((row) => row.kind === of.value.kind && row.deleted === false)
  const inNamespace = alike.filter((row) => row.namespace === of.value.namespace)
  return (
    <>
      <label>
        <span class="label">Kind</span>
        <select
          value={of.value.kind}
          onChange={(event) => change({ kind: event.currentTarget.value })}
        >
          {KINDS.map((kind) => (
            <option key={kind}>{kind}</option>
          ))}
        </select>
      </label>
      <Text
        label="Namespace"
        value={of.value.namespace}
        known={[...new Set(alike.map((row) => row.namespace))]}
        onInput={(namespace) => change({ namespace })}
      />
      <Text
        label="Name"
        value={of.value.name}
        known={inNamespace.map((row) => row.name)}
        onInput={(name) => change({ name })}
      />
      <label>
        <span class="label">How</span>
        <select
          value={of.value.method}
          onChange={(event) => {
            const method = METHODS.find((one) => one === event.currentTarget.value)
            if (method) change({ method })
          }}
        >
          {METHODS.map((method) => (
            <option key={method} value={method}>
              {METHOD_NAMES[method]}
            </option>
          ))}
        </select>
      </label>
    </>
  )
}

interface TextProps {
  readonly label: string
  readonly value: string
  readonly known: readonly string[]
  readonly onInput: (value: string) => void
}

function Text({ label, value, known, onInput }: TextProps): JSX.Element {
  const id = `known-${label.toLowerCase()}`
  return (
    <>
      <label>
        <span class="label">{label}</span>
        <input
          type="text"
          required
          autocomplete="off"
          list={id}
          value={value}
          onInput={(event) => onInput(event.currentTarget.value.trim())}
        />
      </label>
      <datalist id={id}>
        {known.map((one) => (
          <option key={one}>{one}</option>
        ))}
      </datalist>
    </>
  )
}

interface ConfirmProps {
  readonly args: Restart
  readonly onStarted: (started: StartedAction) => void
  readonly onClose: () => void
}

function Confirm({ args, onStarted, onClose }: ConfirmProps): JSX.Element {
  const failure = useSignal<Failure | null>(null)
  const isBusy = useSignal(false)
  const isUnrecorded = useSignal(false)
  const refusal = whyNoWrites()
  const mayBeUnrecorded = Boolean(status.value.value?.unsaved)
  const confirm = async (): Promise<void> => {
    isBusy.value = true
    const answer = await restart(args, mayBeUnrecorded && isUnrecorded.value)
    isBusy.value = false
    if (!answer.ok) {
      failure.value = answer.error
      // The journal may have ceased to take records since the status was asked for.
      void status.ask()
      return
    }
    onStarted(answer.value)
    onClose()
  }
  return (
    <Dialog title={`Restart ${args.name}`} onClose={onClose}>
      <p>{consequence(args)}</p>
      <p class="muted">
        The same by hand: <code>{byHand(args)}</code>
      </p>
      <p class="muted">It is put on record before anything is done, and its outcome after.</p>
      {mayBeUnrecorded && (
        <label class="check">
          <input
            type="checkbox"
            checked={isUnrecorded.value}
            onChange={(event) => (isUnrecorded.value = event.currentTarget.checked)}
          />
          Act without a record: the journal takes none now. What is done is recorded later, unless
          the recorder ends before.
        </label>
      )}
      {refusal && <Note kind="forbidden">{refusal}</Note>}
      <div role="alert">
        {failure.value && <Note kind="failed">Not started: {failure.value.message}</Note>}
      </div>
      <div class="dialog-buttons">
        <button type="button" data-first-focus onClick={onClose}>
          Cancel
        </button>
        <button
          type="button"
          class="danger"
          disabled={isBusy.value || refusal !== null}
          onClick={() => void confirm()}
        >
          {isBusy.value ? 'Starting\u2026' : 'Restart'}
        </button>
      </div>
    </Dialog>
  )
}
