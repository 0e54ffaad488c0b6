/** The lines that a running action wrote, joined from answers and the live feed. */

/** A line. */
export interface OutputLine {
  /** The record that it is from. */
  readonly seq: number
  /** When it was learned. */
  readonly learned: number
  readonly line: string
}

/** More than an admin reads; each is an element of the page. */
export const LINES_MAX = 5000

/** Oldest first, none twice. Beyond the bound the oldest go: they can be asked for again. */
export function joinLines(
  known: readonly OutputLine[],
  more: readonly OutputLine[],
  max = LINES_MAX,
): readonly OutputLine[] {
  const last = known.at(-1)?.seq ?? 0
  const isPlain = more.every((line, index) => line.seq > (more[index - 1]?.seq ?? last))
  const joined = isPlain ? known.concat(more) : sorted(known, more)
  return joined.length > max ? joined.slice(joined.length - max) : joined
}

function sorted(known: readonly OutputLine[], more: readonly OutputLine[]): OutputLine[] {
  const bySeq = new Map(known.map((line) => [line.seq, line]))
  for (const line of more) bySeq.set(line.seq, line)
  return [...bySeq.values()].toSorted((a, b) => a.seq - b.seq)
}
