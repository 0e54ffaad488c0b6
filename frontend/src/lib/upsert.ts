/** Rows by id, kept up by newer rows of the same id. */

/** How rows of one kind are told apart. */
export interface RowKind<T> {
  id(row: T): string
  /** The record that a row is from. Without it, the last row told wins. */
  seq?(row: T): number
  /** Whether this row says that the thing is no more, and is no row itself. */
  isGone?(row: T): boolean
}

/** Puts `rows` into `map`, in order. An older state never replaces a newer one. */
export function upsert<T>(map: Map<string, T>, rows: readonly T[], kind: RowKind<T>): void {
  for (const row of rows) {
    const id = kind.id(row)
    const known = map.get(id)
    if (known !== undefined && kind.seq && kind.seq(known) > kind.seq(row)) continue
    if (kind.isGone?.(row)) map.delete(id)
    else map.set(id, row)
  }
}

/** Leaves the `max` rows with the highest sequence numbers. */
export function keepNewest<T>(map: Map<string, T>, max: number, kind: RowKind<T>): void {
  const { seq } = kind
  if (map.size <= max || !seq) return
  const sorted = [...map].toSorted(([, a], [, b]) => seq(b) - seq(a))
  for (const [id] of sorted.slice(max)) map.delete(id)
}
