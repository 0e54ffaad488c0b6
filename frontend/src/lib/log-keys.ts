/** What the keys mean while the log list has the focus. */

import type { LogItem } from './log-items.ts'

/** Where the list stands. */
export interface Standing {
  readonly items: readonly LogItem[]
  /** The row with the cursor; one past the last where there is none. */
  readonly here: number
  /** How many rows are in view. */
  readonly page: number
}

/** A row to go to, or something to do; null for a key that is not the list's. */
export type Meaning = number | 'open' | 'clear' | 'resume' | null

/** The meaning of `KeyboardEvent.key`. */
export function meaningOf(key: string, { items, here, page }: Standing): Meaning {
  const last = items.length - 1
  switch (key) {
    case 'ArrowUp':
    case 'k':
      return here - 1
    case 'ArrowDown':
    case 'j':
      return Math.min(last, here + 1)
    case 'PageUp':
      return here - page
    case 'PageDown':
      return Math.min(last, here + page)
    case 'Home':
      return 0
    case 'End':
    case 'G':
      return 'resume'
    case 'Enter':
      return 'open'
    case 'Escape':
      return 'clear'
    case 'e':
      return nearest(items, here, 1, ['ERROR'])
    case 'E':
      return nearest(items, here, -1, ['ERROR'])
    case 'w':
      return nearest(items, here, 1, ['ERROR', 'WARN'])
    case 'W':
      return nearest(items, here, -1, ['ERROR', 'WARN'])
    default:
      return null
  }
}

/** The next row from `here` of one of these levels, or a place where lines are missing. */
function nearest(
  items: readonly LogItem[],
  here: number,
  step: 1 | -1,
  levels: readonly string[],
): number | null {
  for (let index = here + step; index >= 0 && index < items.length; index += step) {
    const item = items[index]
    if (item && (item.kind !== 'line' || levels.includes(item.line.level))) return index
  }
  return null
}
