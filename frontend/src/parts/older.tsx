/** The button below a list that has older rows. */

import type { JSX } from 'preact'

import type { Signal } from '@preact/signals'

interface Paged {
  readonly older: Signal<number | null>
  askOlder(): Promise<void>
}

/** Nothing where there are none. */
export function Older({ of }: { readonly of: Paged }): JSX.Element | null {
  if (of.older.value === null) return null
  return (
    <p class="table-more">
      <button type="button" onClick={() => void of.askOlder()}>
        Load older ones
      </button>
    </p>
  )
}
