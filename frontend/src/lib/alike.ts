/** Sources that have the same to say, said once. */

import type { Source } from '../api/types.ts'

/** One or more sources in one state for one reason. */
export interface Alike {
  /** By name, never empty. */
  readonly sources: readonly Source[]
  /** All of them have been in this state at least since then. */
  readonly since: number
}

/**
 * In the order in which each group's first source stands. What has no reason is told together with
 * others of its family: `cluster/Pod` with `cluster/Node`.
 */
export function alike(sources: readonly Source[]): Alike[] {
  const groups = new Map<string, Source[]>()
  for (const source of sources) {
    const group = groups.get(groupKey(source))
    if (group) group.push(source)
    else groups.set(groupKey(source), [source])
  }
  return [...groups.values()].map((group) => ({
    sources: group,
    since: Math.max(...group.map((source) => source.since)),
  }))
}

function groupKey(source: Source): string {
  if (source.malformed > 0 || source.unknown.length > 0) return source.name
  const what = source.reason === '' ? split(source.name)[0] : source.reason
  return `${source.state}\n${what}`
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(names: readonly string[]): string {
  if (names.length < 2) return names.join('')
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

/** Names of sources; what several begin with is said once: `cluster: Node and Pod; app-server`. */
export function named(names: readonly string[]): string {
  const families = new Map<string, string[]>()
  for (const name of names) {
    const [family] = split(name)
    families.set(family, [...(families.get(family) ?? []), name])
  }
  const parts = [...families].map(([family, members]) =>
    members.length === 1
      ? members.join('')
      : `${family}: ${listed(members.map((name) => split(name)[1]))}`,
  )
  return parts.length === names.length ? listed(parts) : parts.join('; ')
}

/** `cluster/Pod` is `Pod` of `cluster`; what has no family is its own. */
function split(name: string): readonly [string, string] {
  const at = name.indexOf('/')
  return at === -1 ? [name, name] : [name.slice(0, at), name.slice(at + 1)]
}
