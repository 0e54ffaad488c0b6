import { expect, test } from 'vitest'

import type { Problem } from '../api/types.ts'
import { objectHref, objectsOf, placeOf, proofHref } from './problem.ts'

const pod = { kind: 'Pod', namespace: 'shop', name: 'web-1', uid: 'u 1' }

const problem = (more: Partial<Problem>): Problem => ({
  id: 'x',
  kind: 'crash_loop',
  severity: 'critical',
  subject: pod,
  title: '',
  detail: '',
  advice: '',
  since: 0,
  records: [7],
  threshold: '',
  count: 1,
  objects: [],
  last_seen: null,
  ...more,
})

test('the objects that have it come before the one that it is about', () => {
  const workload = { ...pod, kind: 'Deployment', name: 'web' }
  expect(objectsOf(problem({ subject: workload, objects: [pod] }))).toEqual([pod])
  expect(objectsOf(problem({}))).toEqual([pod])
  expect(objectsOf(problem({ subject: { source: 'app-server' } }))).toEqual([])
})

test('a record of an object is shown with the object', () => {
  expect(proofHref(problem({}), 7)).toBe('#/cluster?uid=u+1&seq=7')
})

test('log lines lead to the logs, and an unknown object leads nowhere', () => {
  const source = { source: 'app-server' }
  expect(proofHref(problem({ kind: 'error_rate', subject: source }), 7)).toBe(
    '#/logs?level=ERROR&seq=7',
  )
  expect(proofHref(problem({ subject: source }), 7)).toBeNull()
  expect(objectHref({ ...pod, uid: '' })).toBeNull()
})

test('one looks first at the object, or at the page that shows the like', () => {
  expect(placeOf(problem({}))).toEqual({ href: '#/cluster?uid=u+1', text: 'Pod shop/web-1' })
  const source = { source: 'web' }
  expect(placeOf(problem({ kind: 'probe_failing', subject: source }))?.href).toBe('#/probes')
  expect(placeOf(problem({ kind: 'source_down', subject: source }))).toBeNull()
})
