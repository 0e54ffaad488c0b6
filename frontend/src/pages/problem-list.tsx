/** What is wrong: how bad, since when, what proves it, and from when on it counts. */

import type { JSX } from 'preact'

import type { ObjectName, Overview, Problem, Source } from '../api/types.ts'
import { alike, named } from '../lib/alike.ts'
import { count, counted, cut } from '../lib/format.ts'
import { nameOf, objectHref, objectsOf, placeOf, proofHref } from '../lib/problem.ts'
import { longDuration } from '../lib/time.ts'
import { Badge } from '../parts/badge.tsx'
import { Panel } from '../parts/panel.tsx'
import { Time } from '../parts/time.tsx'
import { recorderNow } from '../state/clock.ts'
import { isReplay } from '../state/status.ts'

/** The rest stands with the proof: a list of problems is to be read at a glance. */
const DETAIL_CHARS_MAX = 240

/** The panel. */
export function ProblemList({ answer }: { readonly answer: Overview }): JSX.Element {
  const { problems } = answer
  const critical = problems.filter((problem) => problem.severity === 'critical').length
  return (
    <Panel
      title="Problems"
      aside={`${count(critical)} critical, ${counted(problems.length - critical, 'warning')}`}
    >
      {problems.length === 0 && <NothingKnown sources={answer.sources} />}
      <ul class="lines" aria-label="Problems, the worst first">
        {problems.map((problem) => (
          <li key={problem.id}>
            <ProblemItem problem={problem} />
          </li>
        ))}
      </ul>
      <Unhealthy answer={answer} />
    </Panel>
  )
}

/** That nothing is wrong is worth as much as what was looked at. */
function NothingKnown({ sources }: { readonly sources: readonly Source[] }): JSX.Element {
  const away = alike(sources.filter((source) => source.state !== 'up'))
  const watches = sources.filter((source) => source.name.startsWith('cluster/'))
  const isBlind = watches.every((source) => source.state !== 'up')
  return (
    <div class={isBlind ? 'all-clear is-blind' : 'all-clear'}>
      <p>
        <span aria-hidden="true">{isBlind ? '\u25b2' : '\u2713'}</span>{' '}
        {isBlind
          ? 'Not known: the cluster is not observed now. The sources say why.'
          : 'Nothing known is wrong.'}
      </p>
      {!isBlind &&
        away.map((group) => (
          <p key={group.sources[0]?.name} class="reason">
            Not observed: {named(group.sources.map((one) => one.name))} ({group.sources[0]?.state})
          </p>
        ))}
    </div>
  )
}

/** Not all that is not as it should be is a problem yet. */
function Unhealthy({ answer }: { readonly answer: Overview }): JSX.Element | null {
  const total = answer.kinds.reduce((sum, kind) => sum + kind.total, 0)
  const wrong = answer.kinds.reduce((sum, kind) => sum + kind.unhealthy, 0)
  if (total === 0) return null
  return (
    <p class="muted problems-foot">
      {wrong === 0
        ? `All ${counted(total, 'observed object')} of the cluster are as they should be.`
        : `${count(wrong)} of ${counted(total, 'object')} of the cluster are not as they should be: `}
      {wrong > 0 && <a href="#/cluster?unhealthy=1">see them</a>}
    </p>
  )
}

function ProblemItem({ problem }: { readonly problem: Problem }): JSX.Element {
  const isCritical = problem.severity === 'critical'
  const place = placeOf(problem)
  return (
    <article>
      <p>
        <Badge tone={isCritical ? 'bad' : 'warn'} word={problem.severity} />{' '}
        <b>{problem.title}</b>{' '}
        <span class="muted">
          since <Time at={problem.since} />
          {!isReplay.value && ` (${longDuration(recorderNow() - problem.since)})`}
        </span>{' '}
        {place && <a href={place.href}>{place.text}</a>}
        {problem.last_seen !== null && (
          <span class="warn">
            {' '}
            as it was last seen at <Time at={problem.last_seen} />; not observed since
          </span>
        )}
      </p>
      {problem.detail && <p class="reason">{cut(problem.detail, DETAIL_CHARS_MAX)}</p>}
      {problem.advice && <p class="reason">{problem.advice}</p>}
      <Where problem={problem} />
    </article>
  )
}

/** What it is about and what proves it, as links. */
function Where({ problem }: { readonly problem: Problem }): JSX.Element {
  const objects = objectsOf(problem)
  const more = problem.count - objects.length
  return (
    <details class="proof">
      <summary>
        Proof: {counted(problem.records.length, 'record')}
        {objects.length > 0 && problem.count > 1 && `, ${counted(problem.count, 'object')}`}
      </summary>
      {problem.detail.length > DETAIL_CHARS_MAX && <p>{problem.detail}</p>}
      {problem.threshold && <p>{problem.threshold}</p>}
      {objects.length > 0 && (
        <ul class="links" aria-label="Objects">
          {objects.map((object) => (
            <li key={`${object.kind}/${object.namespace}/${object.name}`}>
              <ObjectLink object={object} />
            </li>
          ))}
          {more > 0 && <li class="muted">and {count(more)} more</li>}
        </ul>
      )}
      <ul class="links" aria-label="Records">
        {problem.records.map((seq) => (
          <li key={seq}>
            <RecordLink problem={problem} seq={seq} />
          </li>
        ))}
      </ul>
    </details>
  )
}

function ObjectLink({ object }: { readonly object: ObjectName }): JSX.Element {
  const href = objectHref(object)
  return href === null ? <span>{nameOf(object)}</span> : <a href={href}>{nameOf(object)}</a>
}

function RecordLink(props: { readonly problem: Problem; readonly seq: number }): JSX.Element {
  const href = proofHref(props.problem, props.seq)
  const text = `record ${count(props.seq)}`
  return href === null ? <span>{text}</span> : <a href={href}>{text}</a>
}
