import { expect, test } from 'vitest'

import type { Source } from '../api/types.ts'
import { alike, listed, named } from './alike.ts'

const source = (name: string, since: number, more: Partial<Source> = {}): Source => ({
  name,
  since,
  state: 'down',
  reason: 'no cluster is configured',
  malformed: 0,
  last_malformed: '',
  unknown: [],
  ...more,
})

test('sources with one reason are one group, and all have it since the last of them', () => {
  const groups = alike([
    source('a', 1),
    source('b', 5, { state: 'up', reason: '' }),
    source('c', 9),
    source('d', 5, { state: 'up', reason: '' }),
  ])
  expect(groups.map((group) => group.sources.map((one) => one.name))).toEqual([
    ['a', 'c'],
    ['b'],
    ['d'],
  ])
  expect(groups[0]?.since).toBe(9)
})

test('another state, another reason or faults of its own keep a source apart', () => {
  const groups = alike([
    source('a', 1),
    source('b', 1, { state: 'connecting' }),
    source('c', 1, { reason: 'refused' }),
    source('d', 1, { malformed: 2 }),
    source('e', 1, { unknown: [{ name: 'New', count: 1 }] }),
  ])
  expect(groups).toHaveLength(5)
})

test('names are listed as one says them', () => {
  expect(listed(['a'])).toBe('a')
  expect(listed(['a', 'b'])).toBe('a and b')
  expect(listed(['a', 'b', 'c'])).toBe('a, b and c')
})

test('what is up is told together with the rest of its family', () => {
  const up = { state: 'up', reason: '' } as const
  const groups = alike([
    source('app-server', 1, up),
    source('cluster/Node', 1, up),
    source('cluster/Pod', 2, up),
    source('cluster/Job', 2, { ...up, state: 'connecting' }),
  ])
  expect(groups.map((group) => group.sources.map((one) => one.name))).toEqual([
    ['app-server'],
    ['cluster/Node', 'cluster/Pod'],
    ['cluster/Job'],
  ])
})

test('the name of a family is said once', () => {
  expect(named(['app-server', 'probes'])).toBe('app-server and probes')
  expect(named(['cluster/Node', 'cluster/Pod'])).toBe('cluster: Node and Pod')
  expect(named(['cluster/Node'])).toBe('cluster/Node')
  expect(named(['cluster/Node', 'app-server', 'cluster/Pod'])).toBe(
    'cluster: Node and Pod; app-server',
  )
})
