/** One action: how it stands, its output live, and a way to stop it. */

import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'

import type { Failure } from '../api/client.ts'
import type { Action } from '../api/types.ts'
import { count } from '../lib/format.ts'
import { LINES_MAX } from '../lib/output.ts'
import { duration, fullTime } from '../lib/time.ts'
import { OutcomeBadge, UnsavedBadge } from '../parts/badge.tsx'
import { Detail, Fields } from '../parts/detail.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { JsonPane } from '../parts/json-pane.tsx'
import { Older } from '../parts/older.tsx'
import { Output } from '../parts/output.tsx'
import { Answered, Note } from '../parts/states.tsx'
import { cancel } from '../state/acting.ts'
import { recorderNow } from '../state/clock.ts'
import { Progress } from '../state/progress.ts'
import { zone } from '../state/settings.ts'
import { isReplay } from '../state/status.ts'
import { whyNoWrites } from '../state/writes.ts'

interface PaneProps {
  readonly id: string
  readonly onClose: () => void
}

/** The pane. */
export function ActionPane({ id, onClose }: PaneProps): JSX.Element {
  const progress = useMemo(() => new Progress(id), [id])
  useEffect(() => {
    void progress.ask()
    return () => progress.end()
  }, [progress])
  const action = progress.value.value?.action
  return (
    <Detail title={action?.action ?? 'Action'} onClose={onClose}>
      <Answered of={progress} subject="this action" isEmpty={false} empty="">
        {action && <Parts action={action} progress={progress} />}
      </Answered>
    </Detail>
  )
}

interface PartsProps {
  readonly action: Action
  readonly progress: Progress
}

function Parts({ action, progress }: PartsProps): JSX.Element {
  const lines = progress.lines.value
  return (
    <>
      <p role="status">
        <OutcomeBadge outcome={action.outcome} /> <UnsavedBadge saved={action.saved} />{' '}
        {action.detail}
      </p>
      {action.outcome === null && !isReplay.value && <Cancel action={action} />}
      <h3>Output</h3>
      {lines.length >= LINES_MAX ? (
        <p class="muted">Only the newest {count(LINES_MAX)} lines are shown; the journal has all.</p>
      ) : (
        <Older of={progress} />
      )}
      {lines.length > 0 ? (
        <Output lines={lines} label={`Output of ${action.action}`} />
      ) : (
        <p class="none">
          {action.outcome === null ? 'It has written nothing yet.' : 'It wrote nothing.'}
        </p>
      )}
      <h3>What was asked for</h3>
      <Fields
        rows={[
          ['By', action.actor],
          ['Started', fullTime(action.started, zone.value)],
          ['Ended', action.ended === null ? 'not yet' : fullTime(action.ended, zone.value)],
          ['Took', <Took key="took" action={action} />],
          ['Seq', count(action.seq)],
          ['Id', action.id],
        ]}
      />
      <JsonPane value={action.args} what="the arguments" />
    </>
  )
}

function Took({ action }: { readonly action: Action }): JSX.Element {
  if (action.ended !== null) return <>{duration(action.ended - action.started)}</>
  if (isReplay.value) return <>not known</>
  return <>{duration(Math.max(0, recorderNow() - action.started))} so far</>
}

function Cancel({ action }: { readonly action: Action }): JSX.Element {
  const isAsking = useSignal(false)
  const told = useSignal('')
  const refusal = whyNoWrites()
  return (
    <div class="buttons">
      <button
        type="button"
        class="danger"
        disabled={refusal !== null}
        aria-describedby="cancel-refusal"
        onClick={() => (isAsking.value = true)}
      >
        Cancel it{'\u2026'}
      </button>
      <span id="cancel-refusal" class="muted" role="status">
        {refusal ?? told.value}
      </span>
      {isAsking.value && (
        <CancelDialog
          action={action}
          onDone={() => {
            told.value = 'Asked to stop; its outcome says how far it came.'
          }}
          onClose={() => (isAsking.value = false)}
        />
      )}
    </div>
  )
}

interface CancelProps {
  readonly action: Action
  readonly onDone: () => void
  readonly onClose: () => void
}

function CancelDialog({ action, onDone, onClose }: CancelProps): JSX.Element {
  const failure = useSignal<Failure | null>(null)
  const isBusy = useSignal(false)
  const confirm = async (): Promise<void> => {
    isBusy.value = true
    const answer = await cancel(action.id)
    isBusy.value = false
    if (answer.ok) {
      onDone()
      onClose()
    } else failure.value = answer.error
  }
  return (
    <Dialog title={`Cancel ${action.action}`} onClose={onClose}>
      <p>
        It stops where it is. What it has done already stays done, and what it has told others to
        do may still happen. That it was cancelled goes on record.
      </p>
      <div role="alert">
        {failure.value && <Note kind="failed">Not cancelled: {failure.value.message}</Note>}
      </div>
      <div class="dialog-buttons">
        <button type="button" data-first-focus onClick={onClose}>
          Let it run
        </button>
        <button
          type="button"
          class="danger"
          disabled={isBusy.value}
          onClick={() => void confirm()}
        >
          {isBusy.value ? 'Cancelling\u2026' : 'Cancel it'}
        </button>
      </div>
    </Dialog>
  )
}
