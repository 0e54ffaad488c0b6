/** Problems: where what is known of one can be seen. */

import type { ObjectName, Problem } from '../api/types.ts'

/** The objects that have it, or the one that it is about. */
export function objectsOf(problem: Problem): readonly ObjectName[] {
  if (problem.objects.length > 0) return problem.objects
  return 'name' in problem.subject ? [problem.subject] : []
}

/** Where an object is shown, with the record `seq` marked; null where it is not known. */
export function objectHref(object: ObjectName, seq: number | null = null): string | null {
  if (object.uid === '') return null
  const query = new URLSearchParams({ uid: object.uid })
  if (seq !== null) query.set('seq', String(seq))
  return `#/cluster?${query}`
}

/** The page that shows the records which prove it; null where they are records of no page. */
export function proofHref(problem: Problem, seq: number): string | null {
  switch (problem.kind) {
    case 'error_rate':
      return `#/logs?level=ERROR&seq=${seq}`
    case 'slow_requests':
      return '#/requests'
    case 'volume_filling':
      return '#/volumes'
    case 'probe_failing':
      return '#/probes'
    case 'journal_degraded':
      return '#/journal'
    case 'source_down':
    case 'records_missing':
      return null
    default: {
      const [object] = objectsOf(problem)
      return object ? objectHref(object, seq) : null
    }
  }
}
