/** How full something is. */

/** From here on it is worth a look. The recorder's own thresholds tell what is a problem. */
const HIGH = 0.8
/** From here on it will soon take nothing more. */
const FULL = 0.9

/** A word for a share of 0 to 1. */
export function fullness(share: number): 'ok' | 'high' | 'full' {
  if (share >= FULL) return 'full'
  return share >= HIGH ? 'high' : 'ok'
}

/** `91 %`; what is not all is never told as 100 %. */
export function percent(share: number): string {
  if (share >= 1) return '100 %'
  return `${Math.floor(share * 100)} %`
}
