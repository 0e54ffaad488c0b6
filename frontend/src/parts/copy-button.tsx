/** A button that copies a text. */

import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'

/** How long the answer stands on the button. */
const TOLD_MS = 2000

/** Copies `text`; `what` says for screen readers what that is. */
export function CopyButton(props: { readonly text: string; readonly what: string }): JSX.Element {
  const told = useSignal('')
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(props.text)
      told.value = 'Copied'
    } catch {
      // Browsers allow it only on https and localhost.
      told.value = 'Select the text and copy it by hand'
    }
    setTimeout(() => {
      told.value = ''
    }, TOLD_MS)
  }
  return (
    <button type="button" class="small" onClick={() => void copy()}>
      <span class="for-readers">Copy {props.what}. </span>
      <span aria-live="polite">{told.value || 'Copy'}</span>
    </button>
  )
}
