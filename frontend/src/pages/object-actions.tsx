/** What can be done with an object: links to the forms, filled in. */

import type { JSX } from 'preact'

import type { ObjectRow } from '../api/types.ts'

/** An action, and the kinds of objects that it is for. */
const ACTIONS = [
  { action: 'restart-workload', word: 'Restart', kinds: ['Deployment', 'StatefulSet', 'DaemonSet'] },
  { action: 'scale-workload', word: 'Scale', kinds: ['Deployment', 'StatefulSet', 'ReplicaSet'] },
  { action: 'delete-pod', word: 'Delete', kinds: ['Pod'] },
] as const

/** The links; nothing for an object with which nothing can be done. */
export function ObjectActions({ object }: { readonly object: ObjectRow }): JSX.Element | null {
  const fitting = ACTIONS.filter(({ kinds }) => kinds.some((kind) => kind === object.kind))
  if (fitting.length === 0) return null
  return (
    <p class="buttons">
      {fitting.map(({ action, word }) => (
        <a key={action} class="button small" href={`#/actions?${formQuery(action, object)}`}>
          {word}
          {'\u2026'}
        </a>
      ))}
    </p>
  )
}

function formQuery(action: string, { kind, namespace, name, uid }: ObjectRow): string {
  return new URLSearchParams({ action, kind, namespace, name, uid }).toString()
}
