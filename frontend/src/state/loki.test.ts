import { beforeEach, expect, test, vi } from 'vitest'

import type { LokiEntry } from '../api/types.ts'
import { LokiStore } from './loki.ts'
import type { Change } from './logs.ts'

/** What Loki has, oldest first, and what it was asked for. */
let lines: { ns: bigint; message: string }[]
let asked: Record<string, unknown>[]
/** Lines of one answer. */
const PAGE = 3

vi.mock('../api/client.ts', () => ({
  get: (_path: string, query: { start: number; end: string; limit: number }) => {
    asked.push(query)
    const end = nanosOf(query.end)
    const found = lines.filter(({ ns }) => ns >= BigInt(query.start) * 1_000_000n && ns < end)
    const limit = query.limit > 500 ? 2 * PAGE : PAGE
    const entries = found.slice(-limit).toReversed().map(entry)
    const value = { seq: 1, entries, is_full: entries.length === limit }
    return Promise.resolve({ ok: true, value })
  },
}))

function nanosOf(text: string): bigint {
  const [, rest = '0'] = /\.(\d+)Z$/.exec(text) ?? []
  return BigInt(Date.parse(`${text.slice(0, 19)}Z`)) * 1_000_000n + BigInt(rest.padEnd(9, '0'))
}

function entry({ ns, message }: { ns: bigint; message: string }): LokiEntry {
  return {
    time: Number(ns) / 1e6,
    time_ns: String(ns),
    level: 'INFO',
    target: '',
    span_name: '',
    message,
    source: 'outside/loki',
    labels: {},
  }
}

let store: LokiStore
let changes: Change[]
const shown = (): string[] =>
  store.items.map((item) => (item.kind === 'line' ? item.line.message : item.kind))

beforeEach(() => {
  asked = []
  changes = []
  store = new LokiStore()
  store.onChange((change) => changes.push(change))
})

test('older pages join without a hole, lines of one nanosecond included', async () => {
  const times = [1_000_000_001n, 1_000_000_002n, 1_000_000_002n, 1_000_000_002n, 1_000_000_003n]
  lines = times.map((ns, index) => ({ ns, message: `line ${index}` }))
  await store.ask({ query: '{a="b"}', reach: 5000 }, 2000)
  expect(shown()).toEqual(['line 2', 'line 3', 'line 4'])
  await store.askOlder()
  expect(shown()).toEqual(['line 1', 'line 2', 'line 3', 'line 4'])
  expect(changes.at(-1)).toEqual({ kind: 'some', before: 1 })
  expect(asked.map((query) => query['end'])).toEqual([
    '1970-01-01T00:00:02.000000000Z',
    '1970-01-01T00:00:01.000000003Z',
  ])
  await store.askOlder()
  expect(shown()[0]).toBe('line 0')
  expect(store.hasOlder.value).toBe(false)
})

test('when nothing older comes, no more is asked for', async () => {
  lines = [{ ns: 1_000_000_001n, message: 'only' }]
  await store.ask({ query: '{a="b"}', reach: 5000 }, 2000)
  expect(store.hasOlder.value).toBe(false)
  await store.askOlder()
  expect(asked).toHaveLength(1)
})

test('another question forgets the lines of the last one', async () => {
  lines = [{ ns: 1_000_000_001n, message: 'first' }]
  await store.ask({ query: '{a="b"}', reach: 5000 }, 2000)
  lines = [{ ns: 1_000_000_001n, message: 'second' }]
  await store.ask({ query: '{a="c"}', reach: 5000 }, 2000)
  expect(shown()).toEqual(['second'])
})
