import { expect, test } from 'vitest'

import { printable } from './printable.ts'

test('terminal colours go, other control characters become visible', () => {
  expect(printable('\u001b[1;31mred\u001b[0m\u0000\u0007')).toBe('red\u2400\u2407')
  expect(printable('\u001b]0;title')).toBe('\u241b]0;title')
})

test('a line stays one line', () => {
  expect(printable('a\r\nb\tc')).toBe('a\u23ceb  c')
})

test('nothing turns the direction of the rest', () => {
  expect(printable('a\u202eb\u2066c')).toBe('a\ufffdb\ufffdc')
})

test('an enormous line is cut before it is looked at', () => {
  expect(printable('x'.repeat(20_000_000)).length).toBe(4097)
})
