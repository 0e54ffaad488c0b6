/** Text of an application, which may hold anything, on one line of ours. */

import { cut } from './format.ts'

/** A row never needs more: the whole stands in the detail pane. */
const LINE_CHARS_MAX = 4096

const ESCAPE = 0x1b
const COLOUR = /^\[[0-9;]*m/

/**
 * One line without control characters: terminal colours go, line ends and the rest become
 * visible signs, so that nothing is hidden and nothing moves the row.
 */
export function printable(text: string): string {
  const short = cut(text, LINE_CHARS_MAX)
  let clean = ''
  for (let i = 0; i < short.length; i++) {
    const code = short.charCodeAt(i)
    if (code === ESCAPE) {
      const colour = COLOUR.exec(short.slice(i + 1, i + 16))
      if (colour) {
        i += colour[0].length
        continue
      }
    }
    clean += visible(code, short.charAt(i))
  }
  return clean
}

function visible(code: number, character: string): string {
  if (code === 0x0a) return '\u23ce'
  if (code === 0x0d) return ''
  if (code === 0x09) return '  '
  if (code < 0x20) return String.fromCharCode(0x2400 + code)
  // Marks that turn the direction of all that follows, beyond the end of this text too.
  if ((code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)) return '\ufffd'
  return character
}
