import { expect, test } from 'vitest'

import type { LogEntry } from '../api/types.ts'
import type { LogItem } from './log-items.ts'
import { meaningOf } from './log-keys.ts'

const items: LogItem[] = ['INFO', 'ERROR', 'INFO', 'WARN', 'INFO', 'ERROR', 'INFO'].map(
  (level, seq) => ({ kind: 'line', seq, line: { seq, level } as LogEntry }),
)

const at = (here: number, key: string): unknown => meaningOf(key, { items, here, page: 3 })

test('arrows, pages and ends', () => {
  expect(at(4, 'ArrowUp')).toBe(3)
  expect(at(6, 'ArrowDown')).toBe(6)
  expect(at(5, 'PageUp')).toBe(2)
  expect(at(5, 'PageDown')).toBe(6)
  expect(at(5, 'Home')).toBe(0)
  expect(at(5, 'End')).toBe('resume')
})

test('without a cursor, going up begins at the last row', () => {
  expect(at(items.length, 'ArrowUp')).toBe(6)
})

test('from error to error and from warning to warning, in both directions', () => {
  expect(at(1, 'e')).toBe(5)
  expect(at(5, 'E')).toBe(1)
  expect(at(1, 'w')).toBe(3)
  expect(at(5, 'W')).toBe(3)
  expect(at(5, 'e')).toBeNull()
})

test('a gap is worth stopping at', () => {
  const gap = { kind: 'gap', seq: 9 } as LogItem
  expect(meaningOf('e', { items: [...items, gap], here: 6, page: 3 })).toBe(7)
})

test('other keys are not ours', () => {
  expect(at(1, 'x')).toBeNull()
})
