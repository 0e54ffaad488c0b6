import { expect, test } from 'vitest'

import type { ObjectRow } from '../api/types.ts'
import { knownValues } from './known-values.ts'

function object(kind: string, namespace: string, name: string, deleted = false): ObjectRow {
  return {
    api_version: 'v1',
    changed: 0,
    created: 0,
    deleted: deleted ? 1 : false,
    deleted_because: null,
    detail: '',
    healthy: true,
    kind,
    name,
    namespace,
    phase: '',
    saved: true,
    seq: 1,
    uid: name,
  }
}

const OBJECTS = [
  object('Pod', 'shop', 'web-1'),
  object('Pod', 'shop', 'gone-1', true),
  object('Pod', 'db', 'pg-0'),
  object('Deployment', 'shop', 'web'),
  object('Node', '', 'node-1'),
]

test('namespaces are those of the kind, and no empty one is offered', () => {
  expect(knownValues('namespace', { kind: 'Deployment' }, OBJECTS)).toEqual(['shop'])
  expect(knownValues('namespace', {}, OBJECTS)).toEqual(['db', 'shop'])
})

test('names are those of kind and namespace that live', () => {
  expect(knownValues('name', { kind: 'Pod', namespace: 'shop' }, OBJECTS)).toEqual(['web-1'])
})

test('an argument called pod is the name of one', () => {
  expect(knownValues('pod', { namespace: 'db' }, OBJECTS)).toEqual(['pg-0'])
})

test('of other arguments nothing is known', () => {
  expect(knownValues('replicas', {}, OBJECTS)).toEqual([])
})
