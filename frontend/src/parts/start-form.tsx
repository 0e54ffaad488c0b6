/** The form that starts something: its fields, a dry run, and the question before it begins. */

import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useId } from 'preact/hooks'

import type { Answer } from '../api/client.ts'
import type { DeclaredArg, DryRun, StartedAction } from '../api/types.ts'
import { byHand } from '../lib/by-hand.ts'
import type { Args } from '../lib/by-hand.ts'
import { tryOut } from '../state/acting.ts'
import type { Wish } from '../state/acting.ts'
import { whyNoWrites } from '../state/writes.ts'
import { ArgFields } from './arg-fields.tsx'
import { DryRunLines } from './dry-run.tsx'
import { StartDialog } from './start-dialog.tsx'

interface FormProps {
  /** What is started, for the dialog's title and for readers: `restart-workload`. */
  readonly name: string
  /** What it does, in the words of the recorder. */
  readonly what: string
  readonly args: readonly DeclaredArg[]
  /** The first values. */
  readonly given: Args
  /** On the button: `Run`. */
  readonly verb: string
  /** What the recorder is asked for, with the values of the fields that are filled in. */
  wish(values: Args): Wish
  readonly onStarted: (started: StartedAction) => void
}

/** A dry run, and of what. */
interface Tried {
  readonly of: string
  readonly answer: Answer<DryRun>
}

/** The form. Without the right to act it says why, and only then cannot be sent. */
export function StartForm(props: FormProps): JSX.Element {
  const { name, what, args, verb } = props
  const values = useSignal<Args>(props.given)
  const asked = useSignal<Wish | null>(null)
  const tried = useSignal<Tried | null>(null)
  const id = useId()
  const refusal = whyNoWrites()
  const wish = (): Wish => props.wish(filledIn(args, values.value))
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    const isDry = event.submitter?.getAttribute('value') === 'dry'
    if (isDry) void dryRun(wish())
    else asked.value = wish()
  }
  const dryRun = async (of: Wish): Promise<void> => {
    tried.value = { of: JSON.stringify(of), answer: await tryOut(of) }
  }
  // What was tried out before something was changed says nothing any more.
  const isCurrent = tried.value?.of === JSON.stringify(wish())
  return (
    <form aria-label={name} onSubmit={submit}>
      <ArgFields
        args={args}
        values={values.value}
        onInput={(arg, value) => {
          values.value = { ...values.value, [arg]: value }
        }}
      />
      <div class="buttons">
        <button type="submit" value="dry" disabled={refusal !== null} aria-describedby={id}>
          Dry run
        </button>
        <button
          type="submit"
          class="primary"
          disabled={refusal !== null}
          aria-describedby={id}
        >
          {verb}
          {'\u2026'}
        </button>
        <span id={id} class="muted">
          {refusal}
        </span>
      </div>
      <div aria-live="polite">
        {tried.value && isCurrent && <DryRunLines of={name} answer={tried.value.answer} />}
      </div>
      {asked.value && (
        <StartDialog
          title={`${verb} ${name}`}
          what={what}
          byHand={byHand(name, filledIn(args, values.value))}
          verb={verb}
          wish={asked.value}
          onStarted={props.onStarted}
          onClose={() => (asked.value = null)}
        />
      )}
    </form>
  )
}

/** The values of the arguments that there are; of those left empty none. */
function filledIn(args: readonly DeclaredArg[], values: Args): Args {
  return Object.fromEntries(
    args
      .map((arg) => [arg.name, (values[arg.name] ?? '').trim()] as const)
      .filter(([, value]) => value !== ''),
  )
}
