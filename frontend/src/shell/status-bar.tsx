/** The bottom line: live or not, how far the journal is, and who is being listened to. */

import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'

import { durableSeq, newestSeq, seenSeq } from '../feed/feed.ts'
import { bytes, count } from '../lib/format.ts'
import { stopwatch } from '../lib/time.ts'
import { now } from '../state/clock.ts'
import { sources } from '../state/lists.ts'
import { isReplay, offlineSince, standing, status } from '../state/status.ts'
import type { Standing } from '../state/status.ts'

const GLYPHS: Readonly<Record<Standing, string>> = {
  live: '\u25cf',
  demo: '\u25c6',
  replay: '\u25b6\ufe0e',
  offline: '\u2716',
  connecting: '\u27f3',
  behind: '\u27f3',
}

const WORDS: Readonly<Record<Standing, string>> = {
  live: 'LIVE',
  demo: 'DEMO',
  replay: 'REPLAY',
  offline: 'OFFLINE',
  connecting: 'CONNECTING',
  behind: 'CATCHING UP',
}

function standingText(): string {
  const word = WORDS[standing.value]
  if (standing.value === 'behind') return `${word} ${count(newestSeq.value - seenSeq.value)}`
  const since = offlineSince.value
  return since === null ? word : `${word} ${stopwatch(now.value - since)}`
}

/** How this page stands, as glyph, word and colour. */
export function ModePill(): JSX.Element {
  return (
    <span class={`pill pill-${standing.value}`}>
      <span aria-hidden="true">{GLYPHS[standing.value]}</span> {standingText()}
    </span>
  )
}

/** The page's name in the tab, with the standing before it. */
export function useTitle(name: string): void {
  const title = `${GLYPHS[standing.value]} ${name} \u2013 monitor-backend`
  useEffect(() => {
    document.title = title
  }, [title])
}

/** The bottom line. */
export function StatusBar(): JSX.Element {
  const journal = status.value.value?.journal
  return (
    <footer class="status-bar">
      <ModePill />
      <Sources />
      <span title="The last event that has reached this page">seq {count(seenSeq.value)}</span>
      {!isReplay.value && <Durable />}
      <span class="spring" />
      {journal && (
        <span class="wide-only">
          epoch {journal.epoch}, {bytes(journal.bytes)} recorded
        </span>
      )}
    </footer>
  )
}

function Durable(): JSX.Element {
  return (
    <span title="Everything up to this event survives a power cut">
      durable to {count(durableSeq.value)}
    </span>
  )
}

function Sources(): JSX.Element {
  const all = sources.open().all()
  const number = (state: string): number => all.filter((source) => source.state === state).length
  const down = number('down')
  return (
    <a class={down > 0 ? 'sources-down' : ''} href="#/overview">
      {down > 0 && <span aria-hidden="true">{'\u2715'} </span>}
      {isReplay.value ? 'sources at the end' : 'sources'}: {number('up')} up
      {down > 0 && `, ${down} down`}
      {number('connecting') > 0 && `, ${number('connecting')} connecting`}
      {number('off') > 0 && `, ${number('off')} off`}
    </a>
  )
}
