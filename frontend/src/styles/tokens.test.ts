import { expect, test } from 'vitest'

import css from './tokens.css?raw'

/** The two values of a token, light and dark, as `#rrggbb`. */
function token(name: string): [string, string] {
  const found = new RegExp(`--${name}: light-dark\\((#\\w{6}), (#\\w{6})\\)`).exec(css)
  if (!found?.[1] || !found[2]) throw new Error(`no token ${name}`)
  return [found[1], found[2]]
}

/** The contrast of two colours by WCAG 2. */
function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].toSorted((x, y) => y - x)
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05)
}

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0)
}

/** A token that is the same in both themes. */
function fixed(name: string): string {
  return new RegExp(`--${name}: (#\\w{6})`).exec(css)?.[1] ?? ''
}

const GROUNDS = ['bg', 'panel', 'raised']
const TEXTS = ['ink', 'muted', 'accent', 'focus', 'past', 'error', 'warn', 'info', 'debug', 'trace']
const SHAPES = ['line', 'bar']

function check(name: string, least: number): void {
  for (const ground of GROUNDS) {
    for (const theme of [0, 1] as const) {
      const found = contrast(token(name)[theme], token(ground)[theme])
      expect(found, `${name} on ${ground}, ${['light', 'dark'][theme]}`).toBeGreaterThan(least)
    }
  }
}

test('every text can be read on every ground, in both themes', () => {
  for (const name of [...TEXTS, 'good']) check(name, 4.5)
})

test('every line and shape can be seen on every ground, in both themes', () => {
  for (const name of SHAPES) check(name, 2.99)
})

test('filled chips can be read', () => {
  for (const name of ['error-fill', 'warn-fill']) {
    expect(contrast(fixed(name), fixed(`on-${name}`)), name).toBeGreaterThan(4.5)
  }
})
