/** Throwing everything away: what goes, a copy first, and a word that nobody types by accident. */

import { useSignal } from '@preact/signals'
import { Download } from 'lucide-preact'
import type { JSX } from 'preact'

import { apiUrl } from '../api/client.ts'
import type { Failure } from '../api/client.ts'
import type { Journal } from '../api/types.ts'
import { bytes, count, counted } from '../lib/format.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Note } from '../parts/states.tsx'
import { wipe } from '../state/journal.ts'
import { whyNoWrites } from '../state/writes.ts'

interface WipeProps {
  readonly answer: Journal
  readonly onClose: () => void
}

/** The dialog; it closes itself when the wipe is done. */
export function WipeDialog({ answer, onClose }: WipeProps): JSX.Element {
  const word = useSignal('')
  const reason = useSignal('')
  const failure = useSignal<Failure | null>(null)
  const isBusy = useSignal(false)
  const refusal = whyNoWrites()
  const isReady = word.value === 'wipe' && reason.value.trim() !== '' && !isBusy.value && !refusal

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    if (!isReady) return
    isBusy.value = true
    const done = await wipe(reason.value.trim())
    isBusy.value = false
    if (done.ok) onClose()
    else failure.value = done.error
  }

  return (
    <Dialog title="Wipe the journal" onClose={onClose}>
      <form onSubmit={(event) => void submit(event)}>
        <Consequences answer={answer} />
        <label class="field">
          <span class="label">Why? This is recorded.</span>
          <input
            type="text"
            name="reason"
            autocomplete="off"
            value={reason.value}
            onInput={(event) => (reason.value = event.currentTarget.value)}
          />
        </label>
        <label class="field">
          <span class="label">
            Type <b>wipe</b> to confirm.
          </span>
          <input
            type="text"
            name="confirm"
            autocomplete="off"
            spellcheck={false}
            value={word.value}
            onInput={(event) => (word.value = event.currentTarget.value)}
          />
        </label>
        {refusal && <Note kind="forbidden">{refusal}</Note>}
        <div role="alert">
          {failure.value && (
            <Note kind="failed">Nothing is known to be wiped: {failure.value.message}</Note>
          )}
        </div>
        <div class="dialog-buttons">
          <button type="button" data-first-focus onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="danger" disabled={!isReady}>
            {isBusy.value ? 'Wiping\u2026' : 'Wipe everything'}
          </button>
        </div>
      </form>
    </Dialog>
  )
}

function Consequences({ answer }: { readonly answer: Journal }): JSX.Element {
  const { journal, segments } = answer
  return (
    <>
      <p>
        Everything that is recorded is deleted for good: {counted(segments.length, 'segment')},{' '}
        {bytes(journal.bytes)}, events {count(journal.first_seq)} to {count(journal.last_seq)}.
        Recording goes on with an empty journal, and every source starts over. What remains is one
        record: who wiped, when and why.
      </p>
      <p>
        <a class="button primary" href={apiUrl('journal/backup')} download>
          <Download size={14} aria-hidden /> Download a backup first
        </a>
      </p>
    </>
  )
}
