/** The route in the hash, `#/cluster?kind=Pod`: nothing on the server needs to know of it. */

import { computed, signal } from '@preact/signals'

const hash = signal(globalThis.location?.hash ?? '')
globalThis.addEventListener?.('hashchange', () => {
  hash.value = globalThis.location.hash
})

const parts = computed(() => {
  const [path = '', query = ''] = hash.value.replace(/^#?\/?/, '').split(/\?(.*)/s)
  return { path: `/${path}`, query }
})

/** `/cluster`; `/` where nothing is named. */
export const path = computed(() => parts.value.path)
/** The parameters of the view. */
export const query = computed(() => new URLSearchParams(parts.value.query))

/** Goes to a route; with `replace`, going back does not lead here again. */
export function go(to: string, options: { readonly replace?: boolean } = {}): void {
  if (options.replace) replaceHash(`#${to}`)
  else globalThis.location.hash = to
}

/** Changes parameters of the view in place: a filter is no step to go back to. */
export function setQuery(changes: Readonly<Record<string, string>>): void {
  const next = new URLSearchParams(query.peek())
  for (const [name, value] of Object.entries(changes)) {
    if (value === '') next.delete(name)
    else next.set(name, value)
  }
  const text = next.toString()
  replaceHash(`#${path.peek()}${text && `?${text}`}`)
}

function replaceHash(to: string): void {
  history.replaceState(null, '', to)
  hash.value = globalThis.location.hash
}

/** For the router: its hooks, fed from the hash. */
export function useHashPath(): [string, typeof go] {
  return [path.value, go]
}
