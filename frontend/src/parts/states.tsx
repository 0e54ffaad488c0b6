/** Why a panel shows nothing: each reason has its own words, and says what to do. */

import type { Signal } from '@preact/signals'
import type { ComponentChildren, JSX } from 'preact'

import type { Failure } from '../api/client.ts'
import { counted } from '../lib/format.ts'
import { offlineSince, status } from '../state/status.ts'
import { CopyButton } from './copy-button.tsx'
import { Time } from './time.tsx'

/** What re-opens the tunnel that most admins reach the recorder through. */
const PORT_FORWARD = 'kubectl port-forward svc/monitor-backend 5130'

/** Something that is asked for, and its last answer. */
export interface Asked {
  readonly value: Signal<unknown>
  readonly failure: Signal<Failure | null>
  ask(): void
}

interface AnsweredProps {
  readonly of: Asked
  /** What is asked for, in the plural: `live queries`. */
  readonly subject: string
  readonly isEmpty: boolean
  /** What it means that there is nothing, and what would change it. */
  readonly empty: ComponentChildren
  readonly children: ComponentChildren
}

/** Its children once there is an answer with something in it, else the reason. */
export function Answered(props: AnsweredProps): JSX.Element {
  const { of, subject, isEmpty, empty, children } = props
  const failure = of.failure.value
  if (of.value.value === null) {
    return failure ? <Failed failure={failure} of={of} subject={subject} /> : <Loading {...props} />
  }
  if (isEmpty && offlineSince.value !== null) {
    return <Note kind="offline">Disconnected. When last heard, there were no {subject}.</Note>
  }
  return (
    <>
      {failure && failure.kind !== 'unreachable' && <Stale failure={failure} of={of} />}
      {isEmpty ? <Note kind="empty">{empty}</Note> : children}
    </>
  )
}

function Loading({ subject }: { readonly subject: string }): JSX.Element {
  return <Note kind="loading">Loading: the recorder was asked for {subject}.</Note>
}

interface FailedProps {
  readonly failure: Failure
  readonly subject: string
  readonly of: Asked
}

function Failed({ failure, subject, of }: FailedProps): JSX.Element {
  switch (failure.kind) {
    case 'starting':
      return <Starting subject={subject} />
    case 'unreachable':
      return (
        <Note kind="offline">
          <p>
            Disconnected: the recorder does not answer, and {subject} were not loaded before. If you
            reach it through a tunnel, run it again; this page goes on by itself.
          </p>
          <PortForward />
        </Note>
      )
    case 'logged_out':
      return <Note kind="forbidden">Logged out. Log in again to see {subject}.</Note>
    case 'forbidden':
      return (
        <Note kind="forbidden">
          Forbidden: this session may not see {subject} ({failure.message}). Log out, then log in
          with the admin key.
        </Note>
      )
    case 'refused':
      return (
        <Note kind="failed">
          <p>
            The recorder could not tell {subject}: {failure.message}
          </p>
          <AskAgain of={of} />
        </Note>
      )
  }
}

function Starting({ subject }: { readonly subject: string }): JSX.Element {
  const applied = status.value.value?.replay.applied
  return (
    <Note kind="loading">
      The recorder is reading its journal{applied ? ` (${counted(applied, 'event')} so far)` : ''}.
      It tells {subject} as soon as it is done; nothing is lost meanwhile.
    </Note>
  )
}

function Stale({ failure, of }: { readonly failure: Failure; readonly of: Asked }): JSX.Element {
  return (
    <Note kind="failed">
      <p>Not up to date: {failure.message}. What is below was known before.</p>
      <AskAgain of={of} />
    </Note>
  )
}

function AskAgain({ of }: { readonly of: Asked }): JSX.Element {
  return (
    <button type="button" onClick={() => of.ask()}>
      Ask again
    </button>
  )
}

interface NoteProps {
  readonly kind: 'loading' | 'empty' | 'offline' | 'forbidden' | 'failed' | 'warn'
  readonly children: ComponentChildren
}

const GLYPHS = {
  loading: '\u2026',
  empty: '\u25cb',
  offline: '\u2716',
  forbidden: '\u2298',
  failed: '\u25b2',
  warn: '\u25b2',
} as const

/** A text in the place of data. */
export function Note({ kind, children }: NoteProps): JSX.Element {
  return (
    <div class={`note note-${kind}`}>
      <span class="note-glyph" aria-hidden="true">
        {GLYPHS[kind]}
      </span>
      <div class="note-text">{children}</div>
    </div>
  )
}

/** The line that re-opens the tunnel, to copy. */
export function PortForward(): JSX.Element {
  return (
    <p class="command">
      <code>{PORT_FORWARD}</code> <CopyButton text={PORT_FORWARD} what="the command" />
    </p>
  )
}

/** Above everything while nothing is heard: what is on screen is the last known state. */
export function OfflineBanner(): JSX.Element | null {
  const since = offlineSince.value
  if (since === null) return null
  return (
    <div class="strip strip-offline" role="status">
      <p>
        <b>
          Disconnected since <Time at={since} isLocalClock />.
        </b>{' '}
        What you see is the last known state. If you reach the recorder through a tunnel, run it
        again; this page resumes by itself.
      </p>
      <PortForward />
    </div>
  )
}
