import { expect, test } from 'vitest'

import { joinLines } from './output.ts'
import type { OutputLine } from './output.ts'

const line = (seq: number): OutputLine => ({ seq, learned: seq, line: `line ${seq}` })
const seqs = (lines: readonly OutputLine[]): number[] => lines.map((one) => one.seq)

test('lines that come live stand after those that were answered', () => {
  expect(seqs(joinLines([line(1), line(4)], [line(7), line(9)]))).toEqual([1, 4, 7, 9])
})

test('an older page, newest first, stands before', () => {
  expect(seqs(joinLines([line(7)], [line(4), line(1)]))).toEqual([1, 4, 7])
})

test('a line that was told twice stands once', () => {
  expect(seqs(joinLines([line(1), line(4)], [line(4), line(5)]))).toEqual([1, 4, 5])
})

test('beyond the bound the oldest go', () => {
  expect(seqs(joinLines([line(1), line(2)], [line(3)], 2))).toEqual([2, 3])
})
