import { expect, test } from 'vitest'

import { enable, parseSteps, repeat, stepRows } from './steps.ts'
import type { Step } from './steps.ts'

const STEPS: readonly Step[] = [
  { enabled: false, http: { path: '/graphql' }, preWait: 5 },
  {
    stepBatch: {
      repeatCount: 3,
      steps: [{ http: { method: 'GET', path: '/a' } }, { stepBatch: { steps: [{ postWait: 10, http: null }], repeatCount: null } }],
    },
  },
]

test('every step is a row, what is inside of a batch after it', () => {
  const rows = stepRows(STEPS).map((row) => [row.path, row.depth, row.label, row.repeatCount])
  expect(rows).toEqual([
    ['0', 0, 'POST /graphql', null],
    ['1', 0, 'batch', 3],
    ['1.0', 1, 'GET /a', null],
    ['1.1', 1, 'batch', 1],
    ['1.1.0', 2, 'wait', null],
  ])
  expect(stepRows(STEPS).map((row) => row.isEnabled)).toEqual([false, true, true, true, true])
})

test('one step is switched, wherever it stands, and all else is kept', () => {
  const on = enable(STEPS, '0', true)
  expect(on[0]).toEqual({ ...STEPS[0], enabled: true })
  expect(on[1]).toBe(STEPS[1])
  const off = enable(STEPS, '1.1.0', false)
  expect(stepRows(off).map((row) => row.isEnabled)).toEqual([false, true, true, true, false])
  expect(JSON.stringify(off)).toContain('"postWait":10')
})

test('a batch is repeated as often as is asked for', () => {
  expect(stepRows(repeat(STEPS, '1.1', 7)).map((row) => row.repeatCount)).toEqual([
    null,
    3,
    null,
    7,
    null,
  ])
})

test('what is no step cannot be repeated', () => {
  expect(repeat(STEPS, '0', 7)).toEqual(STEPS)
})

test('text that is no list of steps is refused with the reason', () => {
  expect(parseSteps('[{"enabled": true}]')).toEqual({ ok: true, value: [{ enabled: true }] })
  expect(parseSteps('[')).toMatchObject({ ok: false })
  expect(parseSteps('{}')).toEqual({ ok: false, error: 'it must be a list of steps: [ ... ]' })
  expect(parseSteps('[{}, 3]')).toEqual({ ok: false, error: 'step 2 must be an object: { ... }' })
})
