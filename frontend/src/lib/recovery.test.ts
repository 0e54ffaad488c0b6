import { expect, test } from 'vitest'

import { findings, summary } from './recovery.ts'

const WELL = {
  segments: 2,
  bytes: 2048,
  records_checked: 7,
  damaged: [],
  lost: [],
  torn_tail: false,
  read_with_care: [],
  skipped: [],
  unreadable_bytes: 0,
  durable_seq: 99,
  must_understand: [],
  misnamed: [],
  left_alone: [{ name: 'x', reason: 'told elsewhere' }],
  leap: null,
  wiped_segments: 0,
  sync_failure: null,
  duration_ms: 12,
}

test('a start that found nothing says so', () => {
  expect(findings(WELL)).toEqual([{ tone: 'good', text: 'Nothing was wrong.' }])
  expect(summary(WELL)).toContain('2 segments with 2.0 KiB opened in 12 ms, 7 records checked')
})

test('each thing that was found is told in words', () => {
  const found = findings({
    ...WELL,
    damaged: [{ segment: 'a.seg', offset: 4096, what: 'its checksum does not hold' }],
    lost: [
      { first_seq: 5, last_seq: 6, durable: true },
      { first_seq: 8, last_seq: 9, durable: false },
    ],
    torn_tail: true,
    skipped: ['b.seg'],
    leap: { from: 9, to: 1_048_586 },
    sync_failure: 'input/output error',
  })
  const tones = found.map((one) => one.tone)
  expect(tones).toEqual(['bad', 'bad', 'warn', 'warn', 'bad', 'warn', 'warn'])
  expect(found[0]?.text).toContain('in a.seg at byte 4,096')
  expect(found[1]?.text).toContain('Events 5 to 6 cannot be read, although')
  expect(found.at(-1)?.text).toContain('input/output error')
})

test('what a later version reports is told as it is', () => {
  expect(findings({ ...WELL, repaired_files: 3, odd: { a: 1 }, nothing: [] })).toEqual([
    { tone: 'warn', text: 'repaired files: 3' },
    { tone: 'warn', text: 'odd: a: 1' },
  ])
})

test('of many only some are told', () => {
  const damaged = Array.from({ length: 30 }, () => ({ segment: 'a', offset: 1, what: 'x' }))
  expect(findings({ ...WELL, damaged })).toHaveLength(21)
})

test('no report tells nothing and fails at nothing', () => {
  expect(summary(null)).toBe('')
  expect(findings(null)).toHaveLength(1)
})
