/** The list of log lines, as a part of a page. */

import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

import { LogView } from '../islands/log-view.ts'
import type { LogItem } from '../lib/log-items.ts'
import { recorderNow } from '../state/clock.ts'
import type { Lines } from '../state/logs.ts'
import { zone } from '../state/settings.ts'

interface ListProps {
  readonly store: Lines
  /** Shows one row whole. */
  readonly onOpen: (item: LogItem) => void
  /** Where the list is put, for whoever pauses it. */
  readonly view?: { current: LogView | null }
}

/** The list. */
export function LogList({ store, onOpen, view }: ListProps): JSX.Element {
  const host = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!host.current) return undefined
    const list = new LogView(host.current, store, {
      zone: () => zone.peek(),
      now: () => recorderNow(),
      open: onOpen,
    })
    if (view) view.current = list
    const stop = zone.subscribe(() => list.redraw())
    return () => {
      stop()
      list.destroy()
      if (view) view.current = null
    }
  }, [])
  return (
    <div
      ref={host}
      class="log-list"
      role="listbox"
      aria-label="Log lines, oldest first"
      aria-multiselectable="true"
      tabIndex={0}
    />
  )
}
