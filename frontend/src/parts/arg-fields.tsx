/** The fields of a form, as an action or a runbook declares them. */

import type { JSX } from 'preact'
import { useId } from 'preact/hooks'

import type { DeclaredArg } from '../api/types.ts'
import type { Args } from '../lib/by-hand.ts'
import { knownValues } from '../lib/known-values.ts'
import { objects } from '../state/lists.ts'

interface FieldsProps {
  readonly args: readonly DeclaredArg[]
  readonly values: Args
  readonly onInput: (name: string, value: string) => void
}

/** One field an argument. Names of objects that are known are offered. */
export function ArgFields({ args, values, onInput }: FieldsProps): JSX.Element {
  return (
    <div class="arg-fields">
      {args.map((arg) => (
        <ArgField key={arg.name} arg={arg} values={values} onInput={onInput} />
      ))}
    </div>
  )
}

interface FieldProps extends Omit<FieldsProps, 'args'> {
  readonly arg: DeclaredArg
}

function ArgField({ arg, values, onInput }: FieldProps): JSX.Element {
  const id = useId()
  const hint = `${id}-hint`
  const value = values[arg.name] ?? ''
  return (
    <div class="arg-field">
      <label htmlFor={id}>
        {arg.name}
        {arg.optional && <span class="muted"> (optional)</span>}
      </label>
      {arg.choices.length > 0 ? (
        <select
          id={id}
          value={value}
          required={!arg.optional}
          aria-describedby={hint}
          onChange={(event) => onInput(arg.name, event.currentTarget.value)}
        >
          {(arg.optional || value === '') && <option value="">choose</option>}
          {arg.choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      ) : (
        <FreeText id={id} hint={hint} arg={arg} values={values} onInput={onInput} />
      )}
      <p id={hint} class="muted">
        {arg.what}
      </p>
    </div>
  )
}

function FreeText(
  props: FieldProps & { readonly id: string; readonly hint: string },
): JSX.Element {
  const { id, hint, arg, values, onInput } = props
  const known = knownValues(arg.name, values, objects.open().all())
  return (
    <>
      <input
        id={id}
        type="text"
        autocomplete="off"
        spellcheck={false}
        required={!arg.optional}
        list={known.length > 0 ? `${id}-known` : undefined}
        value={values[arg.name] ?? ''}
        aria-describedby={hint}
        onInput={(event) => onInput(arg.name, event.currentTarget.value)}
      />
      {known.length > 0 && (
        <datalist id={`${id}-known`}>
          {known.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </datalist>
      )}
    </>
  )
}
