/** Whether this browser is logged in. The key itself is sent once and kept nowhere. */

import { signal } from '@preact/signals'

import { del, get, onLoggedOut, post } from '../api/client.ts'
import type { Answer, Failure } from '../api/client.ts'
import type { Session } from '../api/types.ts'
import { listen, start, stop } from '../feed/feed.ts'

/** So often a recorder that does not answer is asked for the session. */
const RETRY_MS = 2000

/** What is known of the session. */
export type SessionState =
  | { readonly kind: 'asking' }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'out' }
  | { readonly kind: 'in'; readonly session: Session }

/** The session. */
export const session = signal<SessionState>({ kind: 'asking' })

/** Whether writes may be offered. */
export function canAct(): boolean {
  return session.value.kind === 'in' && session.value.session.can_act
}

/** Asks for the session, and keeps it true from then on. */
export function followSession(): void {
  onLoggedOut(leave)
  // Another page of this browser may have logged in: the feed that all share is open again.
  listen({ opened: () => void (session.peek().kind === 'out' && askSession()) })
  void askSession()
}

/** Asks who is logged in. */
export async function askSession(): Promise<void> {
  const answer = await get<Session>('session')
  if (answer.ok) enter(answer.value)
  else if (answer.error.kind === 'logged_out') leave()
  else if (session.peek().kind !== 'in') {
    session.value = { kind: 'failed', failure: answer.error }
    setTimeout(() => void askSession(), RETRY_MS)
  }
}

/** Exchanges the key for a session cookie. */
export async function logIn(key: string): Promise<Answer<unknown>> {
  const answer = await post<Session | undefined>('session', { key })
  if (answer.ok) await askSession()
  return answer
}

/** Ends the session of all pages of this browser. */
export async function logOut(): Promise<Answer<unknown>> {
  const answer = await del('session')
  if (answer.ok) leave()
  return answer
}

function enter(value: Session): void {
  session.value = { kind: 'in', session: value }
  start()
}

function leave(): void {
  session.value = { kind: 'out' }
  stop()
}
