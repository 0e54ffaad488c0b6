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

/** Where to look first: the object that it is about, or the page that shows what it is about. */
export function placeOf(problem: Problem): { readonly href: string; readonly text: string } | null {
  const { subject, kind } = problem
  if ('name' in subject) {
    const href = objectHref(subject)
    return href === null ? null : { href, text: nameOf(subject) }
  }
  return PLACES[kind] ?? null
}

const PLACES: Readonly<Partial<Record<Problem['kind'], { href: string; text: string }>>> = {
  error_rate: { href: '#/logs?level=ERROR', text: 'Error lines' },
  slow_requests: { href: '#/requests', text: 'Requests' },
  volume_filling: { href: '#/volumes', text: 'Volumes' },
  probe_failing: { href: '#/probes', text: 'Probes' },
  journal_degraded: { href: '#/journal', text: 'Journal' },
}

/** `Pod shop/web-1`. */
export function nameOf({ kind, namespace, name }: ObjectName): string {
  return `${kind} ${namespace && `${namespace}/`}${name}`
}
