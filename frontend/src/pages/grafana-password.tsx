/** Grafana's admin password: shown when it is asked for, until it is closed, and kept nowhere. */

import { useSignal } from '@preact/signals'
import { KeyRound } from 'lucide-preact'
import type { JSX } from 'preact'

import type { Failure } from '../api/client.ts'
import { CopyButton } from '../parts/copy-button.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { Note } from '../parts/states.tsx'
import { askPassword } from '../state/outside.ts'
import { whyNoWrites } from '../state/writes.ts'

/** The button, with its reason where it cannot be pressed. */
export function GrafanaPasswordButton(): JSX.Element {
  const isAsking = useSignal(false)
  const refusal = whyNoWrites()
  return (
    <div class="buttons">
      <button
        type="button"
        disabled={refusal !== null}
        aria-describedby="password-refusal"
        onClick={() => (isAsking.value = true)}
      >
        <KeyRound size={14} aria-hidden /> Show its admin password{'\u2026'}
      </button>
      <span id="password-refusal" class="muted">
        {refusal}
      </span>
      {isAsking.value && <PasswordDialog onClose={() => (isAsking.value = false)} />}
    </div>
  )
}

function PasswordDialog({ onClose }: { readonly onClose: () => void }): JSX.Element {
  // It lives as long as this dialog.
  const password = useSignal<string | null>(null)
  const failure = useSignal<Failure | null>(null)
  const isBusy = useSignal(false)
  const show = async (): Promise<void> => {
    isBusy.value = true
    const answer = await askPassword()
    isBusy.value = false
    if (answer.ok) password.value = answer.value.password
    else failure.value = answer.error
  }
  return (
    <Dialog title="Grafana's admin password" onClose={onClose}>
      {password.value === null ? (
        <p>
          It is read from its Secret and shown here until you close this. That you asked for it goes
          on record; the password does not.
        </p>
      ) : (
        <p class="command">
          <code>{password.value}</code> <CopyButton text={password.value} what="the password" />
        </p>
      )}
      <div role="alert">
        {failure.value && <Note kind="failed">Not shown: {failure.value.message}</Note>}
      </div>
      <div class="dialog-buttons">
        <button type="button" data-first-focus onClick={onClose}>
          Close
        </button>
        {password.value === null && (
          <button type="button" class="danger" disabled={isBusy.value} onClick={() => void show()}>
            {isBusy.value ? 'Asking\u2026' : 'Show it'}
          </button>
        )}
      </div>
    </Dialog>
  )
}
