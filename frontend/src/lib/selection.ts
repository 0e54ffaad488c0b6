/**
 * Which rows of a long list are selected: by index into the data, never by DOM nodes, which are
 * reused for other rows while the list scrolls.
 */

/** The row where the selection began, and the one where it ends now; equal for one row. */
export interface Selection {
  readonly anchor: number
  readonly cursor: number
}

/** First and last selected index, both inclusive. */
export function range(selection: Selection): { first: number; last: number } {
  const { anchor, cursor } = selection
  return { first: Math.min(anchor, cursor), last: Math.max(anchor, cursor) }
}

/** Whether a row is selected. */
export function contains(selection: Selection | null, index: number): boolean {
  if (!selection) return false
  const { first, last } = range(selection)
  return index >= first && index <= last
}

/** Puts the cursor on `index`; with `extend` the anchor stays where it was. */
export function moveTo(
  selection: Selection | null,
  index: number,
  extend: boolean,
  count: number,
): Selection | null {
  if (count === 0) return null
  const cursor = Math.max(0, Math.min(count - 1, index))
  return { anchor: extend && selection ? selection.anchor : cursor, cursor }
}

/** The same rows after `by` rows came in before them (or, when negative, went away). */
export function shifted(selection: Selection | null, by: number): Selection | null {
  if (!selection || range(selection).last + by < 0) return null
  return {
    anchor: Math.max(0, selection.anchor + by),
    cursor: Math.max(0, selection.cursor + by),
  }
}
