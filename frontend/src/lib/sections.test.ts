import { expect, test } from 'vitest'

import type { Section } from '../api/types.ts'
import { extent, layOut } from './sections.ts'

const section = (path: string, start: number, duration: number | null): Section => ({
  path,
  start_time: start,
  duration,
  extra_info: null,
})

function check(sections: Section[], expected: string[]): void {
  const rows = layOut(sections).map((row) => `${'  '.repeat(row.depth)}${row.label}`)
  expect(rows).toEqual(expected)
}

test('parts stand below what they are part of, in the order in which they began', () => {
  check(
    [
      section('/graphql getNode/run', 2, 8),
      section('/graphql getNode', 0, 10),
      section('/graphql getNode/run/db', 3, 2),
      section('/graphql getNode/parse', 1, 1),
    ],
    ['/graphql getNode', '  parse', '  run', '    db'],
  )
})

test('a part whose parent was not told stands below the nearest one that was', () => {
  check([section('f', 0, 9), section('f/x/y', 1, 1)], ['f', '  x/y'])
  check([section('f/x/y', 1, 1)], ['f/x/y'])
})

test('of several with one path, the part belongs to the last that had begun', () => {
  check(
    [
      section('f', 0, 9),
      section('f/loop', 1, 1),
      section('f/loop', 3, 1),
      section('f/loop/db', 3, 1),
    ],
    ['f', '  loop', '  loop', '    db'],
  )
})

test('no depth is too deep', () => {
  const deep = Array.from({ length: 20_000 }, (_, depth) =>
    section(`f${'/f'.repeat(depth % 500)}`, depth, 1),
  )
  expect(layOut(deep)).toHaveLength(20_000)
})

test('an extent reaches to what is open now, or stands still', () => {
  const sections = [section('f', 100, null), section('f/a', 110, 20)]
  expect(extent(sections, 500)).toEqual({ start: 100, end: 500 })
  expect(extent(sections, null)).toEqual({ start: 100, end: 130 })
  expect(extent([], 500)).toEqual({ start: 0, end: 1 })
})

test('an extent is never empty: widths are divided by it', () => {
  const { start, end } = extent([section('f', 100, 0)], null)
  expect(end).toBeGreaterThan(start)
})
