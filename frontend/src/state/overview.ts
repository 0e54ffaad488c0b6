/** The overview: asked for anew when something happened that it shows, while somebody looks. */

import { useEffect } from 'preact/hooks'

import type { LiveBatch, Overview } from '../api/types.ts'
import { listen } from '../feed/feed.ts'
import { Question } from './question.ts'

/** What happened shows at most this much later. */
const STALE_MS_MAX = 2000

const overview = new Question<Overview>('overview')

/** The overview, kept true as long as the calling component is on screen. */
export function useOverview(): Question<Overview> {
  useEffect(() => {
    void overview.ask()
    return listen({
      batch: (batch) => touches(batch) && overview.askWithin(STALE_MS_MAX),
      shed: () => overview.askWithin(STALE_MS_MAX),
      reset: () => void overview.ask(),
    })
  }, [])
  return overview
}

/** Milder lines are not shown, and come too often to ask for each. */
function touches(batch: LiveBatch): boolean {
  return (
    batch.objects !== undefined ||
    batch.events !== undefined ||
    batch.sources !== undefined ||
    batch.gaps !== undefined ||
    batch.actions !== undefined ||
    batch.live_queries !== undefined ||
    batch.requests !== undefined ||
    (batch.logs?.some((line) => line.level === 'ERROR') ?? false)
  )
}
