import { expect, test } from 'vitest'

import { clock, duration, fullTime, longDuration, shortTime, stopwatch } from './time.ts'

const at = Date.UTC(2026, 10, 24, 6, 12, 3, 120)

test('a time of today needs no date, one of another day has it', () => {
  expect(shortTime(at, at + 1000, 'utc')).toBe('06:12:03.120')
  expect(shortTime(at, at + 86_400_000, 'utc')).toBe('11-24 06:12:03.120')
})

test('a whole time names its zone', () => {
  expect(fullTime(at, 'utc')).toBe('2026-11-24 06:12:03.120 UTC')
  expect(fullTime(at, 'local')).toMatch(/^2026-11-2[345] \d\d:\d\d:03\.120 [+-]\d\d:\d\d$/)
})

test('what is no time is shown as none', () => {
  for (const time of [Number.NaN, Number.POSITIVE_INFINITY, 1e300]) {
    expect(clock(time, 'utc')).toBe('--:--:--.---')
  }
})

test('a duration has the precision that its size deserves', () => {
  const texts = [0, 0.44, 9.96, 812.4, 1240, 59_999, 192_000].map((ms) => duration(ms))
  expect(texts).toEqual(['0.0 ms', '0.4 ms', '10.0 ms', '812 ms', '1.24 s', '60.00 s', '3 m 12 s'])
  expect(duration(-5)).toBe('-5.0 ms')
  expect(duration(Number.NaN)).toBe('unknown')
})

test('a stretch of waiting is told in its two largest units', () => {
  const texts = [-1, 4999, 192_000, 18_120_000, 183_600_000].map((ms) => longDuration(ms))
  expect(texts).toEqual(['0 s', '4 s', '3 m 12 s', '5 h 02 m', '2 d 3 h'])
  expect([stopwatch(42_900), stopwatch(3_661_000)]).toEqual(['00:42', '1:01:01'])
})
