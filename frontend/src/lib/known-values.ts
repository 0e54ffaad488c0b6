/** What is known of the cluster, as proposals for the fields of a form. */

import type { ObjectRow } from '../api/types.ts'
import type { Args } from './by-hand.ts'

/** More than a browser's list of proposals is read for. */
const KNOWN_MAX = 200

/** Values that the argument `arg` can have, given the others; none where nothing is known of it. */
export function knownValues(arg: string, values: Args, objects: readonly ObjectRow[]): string[] {
  const { kind = arg === 'pod' ? 'Pod' : '', namespace = '' } = values
  const alive = objects.filter((row) => row.deleted === false)
  const alike = alive.filter((row) => kind === '' || row.kind === kind)
  switch (arg) {
    case 'kind':
      return distinct(alive.map((row) => row.kind))
    case 'namespace':
      return distinct(alike.map((row) => row.namespace))
    case 'name':
    case 'pod':
      return distinct(
        alike
          .filter((row) => namespace === '' || row.namespace === namespace)
          .map((row) => row.name),
      )
    default:
      return []
  }
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values.filter((value) => value !== ''))].toSorted().slice(0, KNOWN_MAX)
}
