/** The question before something is done: what will happen, and that it goes on record. */

import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'

import type { Answer, Failure } from '../api/client.ts'
import type { DryRun, StartedAction } from '../api/types.ts'
import { start, tryOut } from '../state/acting.ts'
import type { Wish } from '../state/acting.ts'
import { status } from '../state/status.ts'
import { whyNoWrites } from '../state/writes.ts'
import { Dialog } from './dialog.tsx'
import { DryRunLines } from './dry-run.tsx'
import { Note } from './states.tsx'

interface DialogProps {
  readonly title: string
  readonly what: string
  /** The same for a terminal; null where there is no such line. */
  readonly byHand: string | null
  readonly verb: string
  readonly wish: Wish
  readonly onStarted: (started: StartedAction) => void
  readonly onClose: () => void
}

/** The dialog; it closes itself when the recorder has started it. */
export function StartDialog(props: DialogProps): JSX.Element {
  const { title, what, wish, verb, onClose } = props
  const failure = useSignal<Failure | null>(null)
  const isBusy = useSignal(false)
  const isUnrecorded = useSignal(false)
  const refusal = whyNoWrites()
  const confirm = async (): Promise<void> => {
    isBusy.value = true
    const answer = await start(wish, Boolean(status.value.value?.unsaved) && isUnrecorded.value)
    isBusy.value = false
    if (!answer.ok) {
      failure.value = answer.error
      // The journal may have ceased to take records since the status was asked for.
      void status.ask()
      return
    }
    props.onStarted(answer.value)
    onClose()
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{what}</p>
      <Would wish={wish} />
      {props.byHand && (
        <p class="muted">
          The same by hand: <code>{props.byHand}</code>
        </p>
      )}
      <p class="muted">It is put on record before anything is done, and its outcome after.</p>
      <Unrecorded of={isUnrecorded} />
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
          {isBusy.value ? 'Starting\u2026' : verb}
        </button>
      </div>
    </Dialog>
  )
}

/** What the recorder says that it will do. It does not keep anybody from starting it. */
function Would({ wish }: { readonly wish: Wish }): JSX.Element {
  const answer = useSignal<Answer<DryRun> | null>(null)
  useEffect(() => {
    void tryOut(wish).then((value) => (answer.value = value))
  }, [wish])
  if (answer.value === null) return <p class="muted">Asking what it would do{'\u2026'}</p>
  if (!answer.value.ok) return <DryRunLines of={wish.action} answer={answer.value} />
  return (
    <ul class="would" aria-label="What it will do">
      {answer.value.value.would.map((line, index) => (
        <li key={index}>{line}</li>
      ))}
    </ul>
  )
}

function Unrecorded({ of }: { readonly of: { value: boolean } }): JSX.Element | null {
  if (!status.value.value?.unsaved) return null
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={of.value}
        onChange={(event) => (of.value = event.currentTarget.checked)}
      />
      Act without a record: the journal takes none now. What is done is recorded later, unless the
      recorder ends before.
    </label>
  )
}
