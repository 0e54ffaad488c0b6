/** The files of the journal: asked for while somebody looks, and wiped from here. */

import { useEffect } from 'preact/hooks'

import { post } from '../api/client.ts'
import type { Answer } from '../api/client.ts'
import type { Journal, Wiped, WipeRequest } from '../api/types.ts'
import { listen } from '../feed/feed.ts'
import { Question } from './question.ts'

/** Sizes grow all the time; this often is often enough to watch them. */
const STALE_MS_MAX = 3000

const journal = new Question<Journal>('journal')

/** The journal, kept true as long as the calling component is on screen. */
export function useJournal(): Question<Journal> {
  useEffect(() => {
    void journal.ask()
    return listen({
      batch: () => journal.askWithin(STALE_MS_MAX),
      reset: () => void journal.ask(),
    })
  }, [])
  return journal
}

/** Throws all that is recorded away. */
export function wipe(reason: string): Promise<Answer<Wiped>> {
  const request: WipeRequest = { confirm: 'wipe', reason }
  return post<Wiped>('journal/wipe', request)
}
