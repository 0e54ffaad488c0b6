import { expect, test } from 'vitest'

import { fullness, percent } from './share.ts'

test('nearly full is not full', () => {
  expect(percent(0.999)).toBe('99 %')
  expect(percent(1)).toBe('100 %')
  expect(percent(1.2)).toBe('100 %')
  expect(percent(0)).toBe('0 %')
})

test('each bound belongs to the worse word', () => {
  expect([0.79, 0.8, 0.89, 0.9].map(fullness)).toEqual(['ok', 'high', 'high', 'full'])
})
