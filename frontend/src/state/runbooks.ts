/** Runbooks and test sequences, as the configuration of the recorder has them. */

import { useEffect } from 'preact/hooks'

import type { Runbooks } from '../api/types.ts'
import { listen } from '../feed/feed.ts'
import { Question } from './question.ts'

const runbooks = new Question<Runbooks>('runbooks')

/** Both, asked for when the calling component comes on screen. They change with a restart alone. */
export function useRunbooks(): Question<Runbooks> {
  useEffect(() => {
    void runbooks.ask()
    return listen({ opened: () => void runbooks.ask() })
  }, [])
  return runbooks
}
