/** A share of a whole: a bar, and the same in words for whoever sees no bar or no colour. */

import type { JSX } from 'preact'

import { fullness, percent } from '../lib/share.ts'
import { Badge } from './badge.tsx'

const TONES = { ok: 'calm', high: 'warn', full: 'bad' } as const

/** `share` is 0 to 1; null where the whole is not known. */
export function ShareBar({ share }: { readonly share: number | null }): JSX.Element {
  if (share === null) return <span class="muted">not known</span>
  const word = fullness(share)
  const width = `${Math.min(100, Math.max(0, share * 100))}%`
  return (
    <span class="share">
      <span class="share-track" aria-hidden="true">
        <span class={`share-fill share-${word}`} ref={(it) => it?.style.setProperty('width', width)} />
      </span>
      <span class="share-text">{percent(share)}</span>
      {word !== 'ok' && <Badge tone={TONES[word]} word={word} />}
    </span>
  )
}
