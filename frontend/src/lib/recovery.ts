/** What the last start found in the journal, in words. */

import { bytes, count, counted, pairs } from './format.ts'
import { duration } from './time.ts'

/** One thing that was found. */
export interface Finding {
  readonly tone: 'good' | 'warn' | 'bad'
  readonly text: string
}

/** More of one sort are counted only. */
const SHOWN_MAX = 20

type Report = Readonly<Record<string, unknown>>

/** What a part of the report means; nothing where it means that all is well. */
type Tell = (value: unknown) => readonly Finding[]

const bad = (text: string): Finding => ({ tone: 'bad', text })
const warn = (text: string): Finding => ({ tone: 'warn', text })

const object = (value: unknown): Report =>
  typeof value === 'object' && value !== null ? (value as Report) : {}
const number = (value: unknown): number => (typeof value === 'number' ? value : 0)
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** One finding each, and how many more there are. */
function each(value: unknown, one: (item: unknown) => Finding): readonly Finding[] {
  const items = list(value)
  const shown = items.slice(0, SHOWN_MAX).map(one)
  const more = items.length - shown.length
  return more > 0 ? [...shown, warn(`... and ${count(more)} more of this sort`)] : shown
}

const named =
  (before: string): Tell =>
  (value) =>
    each(value, (name) => warn(`${before} ${String(name)}.`))

/** Parts of the report that are told in words of their own. */
const TELLS: Readonly<Record<string, Tell>> = {
  damaged: (value) =>
    each(value, (item) => {
      const { segment, offset, what } = object(item)
      return bad(`Damaged: ${String(what)}, in ${String(segment)} at byte ${count(number(offset))}.`)
    }),
  lost: (value) =>
    each(value, (item) => {
      const { first_seq: first, last_seq: last, durable } = object(item)
      const events = `Events ${count(number(first))} to ${count(number(last))} cannot be read`
      return durable === true
        ? bad(`${events}, although they were said to be durable.`)
        : warn(`${events}; they were never said to be durable.`)
    }),
  torn_tail: (value) =>
    value === true ? [warn('The last segment ends in a write that did not get through.')] : [],
  read_with_care: named('The start before died in this segment, so it was read with care:'),
  skipped: (value) =>
    each(value, (name) =>
      bad(`Two starts died in ${String(name)}, so it was left out: what it holds is not shown.`),
    ),
  unreadable_bytes: (value) =>
    number(value) > 0 ? [bad(`The volume would not give ${bytes(number(value))}.`)] : [],
  must_understand: (value) =>
    each(value, (kind) =>
      bad(`Records of kind ${String(kind)} must be understood, and this version does not.`),
    ),
  passed_over: (value) => each(value, (line) => warn(String(line))),
  misnamed: named('This file has the name of another segment; its header counts:'),
  leap: (value) => {
    const { from, to } = object(value)
    if (from === undefined) return []
    return [
      warn(
        `The numbers between ${count(number(from))} and ${count(number(to))} were left out, since ` +
          'the machine was started anew and may have lost what was announced last.',
      ),
    ]
  },
  wiped_segments: (value) =>
    number(value) > 0
      ? [warn(`A wipe was finished: ${counted(number(value), 'segment')} had still to go.`)]
      : [],
  sync_failure: (value) =>
    typeof value === 'string'
      ? [warn(`The last segment could not be synced (${value}); what it holds was written again.`)]
      : [],
}

/** Parts that are told in one sentence together, or elsewhere on the page. */
const TOLD_ELSEWHERE = ['segments', 'bytes', 'records_checked', 'duration_ms', 'durable_seq']

/** Everything that was found, what is told by a later version included. */
export function findings(recovery: unknown): readonly Finding[] {
  const report = object(recovery)
  const found = Object.entries(report).flatMap(([name, value]): readonly Finding[] => {
    if (name === 'left_alone' || TOLD_ELSEWHERE.includes(name)) return []
    return TELLS[name]?.(value) ?? generic(name, value)
  })
  return found.length > 0 ? found : [{ tone: 'good', text: 'Nothing was wrong.' }]
}

/** How much was looked at; empty where there is no report. */
export function summary(recovery: unknown): string {
  const report = object(recovery)
  if (report['segments'] === undefined) return ''
  return (
    `${counted(number(report['segments']), 'segment')} with ${bytes(number(report['bytes']))} ` +
    `opened in ${duration(number(report['duration_ms']))}, ` +
    `${counted(number(report['records_checked']), 'record')} checked; older segments are checked ` +
    'when they are read.'
  )
}

function generic(name: string, value: unknown): readonly Finding[] {
  const isNothing =
    value === null || value === false || value === 0 || value === '' || isEmpty(value)
  return isNothing ? [] : [warn(`${name.replaceAll('_', ' ')}: ${pairs(value)}`)]
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
