/** The nested parts of a request, laid out as the rows of a waterfall. */

import type { Section } from '../api/types.ts'

/** One row. */
export interface SectionRow {
  readonly section: Section
  /** The part of the path below the parent's. */
  readonly label: string
  /** 0 for a section without a parent. */
  readonly depth: number
}

interface Node {
  readonly section: Section
  readonly children: Node[]
  label: string
}

/** Without an end, a section lasts as long as anything around it can. */
const end = (section: Section): number =>
  section.start_time + (section.duration ?? Number.POSITIVE_INFINITY)

/**
 * The rows from top to bottom: every section below the one that it is a part of, siblings by
 * start. The parent is the section with the longest path that is a beginning of this one's; of
 * several with that path, the last that had begun.
 */
export function layOut(sections: readonly Section[]): SectionRow[] {
  const nodes = sections
    .map((section): Node => ({ section, children: [], label: section.path }))
    .toSorted((a, b) => a.section.start_time - b.section.start_time || longer(a, b))
  const byPath = new Map<string, Node[]>()
  for (const node of nodes) {
    const same = byPath.get(node.section.path)
    if (same) same.push(node)
    else byPath.set(node.section.path, [node])
  }
  const roots: Node[] = []
  for (const node of nodes) {
    const parent = parentOf(node, byPath)
    if (parent) {
      node.label = node.section.path.slice(parent.section.path.length + 1)
      parent.children.push(node)
    } else roots.push(node)
  }
  return flatten(roots)
}

/** At one start the longer section comes first, so that a list reads from outside in. */
function longer(a: Node, b: Node): number {
  const [left, right] = [end(a.section), end(b.section)]
  if (left !== right) return right > left ? 1 : -1
  return a.section.path < b.section.path ? -1 : 1
}

function parentOf(node: Node, byPath: ReadonlyMap<string, Node[]>): Node | null {
  let path = node.section.path
  for (let cut = path.lastIndexOf('/'); cut > 0; cut = path.lastIndexOf('/')) {
    path = path.slice(0, cut)
    const found = lastBegun(byPath.get(path) ?? [], node.section.start_time)
    if (found) return found
  }
  return null
}

/** The nodes are sorted by start: the last one that began at or before `time`, else the first. */
function lastBegun(nodes: readonly Node[], time: number): Node | undefined {
  let low = 0
  let high = nodes.length
  while (low < high) {
    const middle = (low + high) >> 1
    const node = nodes[middle]
    if (node && node.section.start_time <= time) low = middle + 1
    else high = middle
  }
  return nodes[Math.max(0, low - 1)]
}

/** Depth first, without recursion: how deep a trace nests is the application's choice. */
function flatten(roots: readonly Node[]): SectionRow[] {
  const rows: SectionRow[] = []
  const stack = roots.map((node) => ({ node, depth: 0 })).toReversed()
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { node, depth } = next
    rows.push({ section: node.section, label: node.label, depth })
    for (const child of node.children.toReversed()) stack.push({ node: child, depth: depth + 1 })
  }
  return rows
}

/** From where to where a waterfall reaches. */
export interface Extent {
  readonly start: number
  readonly end: number
}

/**
 * The extent of a request. `now` is where open sections end at present; null where time stands
 * still, as in a replay, or where nobody saw the end.
 */
export function extent(sections: readonly Section[], now: number | null): Extent {
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  for (const section of sections) {
    first = Math.min(first, section.start_time)
    last = Math.max(last, section.start_time + (section.duration ?? 0))
    if (section.duration === null) {
      last = Math.max(last, now ?? section.start_time)
    }
  }
  if (first > last) return { start: 0, end: 1 }
  return { start: first, end: Math.max(last, first + 0.001) }
}
