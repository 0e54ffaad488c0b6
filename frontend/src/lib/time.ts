/** Times and durations as text. Both are fractional milliseconds, times since 1970. */

/** In which zone times are shown. */
export type Zone = 'utc' | 'local'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const two = (n: number): string => String(n).padStart(2, '0')

/**
 * A date whose UTC fields read as the wall clock of `zone`. Only for taking fields out of it.
 */
function wall(time: number, zone: Zone): Date {
  const date = new Date(time)
  if (zone === 'utc') return date
  return new Date(time - date.getTimezoneOffset() * MINUTE)
}

/** `06:12:03.120`, or dashes for what is no time. */
export function clock(time: number, zone: Zone): string {
  const date = wall(time, zone)
  if (Number.isNaN(date.getTime())) return '--:--:--.---'
  return date.toISOString().slice(11, 23)
}

/** `2026-11-24`. */
export function day(time: number, zone: Zone): string {
  const date = wall(time, zone)
  if (Number.isNaN(date.getTime())) return '----------'
  return date.toISOString().slice(0, 10)
}

/** The clock alone for a time of today, else with month and day before it. */
export function shortTime(time: number, now: number, zone: Zone): string {
  const date = day(time, zone)
  const text = clock(time, zone)
  return date === day(now, zone) ? text : `${date.slice(5)} ${text}`
}

/** `2026-11-24 06:12:03.120 UTC`: whole, for titles and detail panes. */
export function fullTime(time: number, zone: Zone): string {
  return `${day(time, zone)} ${clock(time, zone)} ${zoneLabel(time, zone)}`
}

/** `UTC`, or the offset that the local zone has at `time`, for example `+02:00`. */
export function zoneLabel(time: number, zone: Zone): string {
  if (zone === 'utc') return 'UTC'
  const minutes = -new Date(time).getTimezoneOffset()
  const size = Math.abs(minutes)
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
}

/** A measured duration: `0.4 ms`, `812 ms`, `1.24 s`, `3 m 12 s`. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return 'unknown'
  if (ms < 0) return `-${duration(-ms)}`
  if (ms < 10) return `${ms.toFixed(1)} ms`
  if (ms < SECOND) return `${Math.round(ms)} ms`
  if (ms < MINUTE) return `${(ms / SECOND).toFixed(2)} s`
  return longDuration(ms)
}

/** A stretch of waiting, in whole seconds and up: `4 s`, `3 m 12 s`, `5 h 02 m`, `2 d 3 h`. */
export function longDuration(ms: number): string {
  if (!Number.isFinite(ms)) return 'unknown'
  if (ms < MINUTE) return `${Math.max(0, Math.floor(ms / SECOND))} s`
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} m ${two(Math.floor((ms % MINUTE) / SECOND))} s`
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h ${two(Math.floor((ms % HOUR) / MINUTE))} m`
  return `${Math.floor(ms / DAY)} d ${Math.floor((ms % DAY) / HOUR)} h`
}

/** `00:42`, for a counter that runs: minutes and seconds, with hours from one hour on. */
export function stopwatch(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / SECOND))
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  return seconds < 3600 ? rest : `${Math.floor(seconds / 3600)}:${rest}`
}

/** RFC 3339, whole to the nanosecond, of nanoseconds since 1970. */
export function nanosText(ns: bigint): string {
  const second = ns / 1_000_000_000n
  const rest = String(ns % 1_000_000_000n).padStart(9, '0')
  return `${new Date(Number(second) * SECOND).toISOString().slice(0, 19)}.${rest}Z`
}
