/** What an admin can start. */

import { post } from '../api/client.ts'
import type { Answer } from '../api/client.ts'
import type { StartAction, StartedAction } from '../api/types.ts'

/** The ways to restart a workload. */
export const METHODS = ['rollout', 'delete-newest-pod'] as const

/** The arguments of `restart-workload`. */
export interface Restart {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly method: (typeof METHODS)[number]
}

/**
 * Restarts a workload. The answer comes when the intent is durable, not when it is done; with
 * `unrecorded`, also while the journal takes no records.
 */
export function restart(args: Restart, unrecorded: boolean): Promise<Answer<StartedAction>> {
  const request: StartAction = { action: 'restart-workload', args, unrecorded }
  return post<StartedAction>('actions', request)
}

/** What a restart will do, in words, before it is asked for. */
export function consequence({ kind, namespace, name, method }: Restart): string {
  const what = `${kind} ${namespace}/${name}`
  return method === 'rollout'
    ? `All pods of ${what} are replaced, as its update strategy has it.`
    : `The newest pod of ${what} is deleted; its controller makes a new one. The others stay.`
}

/** The same by hand, for whoever trusts that more. */
export function byHand({ kind, namespace, name, method }: Restart): string {
  const target = `${kind.toLowerCase()}/${name}`
  return method === 'rollout'
    ? `kubectl -n ${namespace} rollout restart ${target}`
    : `kubectl -n ${namespace} delete pod NEWEST_POD_OF_${target}`
}
