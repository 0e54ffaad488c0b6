/** What single keys do, and the sheet that says so. One table is behind both. */

import { signal } from '@preact/signals'
import type { JSX } from 'preact'

import { PAGES } from '../pages/index.ts'
import { Dialog } from '../parts/dialog.tsx'
import { go } from '../state/route.ts'
import { singleKeys, switchTheme, switchZone } from '../state/settings.ts'

/** After `g`, the next key is waited for so long. */
const SEQUENCE_MS = 1500

interface Command {
  /** As pressed one after the other. */
  readonly keys: string
  readonly text: string
  run(): void
}

/** Whether the sheet is shown. */
export const isHelpOpen = signal(false)

function commands(): readonly Command[] {
  return [
    ...PAGES.map((page) => ({
      keys: `g ${page.key}`,
      text: `Go to ${page.name}`,
      run: () => go(page.path),
    })),
    { keys: '/', text: 'Go to the filter of this page', run: focusFilter },
    { keys: 'u', text: 'Show times in UTC or in the local zone', run: switchZone },
    { keys: 't', text: 'Change the theme', run: switchTheme },
    { keys: '?', text: 'Show this sheet', run: () => (isHelpOpen.value = true) },
  ]
}

/** Keys of the log list, which it handles itself while it has the focus. */
const LIST_KEYS: readonly (readonly [string, string])[] = [
  ['\u2191 \u2193, j k', 'One line; with Shift and an arrow, select'],
  ['PgUp PgDn, Home', 'One page; the first line'],
  ['End, G', 'To the end, and go on'],
  ['e E, w W', 'Next or previous error; warning'],
  ['Enter', 'Show the whole line'],
  ['Ctrl A, Ctrl C', 'Select all lines; copy the selected ones'],
]

function focusFilter(): void {
  document.querySelector<HTMLElement>('[data-filter]')?.focus()
}

/** Listens for keys; the answer ends it. */
export function followKeys(): () => void {
  let pressed = ''
  let last = 0
  const take = (event: KeyboardEvent): void => {
    if (!isForUs(event)) return
    const now = performance.now()
    const keys = now - last < SEQUENCE_MS && pressed !== '' ? `${pressed} ${event.key}` : event.key
    const command = commands().find((one) => one.keys === keys)
    pressed = command || event.key !== 'g' ? '' : event.key
    last = now
    if (!command) return
    event.preventDefault()
    command.run()
  }
  document.addEventListener('keydown', take)
  return () => document.removeEventListener('keydown', take)
}

/** Single keys must not take letters away from those who write or use another tool. */
function isForUs(event: KeyboardEvent): boolean {
  if (singleKeys.value === 'off' || event.defaultPrevented) return false
  if (event.ctrlKey || event.metaKey || event.altKey) return false
  if (document.querySelector('dialog[open]')) return false
  const target = event.target instanceof Element ? event.target : null
  return !target?.closest('input, textarea, select, [contenteditable]')
}

/** The sheet. */
export function HelpSheet(): JSX.Element | null {
  if (!isHelpOpen.value) return null
  const close = (): void => {
    isHelpOpen.value = false
  }
  return (
    <Dialog title="Keys" onClose={close}>
      <KeyTable rows={commands().map((command) => [command.keys, command.text])} />
      <h3>In the log list</h3>
      <KeyTable rows={LIST_KEYS} />
      <label class="check">
        <input
          type="checkbox"
          checked={singleKeys.value === 'on'}
          onChange={(event) => {
            singleKeys.value = event.currentTarget.checked ? 'on' : 'off'
          }}
        />
        Single keys do something
      </label>
      <div class="dialog-buttons">
        <button type="button" data-first-focus onClick={close}>
          Close
        </button>
      </div>
    </Dialog>
  )
}

function KeyTable(props: { readonly rows: readonly (readonly [string, string])[] }): JSX.Element {
  return (
    <dl class="key-table">
      {props.rows.map(([keys, text]) => (
        <div key={keys}>
          <dt>
            <kbd>{keys}</kbd>
          </dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  )
}
