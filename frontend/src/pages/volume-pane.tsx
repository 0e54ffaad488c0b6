/** One volume with what it held before, or one process with what its source told of it. */

import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'

import type { Process, Volume, VolumeHistory } from '../api/types.ts'
import { listen } from '../feed/feed.ts'
import { bytes, count } from '../lib/format.ts'
import { fullTime } from '../lib/time.ts'
import { Detail, Fields } from '../parts/detail.tsx'
import { JsonPane } from '../parts/json-pane.tsx'
import { ShareBar } from '../parts/share-bar.tsx'
import { Answered } from '../parts/states.tsx'
import { Time } from '../parts/time.tsx'
import { Question } from '../state/question.ts'
import { setQuery } from '../state/route.ts'
import { zone } from '../state/settings.ts'

/** A new state shows at most this much later. */
const STALE_MS_MAX = 1000

/** The pane of a volume. */
export function VolumePane({ row }: { readonly row: Volume }): JSX.Element {
  const title = row.namespace === '' ? "The recorder's own volume" : row.claim
  return (
    <Detail title={title} onClose={() => setQuery({ volume: '' })}>
      <Fields
        rows={[
          ['Used', <ShareBar key="share" share={row.ratio} />],
          ['Bytes used', bytes(row.used_bytes)],
          ['Bytes free', bytes(row.available_bytes)],
          ['Capacity', bytes(row.capacity_bytes)],
          [
            'Inodes',
            row.inodes > 0
              ? `${count(row.inodes_used)} of ${count(row.inodes)}`
              : 'not known',
          ],
          ['Namespace', row.namespace || '(none)'],
          ['Pod', row.pod || '(none)'],
          ['Node', row.node || 'not known'],
          ['Path', row.path ?? 'not known'],
          ['Observed', fullTime(row.observed, zone.value)],
          ['Source', row.source],
          ['Seq', String(row.seq)],
        ]}
      />
      <h3>Recorded states</h3>
      <History volumeKey={row.key} />
    </Detail>
  )
}

function History({ volumeKey }: { readonly volumeKey: string }): JSX.Element {
  const path = `volumes/${encodeURIComponent(volumeKey)}/history`
  const history = useMemo(() => new Question<VolumeHistory>(path), [path])
  useEffect(() => {
    void history.ask()
    const stop = listen({
      batch: (batch) => {
        if (batch.volumes?.some((row) => row.key === volumeKey)) history.askWithin(STALE_MS_MAX)
      },
      reset: () => void history.ask(),
    })
    return () => {
      stop()
      history.end()
    }
  }, [history])
  const states = history.value.value?.volumes ?? []
  return (
    <Answered
      of={history}
      subject="recorded states of this volume"
      isEmpty={states.length === 0}
      empty="No state of it is left in the journal."
    >
      <ul class="lines">
        {states.map((state) => (
          <li key={state.seq}>
            <Time at={state.observed} /> <ShareBar share={state.ratio} /> {bytes(state.used_bytes)}
          </li>
        ))}
      </ul>
    </Answered>
  )
}

/** The pane of a process. */
export function ProcessPane({ row }: { readonly row: Process }): JSX.Element {
  return (
    <Detail title={row.name} onClose={() => setQuery({ process: '' })}>
      <Fields
        rows={[
          ['Memory', row.memory_bytes === null ? 'not known' : bytes(row.memory_bytes)],
          ['Processors', row.cpu_cores === null ? 'not known' : row.cpu_cores.toFixed(3)],
          ['Observed', fullTime(row.observed, zone.value)],
          ['Source', row.source],
          ['Seq', String(row.seq)],
        ]}
      />
      <h3>As its source told it</h3>
      {row.body === null ? (
        <p class="none">Its source told no more than that.</p>
      ) : (
        <JsonPane value={row.body} what="what its source told" />
      )}
    </Detail>
  )
}
