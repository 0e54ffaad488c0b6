import { expect, test } from 'vitest'

import { keepNewest, upsert } from './upsert.ts'

interface It {
  id: string
  seq: number
  gone?: boolean
}

const kind = {
  id: (it: It) => it.id,
  seq: (it: It) => it.seq,
  isGone: (it: It) => it.gone === true,
}

test('a newer state replaces, an older one does not', () => {
  const map = new Map<string, It>()
  upsert(
    map,
    [
      { id: 'a', seq: 5 },
      { id: 'a', seq: 3 },
      { id: 'b', seq: 4 },
    ],
    kind,
  )
  upsert(map, [{ id: 'b', seq: 6 }], kind)
  expect([...map.values()].map((it) => it.seq)).toEqual([5, 6])
})

test('an end removes, unless what is known is newer', () => {
  const map = new Map<string, It>([['a', { id: 'a', seq: 5 }]])
  upsert(map, [{ id: 'a', seq: 4, gone: true }], kind)
  expect(map.size).toBe(1)
  upsert(map, [{ id: 'a', seq: 6, gone: true }], kind)
  expect(map.size).toBe(0)
})

test('the newest are kept', () => {
  const map = new Map<string, It>()
  upsert(
    map,
    [1, 9, 4, 7].map((seq) => ({ id: String(seq), seq })),
    kind,
  )
  keepNewest(map, 2, kind)
  expect([...map.keys()].toSorted()).toEqual(['7', '9'])
})
