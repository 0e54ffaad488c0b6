import { expect, test } from 'vitest'

import { typesOf } from '../../scripts/types-of.mjs'
import openapi from './openapi.json'
import types from './types.ts?raw'

test('the committed types are those of the committed description', () => {
  const current = typesOf(openapi as Parameters<typeof typesOf>[0])
  expect(types === current, 'types.ts is out of date: run `npm run gen`').toBe(true)
})

function check(schema: object, expected: string): void {
  const text = typesOf({ components: { schemas: { It: schema } } })
  expect(text.split('\n').slice(2).join('\n')).toBe(expected)
}

test('an object becomes an interface with its comments', () => {
  check(
    {
      type: 'object',
      description: 'A thing.',
      required: ['a'],
      properties: {
        a: { type: ['integer', 'null'], description: 'Two\n\nlines.' },
        b: { type: 'array', items: { oneOf: [{ type: 'string' }, { type: 'null' }] } },
      },
    },
    '/** A thing. */\nexport interface It {\n' +
      '  /**\n   * Two\n   *\n   * lines.\n   */\n  a: number | null\n  b?: (string | null)[]\n}\n',
  )
})

test('words, references and anything', () => {
  check({ type: 'string', enum: ['up', 'down'] }, "export type It = 'up' | 'down'\n")
  check({ $ref: '#/components/schemas/Other' }, 'export type It = Other\n')
  check({}, 'export type It = unknown\n')
})

test('a type that is not known here is an error, not a guess', () => {
  expect(() => check({ type: 'tuple' }, '')).toThrow('tuple')
})
