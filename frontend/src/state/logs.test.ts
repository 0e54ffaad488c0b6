import { beforeEach, expect, test, vi } from 'vitest'

import type { LiveBatch, LogEntry, Logs } from '../api/types.ts'
import type { FeedListener } from '../feed/feed.ts'
import { LogStore } from './logs.ts'
import type { Change } from './logs.ts'

type Reply = (answer: unknown) => void

/** Questions that the store has asked and that the test answers when it likes. */
const asked: { query: Record<string, unknown>; reply: Reply }[] = []
let feed: FeedListener
let joinsFrom = 0

vi.mock('../api/client.ts', () => ({
  get: (_path: string, query: Record<string, unknown>) =>
    new Promise((reply: Reply) => asked.push({ query, reply })),
}))
vi.mock('../feed/feed.ts', () => ({
  listen: (listener: FeedListener) => {
    feed = listener
  },
  joins: (seq: number) => seq >= joinsFrom,
}))

const line = (seq: number, message = `line ${seq}`): LogEntry => ({
  seq,
  message,
  level: 'INFO',
  time: 0,
  learned: 0,
  target: '',
  span_name: '',
  source: 'app-server',
})

const lines = (first: number, last: number): LogEntry[] =>
  Array.from({ length: last - first + 1 }, (_, index) => line(first + index))

async function answer(part: Partial<Logs>): Promise<void> {
  const entries = part.entries?.toReversed() ?? []
  const value = { seq: 0, gaps: [], next: null, ...part, entries }
  asked.pop()?.reply({ ok: true, value })
  await vi.waitFor(() => expect(asked).toHaveLength(0))
  await Promise.resolve()
}

function arrive(first: number, last: number, more: Partial<LiveBatch> = {}): void {
  feed.batch?.({ from: first - 1, to: last, logs: lines(first, last), ...more })
}

let store: LogStore
let changes: Change[]
const shown = (): string => store.items.map((item) => item.seq).join(' ')

beforeEach(async () => {
  asked.length = 0
  joinsFrom = 0
  changes = []
  store = new LogStore()
  store.onChange((change) => changes.push(change))
  store.open()
  await answer({ seq: 3, entries: lines(1, 3), next: 1 })
})

test('the newest page stands, and what arrives is added', () => {
  expect(changes).toEqual([{ kind: 'all' }])
  arrive(4, 5)
  expect(shown()).toBe('1 2 3 4 5')
  expect(changes.at(-1)).toEqual({ kind: 'some', before: 0 })
})

test('what arrives while an answer is awaited is neither lost nor doubled', async () => {
  store.reload()
  arrive(4, 6)
  await answer({ seq: 5, entries: lines(3, 5) })
  expect(shown()).toBe('3 4 5 6')
})

test('an answer that may be newer than it says doubles nothing', async () => {
  store.reload()
  arrive(4, 6)
  await answer({ seq: 4, entries: lines(3, 6) })
  expect(shown()).toBe('3 4 5 6')
})

test('an answer older than the beginning of the feed is asked for again', async () => {
  joinsFrom = 9
  store.reload()
  await answer({ seq: 5, entries: lines(1, 5) })
  expect(store.isAsking.value).toBe(true)
  await vi.waitFor(() => expect(asked).toHaveLength(1))
  await answer({ seq: 9, entries: lines(7, 9) })
  expect(shown()).toBe('7 8 9')
})

test('paused, nothing moves and everything is held', () => {
  store.pause()
  arrive(4, 6)
  expect(shown()).toBe('1 2 3')
  expect(store.held.value).toBe(3)
  store.resume()
  expect(shown()).toBe('1 2 3 4 5 6')
  expect(store.held.value).toBe(0)
})

test('what was too much to hold is asked for again', async () => {
  store.pause()
  arrive(4, 100_003)
  arrive(100_004, 100_005)
  store.resume()
  await answer({ seq: 100_005, entries: lines(100_000, 100_005) })
  expect(store.isPaused.value).toBe(false)
  expect(shown()).toBe('100000 100001 100002 100003 100004 100005')
})

test('older lines come before, and say how many they are', async () => {
  void store.askOlder()
  expect(asked.at(-1)?.query).toMatchObject({ before: 1 })
  await answer({ seq: 3, entries: [line(0)], next: null })
  expect(shown()).toBe('0 1 2 3')
  expect(changes.at(-1)).toEqual({ kind: 'some', before: 1 })
  expect(store.hasOlder.value).toBe(false)
  void store.askOlder()
  expect(asked).toHaveLength(0)
})

test('older lines of another filter are not mixed in', async () => {
  void store.askOlder()
  const late = asked.pop()
  store.setFilter({ level: '', text: 'line 2' })
  late?.reply({ ok: true, value: { seq: 3, entries: [line(0)], gaps: [], next: null } })
  await answer({ seq: 3, entries: [line(2)] })
  expect(shown()).toBe('2')
})

test('a filter narrows at once, asks the recorder, and holds for what arrives', async () => {
  store.setFilter({ level: '', text: 'LINE 2' })
  expect(shown()).toBe('2')
  expect(asked.at(-1)?.query).toMatchObject({ q: 'LINE 2' })
  await answer({ seq: 3, entries: [line(2)] })
  arrive(4, 30)
  expect(shown()).toBe('2 20 21 22 23 24 25 26 27 28 29')
})

test('missing lines have their place in the list', () => {
  const gap = { seq: 5, source: 'app-server', reason: 'r', from: 0, to: 1, dropped: 2 }
  feed.batch?.({ from: 3, to: 6, logs: [line(4), line(6)], gaps: [gap] })
  feed.shed?.({ from: 6, to: 90, count: 84 })
  expect(store.items.slice(3).map((item) => item.kind)).toEqual(['line', 'gap', 'line', 'shed'])
})

test('the oldest go when there are too many, and can be asked for again', () => {
  arrive(4, 110_001)
  expect(store.items).toHaveLength(100_000)
  const excess = changes.at(-1)
  expect(excess).toEqual({ kind: 'some', before: -10_001 })
  void store.askOlder()
  expect(asked).toHaveLength(0)
  store.items.length = 99_999
  void store.askOlder()
  expect(asked.at(-1)?.query).toMatchObject({ before: 10_002 })
})

test('a reset asks again', async () => {
  feed.reset?.({ reason: 'wiped', last_seq: 7 })
  await answer({ seq: 7, entries: [] })
  expect(shown()).toBe('')
})

test('no answer is told, and another is asked for when the feed is back', async () => {
  store.reload()
  asked.pop()?.reply({ ok: false, error: { kind: 'unreachable', message: '' } })
  await vi.waitFor(() => expect(store.failure.value?.kind).toBe('unreachable'))
  expect(shown()).toBe('1 2 3')
  feed.opened?.()
  await answer({ seq: 3, entries: lines(1, 3) })
  expect(store.failure.value).toBeNull()
})
