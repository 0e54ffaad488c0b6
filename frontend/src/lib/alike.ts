/** Sources that have the same to say, said once. */

import type { Source } from '../api/types.ts'

/** One or more sources in one state for one reason. */
export interface Alike {
  /** By name, never empty. */
  readonly sources: readonly Source[]
  /** All of them have been in this state at least since then. */
  readonly since: number
}

/** In the order in which each group's first source stands. Whatever is up stands alone. */
export function alike(sources: readonly Source[]): Alike[] {
  const groups = new Map<string, Source[]>()
  for (const source of sources) {
    const isOwn = source.reason === '' || source.malformed > 0
    const key = isOwn ? source.name : `${source.state}\n${source.reason}`
    const group = groups.get(key)
    if (group) group.push(source)
    else groups.set(key, [source])
  }
  return [...groups.values()].map((group) => ({
    sources: group,
    since: Math.max(...group.map((source) => source.since)),
  }))
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(names: readonly string[]): string {
  if (names.length < 2) return names.join('')
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
