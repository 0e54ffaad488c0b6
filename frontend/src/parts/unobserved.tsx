/** Says, above what a source brought, that nobody is looking at present. */

import type { JSX } from 'preact'

import { alike, named } from '../lib/alike.ts'
import type { Alike } from '../lib/alike.ts'
import { counted } from '../lib/format.ts'
import { sources } from '../state/lists.ts'
import { isReplay } from '../state/status.ts'
import { Note } from './states.tsx'
import { Time } from './time.tsx'

/** More reasons than these would push away what the page is for. */
const SHOWN_MAX = 2

/** A line for each reason why sources with such a beginning are not up. A replay observes nothing. */
export function Unobserved(props: {
  readonly source: string | readonly string[]
}): JSX.Element | null {
  if (isReplay.value) return null
  const beginnings = [props.source].flat()
  const all = sources.open().all()
  const asked = all.filter((one) => beginnings.some((it) => one.name.startsWith(it)))
  // What is switched off on purpose is no news where another one brings the same.
  const hasOther = asked.some((one) => one.state === 'up')
  const away = asked.filter((one) => one.state !== 'up' && !(one.state === 'off' && hasOther))
  if (away.length === 0) return null
  const groups = alike(away)
  return (
    <Note kind="warn">
      {groups.length <= SHOWN_MAX ? (
        groups.map((group) => <Away key={group.sources[0]?.name} group={group} />)
      ) : (
        <details>
          <summary>
            <b>{counted(away.length, 'source')} not observed now</b>:{' '}
            {named(away.map((one) => one.name))}
          </summary>
          {groups.map((group) => (
            <Away key={group.sources[0]?.name} group={group} />
          ))}
        </details>
      )}
    </Note>
  )
}

function Away({ group }: { readonly group: Alike }): JSX.Element {
  const { state = '', reason = '' } = group.sources[0] ?? {}
  return (
    <p>
      <b>
        {named(group.sources.map((one) => one.name))} {group.sources.length === 1 ? 'is' : 'are'}{' '}
        {state}
      </b>{' '}
      since <Time at={group.since} />: {reason || 'no reason was given'}. Nothing newer is observed.
    </p>
  )
}
