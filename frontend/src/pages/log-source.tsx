/** Where the lines of the Logs page come from: the journal, or Loki where there is one. */

import type { JSX } from 'preact'

import { tool, useOutside } from '../state/outside.ts'
import { query, setQuery } from '../state/route.ts'

/** The choice; nothing where there is none. */
export function LogSource(): JSX.Element | null {
  useOutside()
  const from = query.value.get('from') ?? ''
  if (!tool('loki') && from !== 'loki') return null
  return (
    <label>
      <span class="label">From</span>
      <select value={from} onChange={(event) => setQuery({ from: event.currentTarget.value })}>
        <option value="">this journal</option>
        <option value="loki">Loki</option>
      </select>
    </label>
  )
}
