/** Says, above what a source brought, that nobody is looking at present. */

import type { JSX } from 'preact'

import { alike, listed } from '../lib/alike.ts'
import type { Alike } from '../lib/alike.ts'
import { sources } from '../state/lists.ts'
import { isReplay } from '../state/status.ts'
import { Note } from './states.tsx'
import { Time } from './time.tsx'

/** One line for each reason why sources with this beginning are not up. A replay observes nothing. */
export function Unobserved({ source }: { readonly source: string }): JSX.Element | null {
  if (isReplay.value) return null
  const away = sources
    .open()
    .all()
    .filter((one) => one.name.startsWith(source) && one.state !== 'up')
  if (away.length === 0) return null
  return (
    <Note kind="warn">
      {alike(away).map((group) => (
        <Away key={group.sources[0]?.name} group={group} />
      ))}
    </Note>
  )
}

function Away({ group }: { readonly group: Alike }): JSX.Element {
  const { state = '', reason = '' } = group.sources[0] ?? {}
  return (
    <p>
      <b>
        {listed(group.sources.map((one) => one.name))} {group.sources.length === 1 ? 'is' : 'are'}{' '}
        {state}
      </b>{' '}
      since <Time at={group.since} />: {reason || 'no reason was given'}. Nothing newer is observed.
    </p>
  )
}
