/** Questions to the recorder. URLs are relative, so that they hold under any base path. */

import { err, ok } from '../lib/result.ts'
import type { Result } from '../lib/result.ts'
import type { ErrorBody } from './types.ts'

/** Why there is no answer. */
export interface Failure {
  readonly kind:
    | 'unreachable' // nobody answered: the tunnel or the pod is gone
    | 'logged_out' // 401
    | 'forbidden' // 403
    | 'starting' // 503 while the journal is read
    | 'refused' // any other answer that says no
  /** The recorder's own words, or the browser's. */
  readonly message: string
}

/** An answer or a failure. */
export type Answer<T> = Result<T, Failure>

/** Parameters of a question; those that are null or empty are left out. */
export type Query = Readonly<Record<string, string | number | null>>

let loggedOut: () => void = () => {}

/** Calls back whenever an answer says that there is no session any more. */
export function onLoggedOut(callback: () => void): void {
  loggedOut = callback
}

/** The folder that the page was loaded from: `/`, or `/monitor/` behind a gateway. */
export function apiUrl(path: string, query: Query = {}): string {
  const url = new URL(`api/${path}`, document.baseURI)
  url.hash = ''
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== '') url.searchParams.set(name, String(value))
  }
  return url.href
}

/** Asks. Never aborted once sent: a broken-off answer can take a port-forward down with it. */
export function get<T>(path: string, query: Query = {}): Promise<Answer<T>> {
  return send<T>('GET', apiUrl(path, query))
}

/** Writes. */
export function post<T>(path: string, body: unknown): Promise<Answer<T>> {
  return send<T>('POST', apiUrl(path), body)
}

/** Deletes. */
export function del<T>(path: string): Promise<Answer<T>> {
  return send<T>('DELETE', apiUrl(path))
}

async function send<T>(method: string, url: string, body?: unknown): Promise<Answer<T>> {
  const init: RequestInit = { method, credentials: 'same-origin', cache: 'no-store' }
  if (body !== undefined) {
    init.headers = { 'Content-Type': 'application/json' }
    init.body = JSON.stringify(body)
  }
  try {
    const response = await fetch(url, init)
    const text = await response.text()
    if (response.ok) return ok(parse<T>(text))
    if (response.status === 401) loggedOut()
    return err(failure(response.status, text))
  } catch (error) {
    return err({ kind: 'unreachable', message: error instanceof Error ? error.message : '' })
  }
}

/** The one place where bytes become a type: the types are generated from the same source. */
function parse<T>(text: string): T {
  return (text === '' ? undefined : JSON.parse(text)) as T
}

/** What an answer that is no success means. Its body may come from a proxy and be anything. */
export function failure(status: number, text: string): Failure {
  const { code, message } = errorBody(text)
  const said = message === '' ? `the answer was ${status}` : message
  if (status === 401) return { kind: 'logged_out', message: said }
  if (status === 403) return { kind: 'forbidden', message: said }
  if (status === 503 && code === 'starting') return { kind: 'starting', message: said }
  // What a tunnel or a gateway answers when there is nobody behind it.
  if (code === '' && (status === 502 || status === 503 || status === 504)) {
    return { kind: 'unreachable', message: said }
  }
  return { kind: 'refused', message: said }
}

function errorBody(text: string): ErrorBody {
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body === 'object' && body !== null && 'code' in body && 'message' in body) {
      return { code: String(body.code), message: String(body.message) }
    }
  } catch {
    // Not JSON: not the recorder that answered.
  }
  return { code: '', message: '' }
}
