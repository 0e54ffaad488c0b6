/** What something would do, as the recorder says it. */

import type { JSX } from 'preact'

import type { Answer } from '../api/client.ts'
import type { DryRun } from '../api/types.ts'
import { Note } from './states.tsx'

interface LinesProps {
  /** What was tried out. */
  readonly of: string
  readonly answer: Answer<DryRun>
}

/** The lines of a dry run, or why there are none. */
export function DryRunLines({ of, answer }: LinesProps): JSX.Element {
  if (!answer.ok) return <Note kind="failed">It would not be started: {answer.error.message}</Note>
  return (
    <section class="dry-run" aria-label={`Dry run of ${of}`}>
      <p>
        <b>Dry run.</b> Nothing was done. It would:
      </p>
      <ul>
        {answer.value.would.map((line, index) => (
          <li key={index}>{line}</li>
        ))}
      </ul>
    </section>
  )
}
