/** What this browser remembers: how things look. Never a key, never data. */

import { effect, signal } from '@preact/signals'
import type { Signal } from '@preact/signals'

import type { Zone } from '../lib/time.ts'

/** `system` follows the operating system. */
export type Theme = 'system' | 'light' | 'dark'

const THEMES: readonly Theme[] = ['system', 'light', 'dark']
const ZONES: readonly Zone[] = ['utc', 'local']
const SWITCH = ['on', 'off'] as const

/** Light, dark, or as the system has it. */
export const theme = remembered('theme', THEMES, 'system')
/** The zone of every time on screen. */
export const zone = remembered('zone', ZONES, 'utc')
/** Whether single keys do things outside of inputs. */
export const singleKeys = remembered('single-keys', SWITCH, 'on')

/** Applies the theme whenever it changes. */
export function applyTheme(): void {
  effect(() => {
    document.documentElement.dataset['theme'] = theme.value
  })
}

/** The value after this one, round and round. */
export function following<T>(values: readonly T[], value: T): T {
  return values[(values.indexOf(value) + 1) % values.length] ?? value
}

/** From system to light to dark. */
export function switchTheme(): void {
  theme.value = following(THEMES, theme.value)
}

/** From UTC to the local zone and back. */
export function switchZone(): void {
  zone.value = following(ZONES, zone.value)
}

function remembered<T extends string>(name: string, allowed: readonly T[], first: T): Signal<T> {
  const key = `monitor-backend.${name}`
  const stored = readStored(key)
  const value = signal(allowed.find((one) => one === stored) ?? first)
  effect(() => writeStored(key, value.value))
  return value
}

// Storage may be switched off or full: then nothing is remembered, and that is all.
function readStored(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

function writeStored(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    // As above.
  }
}
