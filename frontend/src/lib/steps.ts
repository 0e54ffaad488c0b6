/** A test sequence as text and as a tree: what the editor shows, and small changes of it. */

import { err, ok } from './result.ts'
import type { Result } from './result.ts'

/** A step as it is written. What is not known here is kept. */
export type Step = Readonly<Record<string, unknown>>

/** A step in the tree. */
export interface StepRow {
  /** Where it stands: `0`, `2.1`. */
  readonly path: string
  /** How many batches it is inside of. */
  readonly depth: number
  /** What it does, in short. */
  readonly label: string
  readonly isEnabled: boolean
  /** How often a batch is run; null for a step that is none. */
  readonly repeatCount: number | null
}

/** Deeper than anybody nests, and few enough for any page. */
const ROWS_MAX = 1000

/** Reads a list of steps. The error says where the text is no JSON, or what it is instead. */
export function parseSteps(text: string): Result<readonly Step[], string> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return err(error instanceof Error ? error.message : 'it is no JSON')
  }
  if (!Array.isArray(value)) return err('it must be a list of steps: [ ... ]')
  const wrong = value.findIndex((step) => !isObject(step))
  return wrong === -1 ? ok(value) : err(`step ${wrong + 1} must be an object: { ... }`)
}

/** Steps as text. */
export function stepsText(steps: unknown): string {
  return JSON.stringify(steps, null, 2)
}

/** Every step, batches before what is in them. */
export function stepRows(steps: readonly Step[]): StepRow[] {
  const rows: StepRow[] = []
  addRows(rows, steps, '', 0)
  return rows
}

function addRows(rows: StepRow[], steps: readonly Step[], prefix: string, depth: number): void {
  for (const [index, step] of steps.entries()) {
    if (rows.length >= ROWS_MAX) return
    const path = `${prefix}${index}`
    const batch = batchOf(step)
    rows.push({
      path,
      depth,
      label: labelOf(step),
      isEnabled: step['enabled'] !== false,
      repeatCount: batch ? Number(batch['repeatCount'] ?? 1) : null,
    })
    if (batch) addRows(rows, stepsOf(batch), `${path}.`, depth + 1)
  }
}

/** The same steps but for one, which is switched on or off. */
export function enable(steps: readonly Step[], path: string, enabled: boolean): Step[] {
  return change(steps, path.split('.').map(Number), (step) => ({ ...step, enabled }))
}

/** The same steps but for one batch, which is run so often. */
export function repeat(steps: readonly Step[], path: string, repeatCount: number): Step[] {
  return change(steps, path.split('.').map(Number), (step) => {
    const batch = batchOf(step)
    return batch ? { ...step, stepBatch: { ...batch, repeatCount } } : step
  })
}

function change(
  steps: readonly Step[],
  path: readonly number[],
  how: (step: Step) => Step,
): Step[] {
  const [at, ...rest] = path
  return steps.map((step, index) => {
    if (index !== at) return step
    if (rest.length === 0) return how(step)
    const batch = batchOf(step)
    if (!batch) return step
    return { ...step, stepBatch: { ...batch, steps: change(stepsOf(batch), rest, how) } }
  })
}

function labelOf(step: Step): string {
  if (batchOf(step)) return 'batch'
  const http = step['http']
  if (isObject(http)) return `${textOf(http['method']) || 'POST'} ${textOf(http['path'])}`
  const name = Object.keys(step).find((key) => isObject(step[key]))
  return name ?? 'wait'
}

function batchOf(step: Step): Step | null {
  const batch = step['stepBatch']
  return isObject(batch) ? batch : null
}

function stepsOf(batch: Step): readonly Step[] {
  const { steps } = batch
  return Array.isArray(steps) ? steps.filter(isObject) : []
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function isObject(value: unknown): value is Step {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
