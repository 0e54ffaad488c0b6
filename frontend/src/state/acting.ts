/** What an admin can start, try out and cancel. */

import { post } from '../api/client.ts'
import type { Answer } from '../api/client.ts'
import type { DryRun, StartAction, StartedAction } from '../api/types.ts'

/** An action and what it is told. */
export interface Wish {
  readonly action: string
  readonly args: Readonly<Record<string, unknown>>
}

/**
 * Starts an action. The answer comes when the intent is durable, not when it is done; with
 * `unrecorded`, also while the journal takes no records.
 */
export function start(wish: Wish, unrecorded: boolean): Promise<Answer<StartedAction>> {
  const request: StartAction = { ...wish, unrecorded }
  return post<StartedAction>('actions', request)
}

/** Asks what an action would do. Nothing is done and nothing is recorded. */
export function tryOut(wish: Wish): Promise<Answer<DryRun>> {
  const request: StartAction = { ...wish, dry_run: true }
  return post<DryRun>('actions', request)
}

/** Asks a running action to stop. Its outcome says how far it came. */
export function cancel(id: string): Promise<Answer<unknown>> {
  return post<unknown>(`actions/${encodeURIComponent(id)}/cancel`, {})
}
