/** What an action would be by hand, for whoever trusts that more. */

/** Arguments of an action, as its form has them. */
export type Args = Readonly<Record<string, string>>

/** A line for a terminal; null where there is none. */
export function byHand(action: string, args: Args): string | null {
  const { namespace = '', name = '', kind = '', method = 'rollout' } = args
  const target = `${kind.toLowerCase()}/${name}`
  switch (action) {
    case 'restart-workload':
      return method === 'rollout'
        ? `kubectl -n ${namespace} rollout restart ${target}`
        : `kubectl -n ${namespace} delete pod NEWEST_POD_OF_${target}`
    case 'delete-pod':
      return `kubectl -n ${namespace} delete pod ${name}`
    case 'scale-workload':
      return `kubectl -n ${namespace} scale ${target} --replicas=${args['replicas'] ?? ''}`
    default:
      return null
  }
}
