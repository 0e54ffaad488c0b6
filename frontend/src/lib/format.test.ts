import { expect, test } from 'vitest'

import { bytes, counted, cut, jsonLine, pairs } from './format.ts'

test('numbers are grouped and agree with their noun', () => {
  expect(counted(1, 'line')).toBe('1 line')
  expect(counted(48_219, 'line')).toBe('48,219 lines')
  expect(counted(0, 'live query', 'live queries')).toBe('0 live queries')
})

test('bytes climb their units', () => {
  expect([0, 1023, 1024, 64 * 2 ** 20, 2 ** 50].map((n) => bytes(n))).toEqual([
    '0 B',
    '1023 B',
    '1.0 KiB',
    '64.0 MiB',
    '1024.0 TiB',
  ])
})

test('a text is cut with a mark, and only where it is too long', () => {
  expect(cut('abc', 3)).toBe('abc')
  expect(cut('abcd', 3)).toBe('abc\u2026')
  expect(jsonLine({ a: [1, 2] }, 6)).toBe('{"a":[\u2026')
  expect(jsonLine(undefined, 6)).toBe('')
})

test('arguments read as pairs, whatever they are', () => {
  expect(pairs({ kind: 'Pod', n: 2, of: { a: 1 } })).toBe('kind: Pod, n: 2, of: {"a":1}')
  expect(pairs(null)).toBe('null')
})
