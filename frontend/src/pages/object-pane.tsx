/** One object of the cluster: its state, what the cluster said of it, and what it was before. */

import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'

import type { ClusterEvent, ObjectDetail, ObjectHistory, ObjectVersion } from '../api/types.ts'
import { listen } from '../feed/feed.ts'
import { count } from '../lib/format.ts'
import { fullTime } from '../lib/time.ts'
import { Detail, Fields } from '../parts/detail.tsx'
import { JsonPane } from '../parts/json-pane.tsx'
import { deletionWord, ObjectState } from '../parts/object-state.tsx'
import { Answered } from '../parts/states.tsx'
import { Time } from '../parts/time.tsx'
import { Question } from '../state/question.ts'
import { query } from '../state/route.ts'
import { zone } from '../state/settings.ts'
import { ObjectActions } from './object-actions.tsx'

/** Changes of the object show at most this much later. */
const STALE_MS_MAX = 500

interface PaneProps {
  readonly uid: string
  readonly onClose: () => void
}

/** The pane. */
export function ObjectPane({ uid, onClose }: PaneProps): JSX.Element {
  const path = `objects/${encodeURIComponent(uid)}`
  const detail = useMemo(() => new Question<ObjectDetail>(path), [path])
  const history = useMemo(() => new Question<ObjectHistory>(`${path}/history`), [path])
  useEffect(() => {
    void detail.ask()
    void history.ask()
    const again = (): void => {
      detail.askWithin(STALE_MS_MAX)
      history.askWithin(STALE_MS_MAX)
    }
    const stop = listen({
      batch: (batch) => {
        const isMine = batch.objects?.some((row) => row.uid === uid)
        if (isMine || batch.events?.some((event) => event.object_uid === uid)) again()
      },
      reset: again,
    })
    return () => {
      stop()
      detail.end()
      history.end()
    }
  }, [detail, history])
  const answer = detail.value.value
  return (
    <Detail
      title={answer ? `${answer.object.kind} ${answer.object.name}` : 'Object'}
      onClose={onClose}
    >
      <Answered of={detail} subject="details of this object" isEmpty={false} empty="">
        {answer && <Parts answer={answer} history={history} />}
      </Answered>
    </Detail>
  )
}

interface PartsProps {
  readonly answer: ObjectDetail
  readonly history: Question<ObjectHistory>
}

function Parts({ answer, history }: PartsProps): JSX.Element {
  const { object, body, events } = answer
  const versions = history.value.value?.versions ?? []
  return (
    <>
      <Fields
        rows={[
          ['State', <ObjectState key="state" row={object} />],
          ['Detail', object.detail || '(none)'],
          ['Namespace', object.namespace || '(whole cluster)'],
          ['Created', object.created !== null ? fullTime(object.created, zone.value) : 'not known'],
          ['Changed', fullTime(object.changed, zone.value)],
          ['Uid', object.uid],
          ['Seq', String(object.seq)],
        ]}
      />
      {object.deleted === false && <ObjectActions object={object} />}
      <h3>Events</h3>
      {events.length === 0 && <p class="none">The cluster has said nothing about it.</p>}
      <ul class="lines">
        {events.map((event) => (
          <li key={event.uid} class={isProof(event.seq) ? 'is-proof' : ''}>
            <EventLine event={event} />
          </li>
        ))}
      </ul>
      <h3>Recorded states</h3>
      <Answered
        of={history}
        subject="recorded states"
        isEmpty={versions.length === 0}
        empty="No state of it is left in the journal."
      >
        <Versions history={history} />
      </Answered>
      <h3>Body</h3>
      {body === null ? (
        <p class="none">Its body was not known.</p>
      ) : (
        <JsonPane value={body} what="the body" />
      )}
    </>
  )
}

/** Whether a link has named this record: what proves a problem. */
function isProof(seq: number): boolean {
  return query.value.get('seq') === String(seq)
}

function EventLine({ event }: { readonly event: ClusterEvent }): JSX.Element {
  return (
    <>
      <Time at={event.last} />{' '}
      <b class={event.event_type === 'Warning' ? 'warn' : ''}>{event.reason}</b>{' '}
      {event.count > 1 && <span class="times">{count(event.count)} times</span>} {event.message}
    </>
  )
}

function Versions({ history }: { readonly history: Question<ObjectHistory> }): JSX.Element {
  const older = useSignal<readonly ObjectVersion[]>([])
  const next = useSignal(history.value.value?.next ?? null)
  const askOlder = async (): Promise<void> => {
    const before = next.value
    if (before === null) return
    next.value = null
    const page = await history.page(before)
    next.value = page.ok ? page.value.next : before
    if (page.ok) older.value = older.value.concat(page.value.versions)
  }
  // A newer answer reaches as far back as it has room for; what it has is not shown twice.
  const newest = history.value.value?.versions ?? []
  const last = newest.at(-1)?.seq ?? 0
  return (
    <>
      <ul class="lines">
        {newest.concat(older.value.filter((one) => one.seq < last)).map((version) => (
          <VersionLine key={version.seq} version={version} />
        ))}
      </ul>
      {next.value !== null && (
        <button type="button" class="small" onClick={() => void askOlder()}>
          Older states
        </button>
      )}
    </>
  )
}

function VersionLine({ version }: { readonly version: ObjectVersion }): JSX.Element {
  const isOpen = useSignal(isProof(version.seq))
  return (
    <li class={isProof(version.seq) ? 'is-proof' : ''}>
      <button
        type="button"
        class="row-button"
        aria-expanded={isOpen.value}
        onClick={() => (isOpen.value = !isOpen.value)}
      >
        <Time at={version.time} /> seq {count(version.seq)}
        {version.deleted && ` ${deletionWord(version.deleted_because)}`}
      </button>
      {isOpen.value && <JsonPane value={version.body} what={`the body at ${version.seq}`} />}
    </li>
  )
}
