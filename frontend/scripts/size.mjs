/** Prints what each file of dist weighs over the wire, and fails when a budget is passed. */

import { readdir, readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'

/** The first route must be usable over a bad tunnel. */
const FIRST_ROUTE_KB_MAX = 35
/** The whole is embedded in the binary. */
const DIST_KB_MAX = 120

const dist = new URL('../dist/', import.meta.url)
const html = await readFile(new URL('index.html', dist), 'utf8')
const names = (await readdir(dist, { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile())
  .map((entry) =>
    `${entry.parentPath}/${entry.name}`.slice(dist.pathname.length).replace(/^\//, ''),
  )
  .toSorted()

let first = 0
let whole = 0
for (const name of names) {
  const bytes = await readFile(new URL(name, dist))
  const kb = gzipSync(bytes, { level: 9 }).length / 1000
  const isFirst = name === 'index.html' || html.includes(`./${name}`)
  whole += kb
  if (isFirst) first += kb
  console.log(`${kb.toFixed(1).padStart(7)} kB gz  ${isFirst ? 'first' : '     '}  ${name}`)
}
console.log(`${first.toFixed(1).padStart(7)} kB gz  first route (at most ${FIRST_ROUTE_KB_MAX})`)
console.log(`${whole.toFixed(1).padStart(7)} kB gz  all (at most ${DIST_KB_MAX})`)
if (first > FIRST_ROUTE_KB_MAX || whole > DIST_KB_MAX) {
  console.error('the frontend is over its size budget')
  process.exitCode = 1
}
