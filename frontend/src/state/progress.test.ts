import { beforeEach, expect, test, vi } from 'vitest'

import type { ActionDetail, ActionProgress, LiveBatch } from '../api/types.ts'
import type { FeedListener } from '../feed/feed.ts'
import { Progress } from './progress.ts'

/** What the recorder answers, by the `before` that it is asked for. */
let answers: Map<unknown, Partial<ActionDetail>>
let feeds: FeedListener[]

vi.mock('../api/client.ts', () => ({
  get: (_path: string, query: { before?: number }) => {
    const value = { seq: 0, progress: [], next: null, action: { id: 'a' }, ...answers.get(query.before) }
    return Promise.resolve({ ok: true, value })
  },
}))
vi.mock('../feed/feed.ts', () => ({
  listen: (listener: FeedListener) => {
    feeds.push(listener)
    return () => {
      feeds = feeds.filter((one) => one !== listener)
    }
  },
  joins: () => true,
}))

const line = (seq: number, id = 'a'): ActionProgress => ({ id, seq, learned: seq, line: `${seq}` })

function arrive(batch: Partial<LiveBatch>): void {
  for (const feed of feeds) feed.batch?.({ from: 0, to: 0, ...batch })
}

let progress: Progress
const seqs = (): number[] => progress.lines.value.map((one) => one.seq)

beforeEach(async () => {
  answers = new Map([[undefined, { progress: [line(7), line(5)], next: 5 }]])
  feeds = []
  progress = new Progress('a')
  await progress.ask()
})

test('lines that come live stand behind those that were answered, others do not', async () => {
  arrive({ action_progress: [line(9), line(10, 'another')] })
  await vi.waitFor(() => expect(seqs()).toEqual([5, 7, 9]))
})

test('older lines come a page at a time, until there are none', async () => {
  answers.set(5, { progress: [line(3), line(1)], next: null })
  await progress.askOlder()
  expect(seqs()).toEqual([1, 3, 5, 7])
  expect(progress.older.value).toBeNull()
})

test('a later answer does not offer again what is here already', async () => {
  answers.set(5, { progress: [line(3)], next: null })
  await progress.askOlder()
  await progress.ask()
  expect(progress.older.value).toBeNull()
  expect(seqs()).toEqual([3, 5, 7])
})

test('after its end it follows no more', () => {
  progress.end()
  expect(feeds).toEqual([])
})
