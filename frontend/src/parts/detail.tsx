/** The pane beside a list that shows one of its rows whole. */

import { X } from 'lucide-preact'
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

interface DetailProps {
  readonly title: string
  readonly onClose: () => void
  readonly children: ComponentChildren
}

/** It takes the focus when it opens, closes on Escape and gives the focus back. */
export function Detail({ title, onClose, children }: DetailProps): JSX.Element {
  const ref = useRef<HTMLElement>(null)
  const close = useRef(onClose)
  close.current = onClose
  useEffect(() => {
    const before = document.activeElement
    const pane = ref.current
    pane?.focus()
    const closeOnEscape = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') close.current()
    }
    pane?.addEventListener('keydown', closeOnEscape)
    return () => {
      pane?.removeEventListener('keydown', closeOnEscape)
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
  return (
    <aside ref={ref} class="detail" aria-label={title} tabIndex={-1}>
      <header class="detail-head">
        <h2>{title}</h2>
        <button type="button" class="icon-button" aria-label="Close the detail" onClick={onClose}>
          <X size={16} aria-hidden />
        </button>
      </header>
      <div class="detail-body">{children}</div>
    </aside>
  )
}

/** Names and values. */
export function Fields(props: {
  readonly rows: readonly (readonly [string, ComponentChildren])[]
}): JSX.Element {
  return (
    <dl class="fields">
      {props.rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
