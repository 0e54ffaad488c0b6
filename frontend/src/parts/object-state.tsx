/** The state of an object of the cluster, as a badge. */

import type { JSX } from 'preact'

import type { ObjectRow } from '../api/types.ts'
import { Badge, UnsavedBadge } from './badge.tsx'
import { Time } from './time.tsx'

/** The state of an object; of one that is gone, when and how that is known. */
export function ObjectState({ row }: { readonly row: ObjectRow }): JSX.Element {
  if (row.deleted === false) {
    return (
      <>
        <Badge tone={row.healthy ? 'good' : 'bad'} word={row.phase || 'no state'} />{' '}
        <UnsavedBadge saved={row.saved} />
      </>
    )
  }
  return (
    <>
      <Badge tone="calm" word={deletionWord(row.deleted_because)} />{' '}
      <Time at={Number(row.deleted)} />
    </>
  )
}

/** How a deletion is known. */
export function deletionWord(because: string | null): string {
  return because === 'gone_unobserved' ? 'gone, end not seen' : 'deleted'
}
