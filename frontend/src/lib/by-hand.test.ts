import { expect, test } from 'vitest'

import { byHand } from './by-hand.ts'

const web = { kind: 'Deployment', namespace: 'a', name: 'web' }

test('what kubectl can do as well is said as its command', () => {
  expect(byHand('restart-workload', web)).toBe('kubectl -n a rollout restart deployment/web')
  expect(byHand('scale-workload', { ...web, replicas: '3' })).toBe(
    'kubectl -n a scale deployment/web --replicas=3',
  )
  expect(byHand('delete-pod', { namespace: 'a', name: 'web-1' })).toBe(
    'kubectl -n a delete pod web-1',
  )
})

test('what no command does is not guessed', () => {
  expect(byHand('run-runbook', { name: 'x' })).toBeNull()
})
