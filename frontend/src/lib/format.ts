/** Numbers and JSON as text. */

const GROUPED = new Intl.NumberFormat('en-US')
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** `48,219`. */
export function count(n: number): string {
  return GROUPED.format(n)
}

/** `1 line`, `48,219 lines`. */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`
}

/** `512 B`, `31.2 MiB`. */
export function bytes(n: number): string {
  let value = n
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`
}

/** JSON on one line, cut at `max` characters. */
export function jsonLine(value: unknown, max: number): string {
  return cut(JSON.stringify(value) ?? '', max)
}

/** The members of an object as `name: value, name: value`, or anything else as JSON. */
export function pairs(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? ''
  return Object.entries(value)
    .map(
      ([name, member]) =>
        `${name}: ${typeof member === 'string' ? member : JSON.stringify(member)}`,
    )
    .join(', ')
}

/** The beginning of a text, with a mark where it was cut. */
export function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max)}\u2026`
}
