/** What the log list shows: lines, and the places where lines are missing, in journal order. */

import type { Gap, LiveShed, LogEntry } from '../api/types.ts'
import { counted } from './format.ts'
import type { Zone } from './time.ts'
import { clock, fullTime } from './time.ts'

/** One row of the list. */
export type LogItem =
  | { readonly kind: 'line'; readonly seq: number; readonly line: LogEntry }
  | { readonly kind: 'gap'; readonly seq: number; readonly gap: Gap }
  | { readonly kind: 'shed'; readonly seq: number; readonly shed: LiveShed }

/** What the list is narrowed to. */
export interface LogFilter {
  /** This level or worse; empty for all. */
  readonly level: string
  /** A part of the message, in any case; empty for all. */
  readonly text: string
}

/** From worst to mildest. */
export const LEVELS = ['ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE'] as const

/**
 * Whether a line that arrived live belongs to the list; the same rule as the recorder has for
 * stored lines. A level that is none of ours passes, rather than to hide a line.
 */
export function matches(line: LogEntry, filter: LogFilter): boolean {
  if (filter.level !== '') {
    const rank = LEVELS.findIndex((level) => level === line.level)
    if (rank > LEVELS.findIndex((level) => level === filter.level)) return false
  }
  return filter.text === '' || line.message.toLowerCase().includes(filter.text.toLowerCase())
}

/** What brings no log lines; whatever is not known here may bring some. */
const NO_LOGS = ['cluster/', 'volumes', 'probes', 'outside/']

/** Whether a gap can have swallowed log lines. */
export function isLogGap(gap: Gap): boolean {
  return !NO_LOGS.some((source) => gap.source.startsWith(source))
}

/** Lines and gaps as rows, oldest first, whatever their order was. */
export function toItems(lines: readonly LogEntry[], gaps: readonly Gap[]): LogItem[] {
  const items: LogItem[] = lines.map((line) => ({ kind: 'line', seq: line.seq, line }))
  for (const gap of gaps) {
    if (isLogGap(gap)) items.push({ kind: 'gap', seq: gap.seq, gap })
  }
  return items.toSorted((a, b) => a.seq - b.seq)
}

/** The text of a gap. It says what is not known as plainly as what is. */
export function gapText(gap: Gap, zone: Zone): string {
  const what =
    gap.dropped === null
      ? 'nobody was looking, so nobody knows what is missing'
      : `${counted(gap.dropped, 'record')} missing`
  const from = clock(gap.from, zone)
  return `gap in ${gap.source}, ${from} to ${clock(gap.to, zone)}: ${what} (${gap.reason})`
}

/** The text of records that this browser was too slow for. */
export function shedText(shed: LiveShed): string {
  return (
    `${counted(shed.count, 'record')} left out here (seq ${shed.from + 1} to ${shed.to}): ` +
    'this browser was too slow. They are in the journal; reload the list to see them.'
  )
}

/** A row as one line of plain text, for copying. */
export function copyText(item: LogItem, zone: Zone): string {
  switch (item.kind) {
    case 'line': {
      const { time, level, target, span_name: span, message } = item.line
      const where = span === '' ? target : `${target} ${span}`
      return `${fullTime(time, zone)} ${level} ${where} ${message}`
    }
    case 'gap':
      return `-- ${gapText(item.gap, zone)} --`
    case 'shed':
      return `-- ${shedText(item.shed)} --`
  }
}
