import { beforeEach, expect, test, vi } from 'vitest'

import type { LiveBatch, LiveQueries, LiveQuery } from '../api/types.ts'
import type { FeedListener } from '../feed/feed.ts'
import { Rows } from './rows.ts'

type Reply = (answer: unknown) => void

const asked: Reply[] = []
const feed: FeedListener[] = []

vi.mock('../api/client.ts', () => ({
  get: () => new Promise((reply: Reply) => asked.push(reply)),
}))
vi.mock('../feed/feed.ts', () => ({
  listen: (listener: FeedListener) => feed.push(listener),
  joins: () => true,
}))

const row = (id: string, seq: number, removed = false): LiveQuery =>
  ({ id, seq, removed }) as LiveQuery

async function answer(seq: number, live_queries: LiveQuery[]): Promise<void> {
  asked.shift()?.({ ok: true, value: { seq, live_queries } })
  await new Promise((done) => setTimeout(done))
}

function tell(to: number, live_queries: LiveQuery[]): void {
  const batch = { from: 0, to, live_queries } as LiveBatch
  for (const listener of feed) listener.batch?.(batch)
}

let rows: Rows<LiveQueries, LiveQuery>
const shown = (): string[] =>
  rows
    .all()
    .map((one) => `${one.id}${one.seq}`)
    .toSorted()

beforeEach(() => {
  asked.length = 0
  feed.length = 0
  rows = new Rows<LiveQueries, LiveQuery>({
    path: 'live-queries',
    answered: (all) => all.live_queries,
    live: (batch) => batch.live_queries,
    id: (one) => one.id,
    seq: (one) => one.seq,
    isGone: (one) => one.removed,
  }).open()
})

test('rows are asked for once, then follow the feed', async () => {
  rows.open()
  expect(asked).toHaveLength(1)
  await answer(5, [row('a', 1), row('b', 5)])
  tell(7, [row('a', 6), row('c', 7)])
  tell(8, [row('b', 8, true)])
  expect(shown()).toEqual(['a6', 'c7'])
})

test('what was told while the answer was awaited is joined with it', async () => {
  tell(4, [row('a', 4)])
  tell(7, [row('a', 7), row('b', 6)])
  await answer(5, [row('a', 4)])
  expect(shown()).toEqual(['a7', 'b6'])
})

test('what the answer knows to be gone does not come back', async () => {
  tell(4, [row('a', 4)])
  await answer(5, [])
  expect(shown()).toEqual([])
})

test('after a reset or records left out, the answer replaces all', async () => {
  await answer(5, [row('a', 5)])
  for (const listener of feed) listener.reset?.({ reason: 'wiped', last_seq: 9 })
  await answer(9, [])
  expect(shown()).toEqual([])
  for (const listener of feed) listener.shed?.({ from: 9, to: 99, count: 90 })
  await answer(99, [row('b', 50)])
  expect(shown()).toEqual(['b50'])
})

test('several wishes to ask become one more question', async () => {
  void rows.ask()
  void rows.ask()
  expect(asked).toHaveLength(1)
  await answer(5, [])
  expect(asked).toHaveLength(1)
  await answer(6, [row('a', 6)])
  expect(asked).toHaveLength(0)
  expect(shown()).toEqual(['a6'])
})

test('an older page without rows is gone on from', async () => {
  asked.shift()?.({ ok: true, value: { seq: 9, live_queries: [row('c', 9)], next: 9 } })
  await vi.waitFor(() => expect(rows.older.value).toBe(9))
  const done = rows.askOlder()
  const older = async (live_queries: LiveQuery[], next: number | null): Promise<void> => {
    await vi.waitFor(() => expect(asked).toHaveLength(1))
    asked.shift()?.({ ok: true, value: { seq: 9, live_queries, next } })
  }
  await older([], 7)
  await older([], 5)
  await older([row('a', 3)], 3)
  await done
  expect(shown()).toEqual(['a3', 'c9'])
  expect(rows.older.value).toBe(3)
})
