/** States as a glyph and a word: colour only repeats what they say. */

import type { JSX } from 'preact'

import type { SourceState } from '../api/types.ts'

/** How a state is taken. */
export type Tone = 'good' | 'bad' | 'warn' | 'calm'

const GLYPHS: Readonly<Record<Tone, string>> = {
  good: '\u2713',
  bad: '\u2715',
  warn: '\u25b2',
  calm: '\u25cb',
}

/** A word with its glyph. */
export function Badge(props: { readonly tone: Tone; readonly word: string }): JSX.Element {
  return (
    <span class={`badge badge-${props.tone}`}>
      <span aria-hidden="true">{GLYPHS[props.tone]}</span> {props.word}
    </span>
  )
}

const SOURCE_TONES: Readonly<Record<SourceState, Tone>> = {
  up: 'good',
  down: 'bad',
  connecting: 'warn',
  off: 'calm',
}

/** The state of a source. */
export function SourceBadge({ state }: { readonly state: SourceState }): JSX.Element {
  return <Badge tone={SOURCE_TONES[state]} word={state} />
}

/** How an action ended; null while it runs. */
export function OutcomeBadge(props: { readonly outcome: string | null }): JSX.Element {
  switch (props.outcome) {
    case null:
      return <Badge tone="calm" word="running" />
    case 'succeeded':
      return <Badge tone="good" word="succeeded" />
    case 'failed':
      return <Badge tone="bad" word="failed" />
    case 'cancelled':
      return <Badge tone="warn" word="cancelled" />
    default:
      return <Badge tone="warn" word="outcome unknown" />
  }
}

/** Says of a row that the journal does not hold it; nothing where it does. */
export function UnsavedBadge({ saved }: { readonly saved: boolean }): JSX.Element | null {
  return saved ? null : <Badge tone="warn" word="not saved" />
}

/** The level of a log line. */
export function LevelChip({ level }: { readonly level: string }): JSX.Element {
  return (
    <span class={`log-level level-${level.toLowerCase()}`} title={level}>
      {level.slice(0, 1)}
    </span>
  )
}
