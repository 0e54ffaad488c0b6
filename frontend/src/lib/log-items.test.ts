import { expect, test } from 'vitest'

import type { Gap, LogEntry } from '../api/types.ts'
import { copyText, gapText, matches, shedText, toItems } from './log-items.ts'

const line = (seq: number, level = 'INFO', message = `line ${seq}`): LogEntry => ({
  seq,
  level,
  message,
  time: seq * 1000,
  learned: seq * 1000,
  target: 'a::b',
  span_name: '',
  source: 'app-server',
})

const gap = (seq: number, source = 'app-server', dropped: number | null = null): Gap => ({
  seq,
  source,
  dropped,
  reason: 'the link was cut',
  from: 1000,
  to: 2500,
})

test('lines and gaps come in the order of the journal, whatever order they were told in', () => {
  const items = toItems([line(9), line(7), line(4)], [gap(8), gap(5)])
  expect(items.map((item) => `${item.kind} ${item.seq}`)).toEqual([
    'line 4',
    'gap 5',
    'line 7',
    'gap 8',
    'line 9',
  ])
})

test('a gap of a watch of the cluster swallowed no log line', () => {
  expect(toItems([], [gap(1, 'cluster/Pod')])).toEqual([])
})

test('a level means this or worse; a level that is none of ours is never hidden', () => {
  const passing = (level: string): string[] =>
    ['ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE', 'NOTICE'].filter((one) =>
      matches(line(1, one), { level, text: '' }),
    )
  expect(passing('WARN')).toEqual(['ERROR', 'WARN', 'NOTICE'])
  expect(passing('TRACE')).toHaveLength(6)
  expect(passing('')).toHaveLength(6)
})

test('a text is found in the message alone, in any case', () => {
  const filter = { level: '', text: 'REFUSED' }
  expect(matches(line(1, 'INFO', 'connection refused'), filter)).toBe(true)
  expect(matches(line(1, 'INFO', 'accepted'), filter)).toBe(false)
})

test('missing lines are counted where the number is known, and called unknown where not', () => {
  expect(gapText(gap(1, 'app-server', 1204), 'utc')).toBe(
    'gap in app-server, 00:00:01.000 to 00:00:02.500: 1,204 records missing (the link was cut)',
  )
  expect(gapText(gap(1), 'utc')).toContain('nobody knows what is missing')
  expect(gapText(gap(1, 'app-server', 1), 'utc')).toContain('1 record missing')
  expect(shedText({ from: 10, to: 3110, count: 3100 })).toContain('3,100 records left out')
})

test('copied lines say everything on one line each', () => {
  const [item] = toItems([{ ...line(1), span_name: 'request' }], [])
  expect(item && copyText(item, 'utc')).toBe('1970-01-01 00:00:01.000 UTC INFO a::b request line 1')
})
