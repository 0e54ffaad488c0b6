import { expect, test } from 'vitest'

import { failure } from './client.ts'

const said = (code: string): string => JSON.stringify({ code, message: 'because' })

test('an answer that says no is told apart by what can be done about it', () => {
  expect(failure(401, said('no_access')).kind).toBe('logged_out')
  expect(failure(403, said('forbidden')).kind).toBe('forbidden')
  expect(failure(503, said('starting')).kind).toBe('starting')
  expect(failure(503, said('too_many')).kind).toBe('refused')
  expect(failure(409, said('past'))).toEqual({ kind: 'refused', message: 'because' })
})

test('a gateway with nobody behind it is no refusal of the recorder', () => {
  expect(failure(502, '<html>Bad Gateway</html>').kind).toBe('unreachable')
  expect(failure(503, '').kind).toBe('unreachable')
})

test('a body of any shape gives a message', () => {
  for (const body of ['', 'null', '[]', '{"code":1}', '{']) {
    expect(failure(500, body)).toEqual({ kind: 'refused', message: 'the answer was 500' })
  }
})
