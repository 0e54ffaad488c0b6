/** Says, above what a source brought, that nobody is looking at present. */

import type { JSX } from 'preact'

import { sources } from '../state/lists.ts'
import { isReplay } from '../state/status.ts'
import { Note } from './states.tsx'
import { Time } from './time.tsx'

/** One line for each source with this beginning that is not up. A replay observes nothing. */
export function Unobserved({ source }: { readonly source: string }): JSX.Element | null {
  if (isReplay.value) return null
  const away = sources
    .open()
    .all()
    .filter((one) => one.name.startsWith(source) && one.state !== 'up')
  if (away.length === 0) return null
  return (
    <Note kind="warn">
      {away.map((one) => (
        <p key={one.name}>
          <b>
            {one.name} is {one.state}
          </b>{' '}
          since <Time at={one.since} />: {one.reason || 'no reason was given'}. Nothing newer is
          observed.
        </p>
      ))}
    </Note>
  )
}
