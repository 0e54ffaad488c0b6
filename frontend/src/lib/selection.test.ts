import { expect, test } from 'vitest'

import { contains, moveTo, range, shifted } from './selection.ts'

test('extending keeps the anchor, moving does not', () => {
  const one = moveTo(null, 5, false, 10)
  expect(one).toEqual({ anchor: 5, cursor: 5 })
  expect(moveTo(one, 2, true, 10)).toEqual({ anchor: 5, cursor: 2 })
  expect(moveTo(one, 2, false, 10)).toEqual({ anchor: 2, cursor: 2 })
})

test('the cursor stays inside of the list', () => {
  expect(moveTo(null, -3, false, 10)).toEqual({ anchor: 0, cursor: 0 })
  expect(moveTo(null, 99, true, 10)).toEqual({ anchor: 9, cursor: 9 })
  expect(moveTo(null, 0, false, 0)).toBeNull()
})

test('a selection covers both ends in either direction', () => {
  const selection = { anchor: 7, cursor: 4 }
  expect(range(selection)).toEqual({ first: 4, last: 7 })
  expect([3, 4, 7, 8].map((index) => contains(selection, index))).toEqual([
    false,
    true,
    true,
    false,
  ])
  expect(contains(null, 0)).toBe(false)
})

test('a selection stays on its rows when rows come or go before it', () => {
  const selection = { anchor: 7, cursor: 4 }
  expect(shifted(selection, 500)).toEqual({ anchor: 507, cursor: 504 })
  expect(shifted(selection, -5)).toEqual({ anchor: 2, cursor: 0 })
  expect(shifted(selection, -8)).toBeNull()
})
