/** The output of an action, line by line: at its end while that is in view, else it holds still. */

import { useSignal } from '@preact/signals'
import { ArrowDown } from 'lucide-preact'
import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'

import { counted } from '../lib/format.ts'
import type { OutputLine } from '../lib/output.ts'
import { printable } from '../lib/printable.ts'
import { Time } from './time.tsx'

/** As near to the end is at the end: fractions of a pixel are lost on the way. */
const END_PX = 8

interface OutputProps {
  readonly lines: readonly OutputLine[]
  /** What wrote them. */
  readonly label: string
}

/** The lines, oldest first. */
export function Output({ lines, label }: OutputProps): JSX.Element {
  const box = useRef<HTMLOListElement>(null)
  const follows = useSignal(true)
  const readTo = useSignal(0)
  const last = lines.at(-1)?.seq ?? 0
  const toEnd = (): void => {
    const { current } = box
    if (current) current.scrollTop = current.scrollHeight
  }
  useLayoutEffect(() => {
    if (follows.peek()) toEnd()
  }, [last])
  useEffect(() => {
    if (follows.value) readTo.value = last
  }, [follows.value, last])
  const scrolled = (): void => {
    const { current } = box
    if (!current) return
    const below = current.scrollHeight - current.scrollTop - current.clientHeight
    follows.value = below < END_PX
  }
  const unread = follows.value ? 0 : lines.filter((line) => line.seq > readTo.value).length
  return (
    <div class="output-box">
      <ol ref={box} class="output" aria-label={label} tabIndex={0} onScroll={scrolled}>
        {lines.map((line) => (
          <li key={line.seq}>
            <Time at={line.learned} /> {printable(line.line)}
          </li>
        ))}
      </ol>
      {!follows.value && (
        <button
          type="button"
          class="held primary"
          onClick={() => {
            follows.value = true
            toEnd()
          }}
        >
          <ArrowDown size={14} aria-hidden /> {counted(unread, 'new line')}: to the end
        </button>
      )}
    </div>
  )
}
