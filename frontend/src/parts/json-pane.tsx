/** JSON, indented, to read and to copy. */

import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'

import { bytes, cut } from '../lib/format.ts'
import { CopyButton } from './copy-button.tsx'

/** More than this would make the page crawl; the copy button has all of it. */
const SHOWN_CHARS_MAX = 200_000

/** `value` as text; `what` names it. */
export function JsonPane(props: { readonly value: unknown; readonly what: string }): JSX.Element {
  const { value, what } = props
  const text = useMemo(() => JSON.stringify(value, null, 2) ?? 'null', [value])
  return (
    <div class="json-pane">
      <div class="json-head">
        <span class="muted">{bytes(text.length)}</span> <CopyButton text={text} what={what} />
      </div>
      <pre tabIndex={0} aria-label={what}>
        {cut(text, SHOWN_CHARS_MAX)}
      </pre>
      {text.length > SHOWN_CHARS_MAX && (
        <p class="muted">Only the beginning is shown. Copy has all of it.</p>
      )}
    </div>
  )
}
